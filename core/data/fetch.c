// SPDX-License-Identifier: Apache-2.0
/* Downloads by the curl program: executed without a shell, https and http only, and nothing is kept
 * whose SHA-256 is not the pinned one. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/data/sources.h"
#include "core/io/csv.h"
#include "core/io/file.h"

/* One line without its end; every step works on this copy. */
static void reshape_line(unsigned how, const char *line, size_t n, const char *append, iso_str *out)
{
	int quoted = 0, blank = 1;

	while (n > 0 && (line[n - 1] == '\r' || ((how & ISO_SPLIT_SPACE) && line[n - 1] == ' ')))
		n--;
	if (n > 0 && (how & ISO_DROP_DOT) && line[n - 1] == '.')
		n--;
	for (size_t i = 0; i < n; i++)
		blank &= line[i] == ' ';
	if (blank)
		return;
	for (size_t i = 0; i < n; i++) {
		char c = line[i];

		quoted ^= c == '"';
		if (!quoted && (how & ISO_TRIM) && c == ' ' && (i == 0 || line[i - 1] == ','))
			continue;
		if (!quoted && (((how & ISO_SPLIT_SEMICOLON) && c == ';') ||
				((how & ISO_SPLIT_SPACE) && c == ' ')))
			c = ',';
		iso_str_addn(out, &c, 1);
	}
	iso_str_add(out, append ? append : "");
	iso_str_add(out, "\n");
}

static void reshape_part(unsigned how, const char *text, size_t n, int drop, const char *append,
			 iso_str *out)
{
	for (size_t at = 0, line = 0; at < n; line++) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t len = end ? (size_t)(end - text) - at : n - at;

		if (!(drop && line == 0))
			reshape_line(how, text + at, len, append, out);
		at += len + 1;
	}
}

iso_status iso_data_reshape(const iso_data_file *f, const iso_schema *schema,
			    const char *const text[2], const size_t n[2], iso_str *out,
			    iso_error *err)
{
	if (f->reshape == ISO_RAW) {
		iso_str_addn(out, text[0], n[0]);
		return iso_str_check(out, err);
	}
	if (f->reshape & ISO_ADD_HEADER)
		for (size_t c = 0; c < schema->ncol; c++)
			iso_csv_field(out, schema->column[c].name, c + 1 == schema->ncol);
	for (int i = 0; i < 2; i++) {
		int drop = (f->reshape & ISO_DROP_LINE_PARTS) ||
			   (i == 0 && (f->reshape & ISO_DROP_LINE));

		if (f->part[i].url)
			reshape_part(f->reshape, text[i], n[i], drop, f->part[i].append, out);
	}
	return iso_str_check(out, err);
}

/* Runs curl; its own words go to standard error. */
static iso_status run_curl(const char *url, const char *to, iso_error *err)
{
	pid_t child = fork();
	int status = 0;

	if (child < 0)
		return iso_fail(err, ISO_E_IO, "cannot start curl (%s): %s; close some programs",
				url, strerror(errno));
	if (child == 0) {
		execlp("curl", "curl", "--silent", "--show-error", "--fail", "--location",
		       "--proto", "=https,http", "--proto-redir", "=https,http",
		       "--connect-timeout", "20", "--max-filesize", "1000000000", "--output", to,
		       "--", url, (char *)NULL);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return iso_fail(err, ISO_E_IO, "cannot wait for curl (%s): %s; try again",
					url, strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return iso_fail(err, ISO_E_IO,
				"cannot download (%s): the program curl is not installed; install "
				"it (apt install "
				"curl) or fetch the file by hand",
				url);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return iso_fail(err, ISO_E_IO,
				"cannot download (%s): curl ended with status %d; check the "
				"network, or fetch the file "
				"by hand",
				url, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return ISO_OK;
}

static iso_status check_pin(const char *what, const char *text, size_t n, const char *pin,
			    iso_error *err)
{
	char hex[65];

	ISO_TRY(iso_data_digest(text, n, hex, err));
	if (strcmp(hex, pin) != 0)
		return iso_fail(err, ISO_E_DATA,
				"download differs from the pinned file (%s): SHA-256 %s, expected "
				"%s; nothing was "
				"kept, upstream may have changed",
				what, hex, pin);
	return ISO_OK;
}

static iso_status download(const iso_upstream *part, const char *home, char **text, size_t *n,
			   iso_error *err)
{
	char temporary[PATH_MAX + 32];
	iso_status st;
	int fd;

	snprintf(temporary, sizeof(temporary), "%s/.download-XXXXXX", home);
	fd = mkstemp(temporary);
	ISO_FAIL_IF(fd < 0, err, ISO_E_IO,
		    "cannot write (%s): %s; check the directory or set ISOEPS_DATA", home,
		    strerror(errno));
	close(fd);
	st = run_curl(part->url, temporary, err);
	if (st == ISO_OK)
		st = iso_file_read(temporary, 0, text, n, err);
	unlink(temporary);
	if (st == ISO_OK && part->sha256) {
		st = check_pin(part->url, *text, *n, part->sha256, err);
		if (st != ISO_OK) {
			iso_free(*text);
			*text = NULL;
		}
	}
	return st;
}

static iso_status store(const iso_data_file *f, const char *home, const iso_str *content,
			iso_error *err)
{
	char path[2 * PATH_MAX], *slash;

	snprintf(path, sizeof(path), "%s/%s", home, f->path);
	slash = strrchr(path, '/');
	*slash = 0;
	ISO_TRY(iso_make_dirs(path, err));
	*slash = '/';
	return iso_file_write_gz(path, content->p ? content->p : "", content->n, err);
}

static iso_status fetch_file(const iso_data_source *s, const iso_data_file *f, const char *home,
			     iso_error *err)
{
	char *text[2] = {NULL, NULL};
	size_t n[2] = {0, 0};
	iso_schema *schema = NULL;
	iso_str out = {0};
	iso_status st;

	if (!f->part[0].url)
		return iso_fail(err, ISO_E_UNSUPPORTED,
				"cannot fetch (%s): upstream (%s) publishes another format; %s, "
				"and put it as %s "
				"into a directory named by ISOEPS_DATA",
				s->info.name, s->upstream, s->manual ? s->manual : "convert it",
				f->path);
	st = iso_data_schema(s, &schema, err);
	for (int i = 0; i < 2 && st == ISO_OK; i++)
		if (f->part[i].url)
			st = download(&f->part[i], home, &text[i], &n[i], err);
	if (st == ISO_OK)
		st = iso_data_reshape(f, schema, (const char *const *)text, n, &out, err);
	if (st == ISO_OK)
		st = check_pin(f->path, out.p ? out.p : "", out.n, f->sha256, err);
	if (st == ISO_OK)
		st = store(f, home, &out, err);
	iso_free(text[0]);
	iso_free(text[1]);
	iso_schema_free(schema);
	iso_str_free(&out);
	return st;
}

iso_status iso_data_fetch(const iso_data_source *s, size_t *fetched, iso_error *err)
{
	const iso_data_file *files[4] = {&s->table[0], &s->table[1], &s->test[0], &s->test[1]};
	char home[PATH_MAX], path[2 * PATH_MAX];

	*fetched = 0;
	ISO_TRY(iso_data_home(home, sizeof(home), err));
	for (int i = 0; i < 4; i++) {
		if (!files[i]->path)
			continue;
		iso_data_file_find(files[i], path, sizeof(path));
		if (*path)
			continue;
		ISO_TRY(iso_make_dirs(home, err));
		ISO_TRY(fetch_file(s, files[i], home, err));
		*fetched += 1;
	}
	return ISO_OK;
}
