// SPDX-License-Identifier: Apache-2.0
/* Records on disk: DIR/cells/KEY.json.  index.c reads them all. */
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "core/base/log.h"
#include "core/io/file.h"
#include "results/record.h"

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

iso_status iso_record_path(const char *dir, const char *key, iso_str *out, iso_error *err)
{
	iso_str_addf(out, "%s/cells/%s.json", dir, key);
	return iso_str_check(out, err);
}

iso_status iso_record_write(const char *dir, const cJSON *record, iso_error *err)
{
	iso_str text = {0}, path = {0};
	iso_status st;

	ISO_TRY(iso_record_check(record, "record to be written", err));
	iso_str_addf(&path, "%s/cells", dir);
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_make_dirs(path.p, err));
	iso_str_free(&path);
	path = (iso_str){0};
	ISO_TRY_OUT(iso_record_path(dir, get(record, "key")->valuestring, &path, err));
	ISO_TRY_OUT(iso_record_text(record, &text, err));
	/* A link or a pipe at this place is replaced: a record is written to no other place. */
	ISO_TRY_OUT(iso_file_write_flags(path.p, text.p, text.n, ISO_WRITE_IN_PLACE, err));
out:
	iso_str_free(&text);
	iso_str_free(&path);
	return st;
}

/* Length of the line at p without its end. */
static size_t line_length(const char *p, const char *end)
{
	const char *eol = memchr(p, '\n', (size_t)(end - p));

	return (size_t)((eol ? eol : end) - p);
}

static int begins(const char *p, size_t n, const char *word)
{
	const size_t m = strlen(word);

	return n >= m && memcmp(p, word, m) == 0;
}

/* Empties, in place, what `parts` leaves out.  The digest was checked, so the text is laid
 * out as iso_record_text does it: arrays of numbers on one line, members of the root behind one
 * tab. */
static size_t lighten(char *text, size_t n, int parts)
{
	static const struct {
		const char *open, *close, *empty;
		int parts; /* left out at this level and above */
	} block[] = {{"\t\"ledger\": [", "\t]", "\t\"ledger\": []", ISO_RECORD_LIGHT},
		     {"\t\"curves\": {", "\t}", "\t\"curves\": {}", ISO_RECORD_LIGHT},
		     {"\t\"metrics\": [", "\t]", "\t\"metrics\": []", ISO_RECORD_HEAD},
		     {"\t\"attacks\": [", "\t]", "\t\"attacks\": []", ISO_RECORD_HEAD}};
	const char *end = text + n;
	char *to = text;

	for (const char *p = text; p < end;) {
		size_t len = line_length(p, end), tabs = 0, cut = 0;
		const char *next = p + len + 1, *tail = NULL, *words = NULL;

		while (tabs < len && p[tabs] == '\t')
			tabs++;
		if (begins(p + tabs, len - tabs, "\"scores\": [") ||
		    begins(p + tabs, len - tabs, "\"truth\": [") ||
		    begins(p + tabs, len - tabs, "\"points_")) {
			cut = (size_t)((const char *)memchr(p, '[', len) - p) + 1;
			tail = p[len - 1] == ',' ? "]," : "]";
		}
		for (size_t k = 0; k < ISO_COUNT(block) && !words; k++) {
			if (parts < block[k].parts || len != strlen(block[k].open) ||
			    !begins(p, len, block[k].open))
				continue;
			words = block[k].empty;
			do {
				p = next;
				len = p < end ? line_length(p, end) : 0;
				next = p + len + 1;
			} while (p < end && !begins(p, len, block[k].close));
			tail = len && p[len - 1] == ',' ? "," : "";
		}
		if (words)
			memcpy(to, words, strlen(words)), to += strlen(words);
		else
			memmove(to, p, cut ? cut : len), to += cut ? cut : len;
		if (tail)
			memcpy(to, tail, strlen(tail)), to += strlen(tail);
		*to++ = '\n';
		p = next;
	}
	return (size_t)(to - text) < n ? (size_t)(to - text) : n;
}

static iso_status read_text(const char *path, char **text, size_t *n, iso_error *err)
{
	struct stat st;

	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return iso_fail(err, ISO_E_DATA,
				"damaged record (%s): not a regular file; remove it", path);
	return iso_file_read(path, 0, text, n, err);
}

static iso_status parse_valid(const char *path, const char *key, int parts, cJSON **out,
			      iso_error *err)
{
	char *text = NULL;
	size_t n = 0;
	cJSON *v = NULL;
	iso_status st;

	ISO_TRY(read_text(path, &text, &n, err));
	st = iso_record_check_digest(text, n, path, err);
	if (st == ISO_OK && parts != ISO_RECORD_FULL)
		n = lighten(text, n, parts);
	if (st == ISO_OK)
		st = iso_json_parse(text, n, path, &v, err);
	iso_free(text);
	if (st == ISO_OK)
		st = iso_record_check(v, path, err);
	if (st == ISO_OK && strcmp(get(v, "key")->valuestring, key) != 0)
		st = iso_fail(err, ISO_E_DATA,
			      "damaged record (%s): its key is %s; run the cell again", path,
			      get(v, "key")->valuestring);
	if (st != ISO_OK) {
		cJSON_Delete(v);
		return st;
	}
	*out = v;
	return ISO_OK;
}

/* *out = NULL with a warning for a file that is no valid record; only memory and the like fail. */
static iso_status read_valid(const char *path, const char *key, int parts, cJSON **out,
			     iso_error *err)
{
	iso_error why = {0};
	iso_status st;

	*out = NULL;
	st = parse_valid(path, key, parts, out, &why);
	if (st == ISO_E_NOMEM)
		return iso_fail(err, st, "%s", why.text);
	if (st != ISO_OK)
		iso_warn("%s", why.text);
	return ISO_OK;
}

iso_status iso_record_read_parts(const char *dir, const char *key, int parts, cJSON **out,
				 iso_error *err)
{
	iso_str path = {0};
	struct stat at;
	iso_status st;

	*out = NULL;
	st = iso_record_path(dir, key, &path, err);
	if (st == ISO_OK && lstat(path.p, &at) == 0)
		st = read_valid(path.p, key, parts, out, err);
	iso_str_free(&path);
	return st;
}

iso_status iso_record_read(const char *dir, const char *key, cJSON **out, iso_error *err)
{
	return iso_record_read_parts(dir, key, ISO_RECORD_FULL, out, err);
}
