// SPDX-License-Identifier: Apache-2.0
/* Reading files, plain or gzip, whole or piece by piece. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/base/alloc.h"
#include "core/io/file.h"
#include "core/io/file_private.h"

#define DEFAULT_LIMIT ((size_t)4 << 30)
#define READ_CHUNK ((size_t)1 << 20)

/* A first guess of the uncompressed size: exact for plain files and for gzip files below 4 GiB (RFC
 * 1952, ISIZE).  It is only a hint from untrusted bytes, so it is held below deflate's greatest
 * expansion (1032:1). */
static size_t size_hint(int fd)
{
	struct stat st;
	uint8_t head[2], tail[4];
	size_t plain, isize;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return READ_CHUNK;
	plain = (size_t)st.st_size;
	if (plain < 18 || pread(fd, head, 2, 0) != 2 || head[0] != 0x1f || head[1] != 0x8b)
		return plain;
	if (pread(fd, tail, 4, st.st_size - 4) != 4)
		return plain;
	isize = (size_t)tail[0] | (size_t)tail[1] << 8 | (size_t)tail[2] << 16 |
		(size_t)tail[3] << 24;
	return isize / 1032 > plain ? plain : isize;
}

/* Repetitive text shrinks 1000 times and more; a table never does.  Beyond the first 64 MiB, gzip
 * content may be at most 200 times the file. */
#define INFLATE_FREE ((size_t)64 << 20)
#define INFLATE_RATIO 200
#define LINE_BYTES ((size_t)64 << 20) /* the longest line of inflated text */

/* Most bytes that may come out of the file: a bomb is refused after a bounded amount. */
static size_t inflated_limit(int fd, size_t limit)
{
	struct stat st;
	uint8_t head[2];
	size_t most;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    pread(fd, head, 2, 0) != 2 || head[0] != 0x1f || head[1] != 0x8b)
		return limit;
	most = (size_t)st.st_size < SIZE_MAX / INFLATE_RATIO - INFLATE_FREE
		       ? (size_t)st.st_size * INFLATE_RATIO + INFLATE_FREE
		       : limit;
	return most < limit ? most : limit;
}

static iso_status too_large(const char *path, size_t limit, int bomb, iso_error *err)
{
	if (bomb)
		return iso_fail(err, ISO_E_DATA,
				"suspicious gzip file (%s): it inflates to more than %d times its "
				"size; decompress it yourself if it is what you expect",
				path, INFLATE_RATIO);
	return iso_fail(err, ISO_E_DATA, "file too large (%s): more than %zu bytes; split it", path,
			limit);
}

/* A pipe or a device may never end, and cannot be read twice. */
static iso_status check_regular(int fd, const char *path, iso_error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return iso_io_fail(err, "cannot read", path, errno);
	ISO_FAIL_IF(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISCHR(st.st_mode) ||
			    S_ISBLK(st.st_mode),
		    err, ISO_E_IO,
		    "not a regular file (%s): it is a %s; copy its contents into a file, or give "
		    "them on standard input as \"-\"",
		    path,
		    S_ISFIFO(st.st_mode)   ? "named pipe"
		    : S_ISSOCK(st.st_mode) ? "socket"
					   : "device");
	return ISO_OK;
}

static size_t bytes_since_line_end(const char *p, size_t n, size_t before)
{
	for (size_t i = n; i-- > 0;)
		if (p[i] == '\n')
			return n - 1 - i;
	return before + n;
}

typedef struct source {
	gzFile f;
	const char *shown;
	size_t limit, most; /* bytes that may come out; most < limit: because it is a gzip file */
	size_t hint;
	size_t used, line; /* bytes that came; since the last line end */
	int first;	   /* the first byte, -1 before it came */
} source;

static iso_status open_source(const char *path, size_t limit, source *s, iso_error *err)
{
	const char *shown = strcmp(path, "-") == 0 ? "standard input" : path;
	int fd = shown != path ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	iso_status st;

	if (fd < 0)
		return iso_io_fail(err, "cannot open", shown, errno);
	st = shown == path ? check_regular(fd, path, err) : ISO_OK;
	if (st != ISO_OK) {
		close(fd);
		return st;
	}
	limit = limit ? limit : DEFAULT_LIMIT;
	*s = (source){.shown = shown,
		      .limit = limit,
		      .most = inflated_limit(fd, limit),
		      .hint = size_hint(fd),
		      .first = -1,
		      .f = gzdopen(fd, "rb")};
	if (!s->f) {
		close(fd);
		return iso_no_memory(err, "a file buffer");
	}
	gzbuffer(s->f, 1 << 17);
	return ISO_OK;
}

/* The next `want` bytes at most; *got = 0 at the end. */
static iso_status next_piece(source *s, char *p, size_t want, size_t *got, iso_error *err)
{
	int n, code = Z_OK;

	*got = 0;
	errno = 0;
	n = gzread(s->f, p, (unsigned)(want < READ_CHUNK ? want : READ_CHUNK));
	if (n < 0) {
		const char *why = gzerror(s->f, &code);

		if (code == Z_ERRNO)
			return iso_io_fail(err, "cannot read", s->shown, errno);
		return iso_fail(err, ISO_E_DATA, "damaged gzip file (%s): %s; fetch it again",
				s->shown, why);
	}
	if (n == 0)
		return ISO_OK;
	*got = (size_t)n;
	s->first = s->first < 0 ? (unsigned char)*p : s->first;
	s->line = bytes_since_line_end(p, *got, s->line);
	s->used += *got;
	ISO_FAIL_IF(s->most < s->limit && s->first && s->line > LINE_BYTES, err, ISO_E_DATA,
		    "suspicious gzip file (%s): a line of more than 64 MiB; decompress it yourself "
		    "if it is what you expect",
		    s->shown);
	return s->used > s->most ? too_large(s->shown, s->limit, s->most < s->limit, err) : ISO_OK;
}

static iso_status close_source(source *s, iso_status st, iso_error *err)
{
	const int closed = gzclose_r(s->f); /* Z_BUF_ERROR: the gzip stream ended early */

	if (st == ISO_OK && closed != Z_OK)
		return iso_fail(err, ISO_E_DATA,
				"truncated gzip file (%s): the stream ends early; fetch it again",
				s->shown);
	return st;
}

static iso_status read_all(source *s, char **text, size_t *n, iso_error *err)
{
	size_t cap = (s->hint < s->most ? s->hint : s->most) + 2, used = 0, got = 1;
	char *p = iso_alloc(cap, 1); /* two bytes more than needed: the last read then finds the
					end, and a terminator */
	iso_status st = p ? ISO_OK : iso_no_memory(err, "the contents of a file");

	while (st == ISO_OK && got > 0) {
		const size_t want = cap - used - 1;

		if (want == 0) {
			st = iso_grow(&p, &cap, cap + READ_CHUNK, 1, err);
			continue;
		}
		st = next_piece(s, p + used, want, &got, err);
		used += got;
	}
	*text = p;
	*n = used;
	if (st == ISO_OK)
		p[used] = 0;
	return st;
}

iso_status iso_file_read(const char *path, size_t limit, char **text, size_t *n, iso_error *err)
{
	source s;
	iso_status st;

	*text = NULL;
	*n = 0;
	ISO_TRY(open_source(path, limit, &s, err));
	st = close_source(&s, read_all(&s, text, n, err), err);
	if (st != ISO_OK) {
		iso_free(*text);
		*text = NULL;
		*n = 0;
	}
	return st;
}

iso_status iso_file_stream(const char *path, size_t limit, iso_piece_fn fn, void *ctx,
			   iso_error *err)
{
	char *piece = iso_alloc(READ_CHUNK, 1);
	size_t got = 1;
	source s;
	iso_status st;

	if (!piece)
		return iso_no_memory(err, "a piece of a file");
	st = open_source(path, limit, &s, err);
	if (st != ISO_OK) {
		iso_free(piece);
		return st;
	}
	while (st == ISO_OK && got > 0) {
		st = next_piece(&s, piece, READ_CHUNK, &got, err);
		if (st == ISO_OK && got > 0)
			st = fn(ctx, piece, got, err);
	}
	iso_free(piece);
	return close_source(&s, st, err);
}
