// SPDX-License-Identifier: Apache-2.0
/* Files: whole reads (plain or gzip), atomic writes (temporary file, fsync, rename). */
#ifndef ISO_IO_FILE_H
#define ISO_IO_FILE_H

#include <stddef.h>

#include "core/base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The whole file, gunzipped if it is gzip; "-" = standard input. Terminated by a zero byte not
 * counted in *n. limit: refuse more bytes (0 = 4 GiB). */
iso_status iso_file_read(const char *path, size_t limit, char **text, size_t *n,
			 iso_error *err) ISO_MUST_CHECK;
/* The same piece by piece, so that a file of any size takes 1 MiB: fn gets the content in order, in
 * pieces that end anywhere; its first failure ends the reading. */
typedef iso_status (*iso_piece_fn)(void *ctx, const char *piece, size_t n, iso_error *err);
iso_status iso_file_stream(const char *path, size_t limit, iso_piece_fn fn, void *ctx,
			   iso_error *err) ISO_MUST_CHECK;
/* All or nothing: on failure (full disk, no permission) the old file is untouched and no temporary
 * is left. */
iso_status iso_file_write_atomic(const char *path, const void *data, size_t n,
				 iso_error *err) ISO_MUST_CHECK;
/* The same with flags: ISO_WRITE_PRIVATE, readable by the owner only (the file holds private rows);
 * ISO_WRITE_UNSYNCED, not forced to the disk (a file that its reader checks and that can be made
 * again); ISO_WRITE_IN_PLACE, whatever is at the path (a link, a pipe) is replaced, not followed.
 */
enum { ISO_WRITE_PRIVATE = 1, ISO_WRITE_UNSYNCED = 2, ISO_WRITE_IN_PLACE = 4 };
iso_status iso_file_write_flags(const char *path, const void *data, size_t n, unsigned flags,
				iso_error *err) ISO_MUST_CHECK;
/* The same, gzip-compressed with a fixed header: equal input gives equal bytes. */
iso_status iso_file_write_gz(const char *path, const void *data, size_t n,
			     iso_error *err) ISO_MUST_CHECK;
iso_status iso_file_write_gz_flags(const char *path, const void *data, size_t n, unsigned flags,
				   iso_error *err) ISO_MUST_CHECK;
/* SHA-256 of a regular file's bytes as they lie on the disk, 64 hexadecimal digits.  Anything but a
 * regular file is ISO_E_IO, so that a pipe is never waited for. */
iso_status iso_file_sha256(const char *path, char hex[65], iso_error *err) ISO_MUST_CHECK;
/* mkdir -p. */
iso_status iso_make_dirs(const char *path, iso_error *err) ISO_MUST_CHECK;
int iso_file_exists(const char *path);
/* Names (not paths) in a directory that end in `suffix`, sorted; free each and the array with
 * iso_free. */
iso_status iso_list_dir(const char *path, const char *suffix, char ***names, size_t *n,
			iso_error *err) ISO_MUST_CHECK;
/* Write all to standard output, checked (a closed pipe or /dev/full is ISO_E_IO). */
iso_status iso_stdout_write(const char *text, size_t n, iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
