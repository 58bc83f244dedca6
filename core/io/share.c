// SPDX-License-Identifier: Apache-2.0
#include "core/io/share.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/io/file.h"

int iso_share_find(const char *name, char *path, size_t size)
{
	static const char *const below[] = {"../share/isoeps", "share/isoeps"};
	char program[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *slash;

	path[0] = 0;
	if (n <= 0)
		return 0;
	program[n] = 0;
	slash = strrchr(program, '/');
	if (!slash)
		return 0;
	*slash = 0;
	for (size_t i = 0; i < ISO_COUNT(below); i++)
		if ((size_t)snprintf(path, size, "%s/%s/%s", program, below[i], name) < size &&
		    iso_file_exists(path))
			return 1;
	path[0] = 0;
	return 0;
}
