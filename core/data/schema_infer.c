// SPDX-License-Identifier: Apache-2.0
/* A draft of a schema from a CSV.  It reads private rows, so every bound and list in it is marked
 * learned; the user is to replace them by public ones. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/alloc.h"
#include "core/data/schema.h"
#include "core/io/csv.h"

#define MAX_DISTINCT 256 /* a text column with more values than this is taken for an identifier */
#define MAX_CLASSES \
	32 /* a column called "label" with at most as many whole values is categorical */

typedef struct guess {
	char *name;
	char **value; /* distinct non-missing texts, in order of appearance */
	size_t nvalue, cap;
	int many;      /* more than MAX_DISTINCT */
	char *code[8]; /* missing codes met */
	size_t ncode;
	int numeric, whole; /* all non-missing values are numbers; whole numbers */
	int increasing;	    /* each number above the one before: an identifier? */
	int decimals;
	double lo, hi, last;
	size_t count; /* non-missing values */
} guess;

typedef struct infer {
	guess *g;
	size_t n, rows;
	const char *path;
} infer;

static const char *const missing_codes[] = {"", "?", "NA", "N/A", "NaN", "nan", "null", "NULL"};
static const char *const label_names[] = {"label",   "class",	  "target", "y",
					  "outcome", "diagnosis", "income", "survived"};

static int listed(const char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(list[i], text) == 0)
			return 1;
	return 0;
}

static iso_status note_missing(guess *g, const char *text, iso_error *err)
{
	for (size_t i = 0; i < g->ncode; i++)
		if (strcmp(g->code[i], text) == 0)
			return ISO_OK;
	if (g->ncode == ISO_COUNT(g->code))
		return ISO_OK;
	g->code[g->ncode] = iso_strdup(text);
	return g->code[g->ncode++] ? ISO_OK : iso_no_memory(err, "a schema draft");
}

static iso_status note_value(guess *g, const char *text, iso_error *err)
{
	if (g->many)
		return ISO_OK;
	for (size_t i = g->nvalue; i-- > 0;)
		if (strcmp(g->value[i], text) == 0)
			return ISO_OK;
	if (g->nvalue == MAX_DISTINCT) {
		g->many = 1;
		return ISO_OK;
	}
	ISO_TRY(iso_grow(&g->value, &g->cap, g->nvalue + 1, sizeof(*g->value), err));
	g->value[g->nvalue] = iso_strdup(text);
	return g->value[g->nvalue++] ? ISO_OK : iso_no_memory(err, "a schema draft");
}

static void note_number(guess *g, const char *text)
{
	const char *dot = strchr(text, '.');
	char *end = NULL;
	double x = strtod(text, &end);

	if (text[strspn(text, "0123456789+-.eE")] || *end || !isfinite(x)) {
		g->numeric = 0;
		return;
	}
	g->increasing &= g->count == 0 || x > g->last;
	g->last = x;
	g->whole &= x == floor(x) && fabs(x) < 9e15;
	g->lo = g->count == 0 || x < g->lo ? x : g->lo;
	g->hi = g->count == 0 || x > g->hi ? x : g->hi;
	if (dot && (int)strspn(dot + 1, "0123456789") > g->decimals)
		g->decimals = (int)strspn(dot + 1, "0123456789");
	if (strpbrk(text, "eE"))
		g->decimals = 99; /* no fixed grain */
}

static iso_status on_row(void *ctx, size_t row, size_t line, char **field, size_t nfield,
			 iso_error *err)
{
	infer *f = ctx;

	if (row == 0) {
		f->g = iso_alloc(nfield, sizeof(*f->g));
		if (!f->g)
			return iso_no_memory(err, "a schema draft");
		f->n = nfield;
		for (size_t i = 0; i < nfield; i++) {
			f->g[i] = (guess){.numeric = 1,
					  .whole = 1,
					  .increasing = 1,
					  .name = iso_strdup(field[i])};
			if (!f->g[i].name)
				return iso_no_memory(err, "a schema draft");
			if (!*field[i])
				return iso_fail(err, ISO_E_DATA,
						"empty column name (%s:%zu:%zu): the header needs "
						"a name for every "
						"column; name it",
						f->path, line, i + 1);
		}
		return ISO_OK;
	}
	f->rows++;
	for (size_t i = 0; i < nfield; i++) {
		guess *g = &f->g[i];

		if (listed(missing_codes, ISO_COUNT(missing_codes), field[i])) {
			ISO_TRY(note_missing(g, field[i], err));
			continue;
		}
		if (g->numeric)
			note_number(g, field[i]);
		g->count++;
		ISO_TRY(note_value(g, field[i], err));
	}
	return ISO_OK;
}

static void free_guesses(infer *f)
{
	for (size_t i = 0; i < f->n; i++) {
		for (size_t k = 0; k < f->g[i].nvalue; k++)
			iso_free(f->g[i].value[k]);
		for (size_t k = 0; k < f->g[i].ncode; k++)
			iso_free(f->g[i].code[k]);
		iso_free(f->g[i].value);
		iso_free(f->g[i].name);
	}
	iso_free(f->g);
}

/* Numbers by value, then texts by byte. */
static int compare_values(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	char *end_x, *end_y;
	double u = strtod(x, &end_x), v = strtod(y, &end_y);

	if (*x && *y && !*end_x && !*end_y && u != v)
		return u < v ? -1 : 1;
	return strcmp(x, y);
}

static int looks_like_id(const guess *g)
{
	size_t n = strlen(g->name);
	int named = strcasecmp(g->name, "id") == 0 ||
		    (n > 2 && strcasecmp(g->name + n - 2, "id") == 0 &&
		     (g->name[n - 3] == '_' || g->name[n - 3] == '-' || g->name[n - 3] == ' ' ||
		      g->name[n - 1] == 'D'));

	return g->numeric ? named && g->whole && g->increasing : g->many;
}

static const char *guess_type(const guess *g, int label)
{
	if (g->nvalue == 2 && !g->many && (!g->numeric || (g->whole && g->hi - g->lo <= 2)))
		return "binary";
	if (!g->numeric || (label && g->whole && !g->many && g->nvalue <= MAX_CLASSES))
		return "categorical";
	if (strncasecmp(g->name, "lat", 3) == 0 && g->lo >= -90 && g->hi <= 90 && !g->whole)
		return "latitude";
	if (strncasecmp(g->name, "lon", 3) == 0 && g->lo >= -180 && g->hi <= 180 && !g->whole)
		return "longitude";
	return g->whole ? "integer" : "continuous";
}

static int put_list(cJSON *v, const char *key, char *const *text, size_t n)
{
	cJSON *list = cJSON_AddArrayToObject(v, key);

	for (size_t i = 0; list && i < n; i++) {
		cJSON *item = cJSON_CreateString(text[i]);

		if (!item || !cJSON_AddItemToArray(list, item)) {
			cJSON_Delete(item);
			return 0;
		}
	}
	return list != NULL;
}

static int put_bounds(cJSON *v, const guess *g)
{
	double pair[2] = {g->count ? g->lo : 0, g->count ? g->hi : 1};
	cJSON *list;

	if (!(pair[0] < pair[1])) /* a constant still needs a range */
		pair[1] = pair[0] + fmax(1, fabs(pair[0]) * 1e-6);
	list = cJSON_CreateDoubleArray(pair, 2);
	if (!list || !cJSON_AddItemToObject(v, "bounds", list)) {
		cJSON_Delete(list);
		return 0;
	}
	return g->whole || g->decimals > 15 ||
	       cJSON_AddNumberToObject(v, "decimals", g->decimals) != NULL;
}

static int describe_guess(cJSON *v, guess *g, int label)
{
	const char *type = guess_type(g, label);
	int discrete = type[0] == 'b' || strcmp(type, "categorical") == 0;
	int good = cJSON_AddStringToObject(v, "name", g->name) != NULL;

	if (!good || looks_like_id(g) || (discrete && g->nvalue == 0))
		return good && cJSON_AddStringToObject(v, "role", "id") != NULL;
	good = cJSON_AddStringToObject(v, "type", type) &&
	       cJSON_AddStringToObject(v, "role", label ? "label" : "feature");
	if (good && discrete) {
		qsort(g->value, g->nvalue, sizeof(*g->value), compare_values);
		good = put_list(v, "categories", g->value, g->nvalue);
	} else if (good) {
		good = put_bounds(v, g);
	}
	if (good && g->ncode)
		good = put_list(v, "missing", g->code, g->ncode);
	return good && cJSON_AddTrueToObject(v, "learned") != NULL;
}

/* The last column of a usual name of labels that has few values; (size_t)-1 if none. */
static size_t find_label(const infer *f)
{
	for (size_t i = f->n; i-- > 0;) {
		const guess *g = &f->g[i];

		if (listed(label_names, ISO_COUNT(label_names), g->name) && !g->many &&
		    g->nvalue >= 2 && g->nvalue <= MAX_CLASSES && (!g->numeric || g->whole))
			return i;
	}
	return (size_t)-1;
}

static iso_status draft(const infer *f, iso_schema **out, iso_error *err)
{
	const char *base = strrchr(f->path, '/');
	size_t label = find_label(f);
	cJSON *v = cJSON_CreateObject(), *list = NULL;
	char name[128];
	iso_status st;
	int good;

	snprintf(name, sizeof(name), "%.120s", base ? base + 1 : f->path);
	name[strcspn(name, ".")] = 0;
	good = v && cJSON_AddStringToObject(v, "name", *name ? name : "data") &&
	       (list = cJSON_AddArrayToObject(v, "columns")) != NULL;
	for (size_t i = 0; good && i < f->n; i++) {
		cJSON *c = cJSON_CreateObject();

		good = c && cJSON_AddItemToArray(list, c);
		if (!good)
			cJSON_Delete(c);
		else
			good = describe_guess(c, &f->g[i], i == label);
	}
	st = good ? iso_schema_from_json(v, f->path, out, err)
		  : iso_no_memory(err, "a schema draft");
	cJSON_Delete(v);
	return st;
}

iso_status iso_schema_infer(const char *csv_path, iso_schema **out, iso_error *err)
{
	infer f = {.path = strcmp(csv_path, "-") == 0 ? "standard input" : csv_path};
	iso_status st;

	*out = NULL;
	st = iso_csv_read(csv_path, on_row, &f, err);
	if (st == ISO_OK && f.rows == 0)
		st = iso_fail(err, ISO_E_DATA,
			      "nothing to infer from (%s:1:1): the file has a header and no rows; "
			      "add rows",
			      f.path);
	if (st == ISO_OK)
		st = draft(&f, out, err);
	free_guesses(&f);
	return st;
}
