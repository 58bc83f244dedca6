// SPDX-License-Identifier: Apache-2.0
#include "suites/output_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/io/file.h"

static const char *const folders[] = {"cells",	  "models", "samples", "cache",
				      "verdicts", "audits", "shadows"};

static iso_status take_lock(const char *path, int how, int *out, iso_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	int e;

	ISO_FAIL_IF(fd < 0, err, ISO_E_IO, "cannot write (%s): %s; check the directory", path,
		    strerror(errno));
	if (flock(fd, how | LOCK_NB) == 0) {
		*out = fd;
		return ISO_OK;
	}
	e = errno;
	close(fd);
	if (e != EWOULDBLOCK) /* a file system without locks: go on without one */
		return ISO_OK;
	return iso_fail(err, ISO_E_IO,
			"output directory in use (%s): another run is writing there; wait for it, "
			"or give another --out",
			path);
}

/* The process id in ".NAME.PID-SERIAL.tmp", as core/io/file.c names its temporary files; 0 if it
 * is none of them. */
static long writer_of(const char *name)
{
	const size_t n = strlen(name);
	const char *p;
	char *end;
	long pid;

	if (n < 8 || name[0] != '.' || strcmp(name + n - 4, ".tmp") != 0)
		return 0;
	for (p = name + n - 5; p > name && *p != '.'; p--)
		;
	pid = strtol(p + 1, &end, 10);
	return *end == '-' && pid > 1 ? pid : 0;
}

static void remove_stale(const char *dir, const char *folder)
{
	char path[4300];
	struct dirent *entry;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", dir, folder);
	d = opendir(path);
	while (d && (entry = readdir(d)) != NULL) {
		const long pid = writer_of(entry->d_name);

		if (pid && kill((pid_t)pid, 0) != 0 && errno == ESRCH)
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	}
	if (d)
		closedir(d);
}

iso_status iso_output_open(const char *dir, size_t shard, size_t shards, iso_dir_lock *out,
			   iso_error *err)
{
	const int all = shards < 2;
	char path[4300];
	iso_status st = ISO_OK;

	*out = (iso_dir_lock){-1, -1};
	for (size_t i = 0; i < ISO_COUNT(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		ISO_TRY(iso_make_dirs(path, err));
	}
	snprintf(path, sizeof(path), "%s/.lock", dir);
	ISO_TRY(take_lock(path, all ? LOCK_EX : LOCK_SH, &out->whole, err));
	if (!all) {
		snprintf(path, sizeof(path), "%s/.lock-%zu-of-%zu", dir, shard, shards);
		st = take_lock(path, LOCK_EX, &out->shard, err);
	}
	if (st != ISO_OK) {
		iso_output_close(out);
		return st;
	}
	/* Process ids of another machine mean nothing here: only the one writer cleans up. */
	if (all) {
		remove_stale(dir, ".");
		for (size_t i = 0; i < ISO_COUNT(folders); i++)
			remove_stale(dir, folders[i]);
	}
	return ISO_OK;
}

void iso_output_close(iso_dir_lock *l)
{
	if (l->shard >= 0)
		close(l->shard);
	if (l->whole >= 0)
		close(l->whole);
	*l = (iso_dir_lock){-1, -1};
}

iso_status iso_output_write_suite(const iso_agenda *a, const char *dir, iso_error *err)
{
	iso_str path = {0}, text = {0};
	cJSON *suite = NULL;
	iso_status st;

	ISO_TRY_OUT(iso_agenda_to_json(a, &suite, err));
	iso_str_addf(&path, "%s/suite.json", dir);
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_json_pretty(suite, &text, err));
	st = iso_file_write_atomic(path.p, text.p, text.n, err);
out:
	cJSON_Delete(suite);
	iso_str_free(&path);
	iso_str_free(&text);
	return st;
}
