// SPDX-License-Identifier: Apache-2.0
/* For LD_PRELOAD: the ISO_FAIL_AT-th write, fsync or rename of files, counted over a process and
 * its children in the file ISO_FAIL_COUNT (8 zero bytes), fails with the error number
 * ISO_FAIL_ERRNO.  A write that fails has put down half of its bytes, as on a disk that fills up.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static _Atomic uint64_t *counter;
static uint64_t at;
static int error;

__attribute__((constructor)) static void set_up(void)
{
	const char *path = getenv("ISO_FAIL_COUNT"), *which = getenv("ISO_FAIL_AT"),
		   *what = getenv("ISO_FAIL_ERRNO");
	const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	counter = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (counter == MAP_FAILED)
		counter = NULL;
	at = which ? strtoull(which, NULL, 10) : 0;
	error = what ? atoi(what) : ENOSPC;
}

static int is_turn(void)
{
	return counter && atomic_fetch_add(counter, 1) + 1 == at;
}

static int is_file(int fd)
{
	struct stat s;

	return fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
	static ssize_t (*next)(int, const void *, size_t);

	if (!next)
		next = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	if (is_file(fd) && is_turn()) {
		if (n > 1)
			next(fd, bytes, n / 2);
		errno = error;
		return -1;
	}
	return next(fd, bytes, n);
}

int fsync(int fd)
{
	static int (*next)(int);

	if (!next)
		next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	if (is_file(fd) && is_turn()) {
		errno = error;
		return -1;
	}
	return next(fd);
}

int rename(const char *from, const char *to)
{
	static int (*next)(const char *, const char *);

	if (!next)
		next = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
	if (is_turn()) {
		errno = error;
		return -1;
	}
	return next(from, to);
}
