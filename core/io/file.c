// SPDX-License-Identifier: Apache-2.0
#include "core/io/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/base/alloc.h"
#include "core/base/sha256.h"
#include "core/io/file_private.h"

#define READ_CHUNK ((size_t)1 << 20)

/* What the caller might do about an errno: the last part of the error text. */
static const char *errno_remedy(int e)
{
	switch (e) {
	case ENOENT:
		return "check the path";
	case EACCES:
	case EPERM:
		return "check the permissions";
	case ENOSPC:
	case EDQUOT:
		return "free some space or write elsewhere";
	case EISDIR:
		return "name a file, not a directory";
	case EROFS:
		return "write elsewhere";
	case EPIPE:
		return "keep the reader of the pipe open";
	default:
		return "check the file and its device";
	}
}

iso_status iso_io_fail(iso_error *err, const char *what, const char *path, int e)
{
	return iso_fail(err, ISO_E_IO, "%s (%s): %s; %s", what, path, strerror(e), errno_remedy(e));
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n > (1 << 30) ? 1 << 30 : n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return errno;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/* A rename is durable once the directory that holds the name has been synced.  Some file systems
 * cannot sync a directory (EINVAL); there the rename is as durable as it gets. */
static int sync_directory(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), e = 0;

	if (fd < 0)
		return 0; /* a directory that may be written but not read: nothing to sync through
			   */
	if (fsync(fd) != 0 && errno != EINVAL && errno != EROFS)
		e = errno;
	close(fd);
	return e;
}

/* Devices and pipes are written in place: renaming over /dev/full would replace the device. */
static iso_status write_device(const char *path, const void *data, size_t n, iso_error *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), e;

	if (fd < 0)
		return iso_io_fail(err, "cannot open for writing", path, errno);
	e = write_all(fd, data, n);
	if (close(fd) != 0 && !e)
		e = errno;
	return e ? iso_io_fail(err, "cannot write", path, e) : ISO_OK;
}

static void directory_of(const char *path, char *dir, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(dir, size, ".");
	else if (slash == path)
		snprintf(dir, size, "/");
	else
		snprintf(dir, size, "%.*s", (int)(slash - path), path);
}

static int write_temporary(const char *temporary, const void *data, size_t n, mode_t mode,
			   unsigned flags)
{
	const mode_t fresh = flags & ISO_WRITE_PRIVATE ? 0600 : 0666;
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, fresh), e;

	if (fd < 0)
		return errno;
	e = write_all(fd, data, n);
	if (!e && mode && fchmod(fd, flags & ISO_WRITE_PRIVATE ? mode & 0700 : mode) != 0)
		e = errno;
	if (!e && !(flags & ISO_WRITE_UNSYNCED) && fsync(fd) != 0)
		e = errno;
	if (close(fd) != 0 && !e)
		e = errno;
	if (e)
		unlink(temporary);
	return e;
}

iso_status iso_file_write_flags(const char *path, const void *data, size_t n, unsigned flags,
				iso_error *err)
{
	static _Atomic unsigned serial;
	char real[PATH_MAX], temporary[PATH_MAX + 256], dir[PATH_MAX];
	const char *target = path, *base;
	struct stat st;
	mode_t mode = 0;
	int e;

	if (!(flags & ISO_WRITE_IN_PLACE) && stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return iso_io_fail(err, "cannot write", path, EISDIR);
		if (!S_ISREG(st.st_mode))
			return write_device(path, data, n, err);
		mode = st.st_mode &
		       07777; /* a replaced file keeps its mode; a symbolic link keeps pointing */
		if (realpath(path, real))
			target = real;
	}
	if (strlen(target) >= PATH_MAX)
		return iso_io_fail(err, "cannot write", path, ENAMETOOLONG);
	directory_of(target, dir, sizeof(dir));
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	snprintf(temporary, sizeof(temporary), "%s/.%.200s.%ld-%u.tmp", dir, base, (long)getpid(),
		 atomic_fetch_add(&serial, 1));
	e = write_temporary(temporary, data, n, mode, flags);
	if (e)
		return iso_io_fail(err, "cannot write", path, e);
	if (rename(temporary, target) != 0) {
		e = errno;
		unlink(temporary);
		return iso_io_fail(err, "cannot write", path, e);
	}
	e = flags & ISO_WRITE_UNSYNCED ? 0 : sync_directory(dir);
	return e ? iso_io_fail(err, "cannot write", path, e) : ISO_OK;
}

iso_status iso_file_write_atomic(const char *path, const void *data, size_t n, iso_error *err)
{
	return iso_file_write_flags(path, data, n, 0, err);
}

static void *zlib_alloc(void *ctx, unsigned items, unsigned size)
{
	(void)ctx;
	return iso_alloc(items, size);
}

static void zlib_free(void *ctx, void *p)
{
	(void)ctx;
	iso_free(p);
}

/* One gzip member with no name, no time and operating system 255 (unknown). */
static iso_status compress_gz(const void *data, size_t n, uint8_t **out, size_t *nout,
			      iso_error *err)
{
	z_stream z = {.zalloc = zlib_alloc, .zfree = zlib_free};
	gz_header header = {.os = 255};
	const uint8_t *in = data;
	uint8_t *p = NULL;
	size_t cap = 0, used = 0;
	iso_status st = ISO_OK;
	int code = Z_OK;

	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return iso_no_memory(err, "the compressor");
	deflateSetHeader(&z, &header);
	while (st == ISO_OK && code != Z_STREAM_END) {
		size_t piece = n > READ_CHUNK ? READ_CHUNK : n, room;

		if (z.avail_in == 0 && n > 0) {
			z.next_in = (Bytef *)(uintptr_t)in;
			z.avail_in = (unsigned)piece;
			in += piece;
			n -= piece;
		}
		st = iso_grow(&p, &cap, used + READ_CHUNK / 4, 1, err);
		if (st != ISO_OK)
			break;
		room = cap - used > READ_CHUNK ? READ_CHUNK : cap - used;
		z.next_out = p + used;
		z.avail_out = (unsigned)room;
		code = deflate(&z, n == 0 ? Z_FINISH : Z_NO_FLUSH);
		used += room - z.avail_out;
		if (code == Z_STREAM_ERROR)
			st = iso_fail(
				err, ISO_E_INTERNAL,
				"cannot compress (zlib): the stream is inconsistent; report it");
	}
	deflateEnd(&z);
	if (st != ISO_OK) {
		iso_free(p);
		return st;
	}
	*out = p;
	*nout = used;
	return ISO_OK;
}

iso_status iso_file_write_gz(const char *path, const void *data, size_t n, iso_error *err)
{
	return iso_file_write_gz_flags(path, data, n, 0, err);
}

iso_status iso_file_write_gz_flags(const char *path, const void *data, size_t n, unsigned flags,
				   iso_error *err)
{
	uint8_t *packed = NULL;
	size_t size = 0;
	iso_status st;

	ISO_TRY(compress_gz(data, n, &packed, &size, err));
	st = iso_file_write_flags(path, packed, size, flags, err);
	iso_free(packed);
	return st;
}

iso_status iso_file_sha256(const char *path, char hex[65], iso_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), e = fd < 0 ? errno : 0;
	iso_sha256 s;
	uint8_t digest[32];
	struct stat st;
	char piece[65536];
	ssize_t got = 1;

	if (e || fstat(fd, &st) != 0)
		return iso_io_fail(err, "cannot open", path, e ? e : errno);
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return iso_fail(err, ISO_E_IO, "not a regular file (%s): give the path of a file",
				path);
	}
	iso_sha256_init(&s);
	while (got > 0) {
		got = read(fd, piece, sizeof(piece));
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			iso_sha256_add(&s, piece, (size_t)got);
	}
	e = got < 0 ? errno : 0;
	close(fd);
	ISO_TRY(iso_sha256_end(&s, digest, err));
	if (e)
		return iso_io_fail(err, "cannot read", path, e);
	iso_hex(digest, 32, hex);
	return ISO_OK;
}

static int make_dir(const char *path)
{
	struct stat st;

	if (mkdir(path, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return errno;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

iso_status iso_make_dirs(const char *path, iso_error *err)
{
	char part[PATH_MAX];
	size_t n = strlen(path);
	int e = 0;

	if (n == 0)
		return iso_io_fail(err, "cannot make directory", "", ENOENT);
	if (n >= sizeof(part))
		return iso_io_fail(err, "cannot make directory", path, ENAMETOOLONG);
	memcpy(part, path, n + 1);
	for (size_t i = 1; i <= n && !e; i++) {
		if (part[i] != '/' && part[i] != 0)
			continue;
		part[i] = 0;
		e = make_dir(part);
		part[i] = path[i];
	}
	return e ? iso_io_fail(err, "cannot make directory", path, e) : ISO_OK;
}

int iso_file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n >= m && strcmp(name + n - m, suffix) == 0;
}

iso_status iso_list_dir(const char *path, const char *suffix, char ***names, size_t *n,
			iso_error *err)
{
	DIR *d = opendir(path);
	char **list = NULL;
	size_t count = 0, cap = 0;
	iso_status st = ISO_OK;
	struct dirent *entry;

	*names = NULL;
	*n = 0;
	if (!d)
		return iso_io_fail(err, "cannot list directory", path, errno);
	while (st == ISO_OK && (errno = 0, entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.' || !ends_with(entry->d_name, suffix))
			continue;
		st = iso_grow(&list, &cap, count + 1, sizeof(*list), err);
		if (st != ISO_OK)
			break;
		list[count] = iso_strdup(entry->d_name);
		if (list[count])
			count++;
		else
			st = iso_no_memory(err, "a list of files");
	}
	if (st == ISO_OK && errno)
		st = iso_io_fail(err, "cannot list directory", path, errno);
	closedir(d);
	if (st != ISO_OK) {
		for (size_t i = 0; i < count; i++)
			iso_free(list[i]);
		iso_free(list);
		return st;
	}
	if (count)
		qsort(list, count, sizeof(*list), compare_names);
	*names = list;
	*n = count;
	return ISO_OK;
}

iso_status iso_stdout_write(const char *text, size_t n, iso_error *err)
{
	int e = fflush(stdout) == 0 ? write_all(STDOUT_FILENO, text, n) : errno;

	return e ? iso_io_fail(err, "cannot write", "standard output", e) : ISO_OK;
}
