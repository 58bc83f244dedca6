// SPDX-License-Identifier: Apache-2.0
/* From what a scan saw to a draft of a schema, with a note for every guess. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/alloc.h"
#include "core/data/infer.h"

static const char *const label_names[] = {"label",   "class",	  "target", "y",
					  "outcome", "diagnosis", "income", "survived"};
/* tokens that stand for missing among numbers, and are too common as words elsewhere */
static const char *const weak_codes[] = {".", "-", "--", "None", "missing", "unknown", "*", "n/a"};

static int listed(const char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(list[i], text) == 0)
			return 1;
	return 0;
}

int iso_names_label(const char *name)
{
	return listed(label_names, ISO_COUNT(label_names), name);
}

typedef enum shape { DROPPED, NUMBER, DATE, WORDS } shape;

typedef struct decision {
	shape shape;
	int date_format;
	int token; /* the odd text of the column means missing */
} decision;

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

/* ------------------------------------------------------------------ what a column is */

static int named_as_id(const char *name)
{
	const size_t n = strlen(name);

	return strcasecmp(name, "id") == 0 || strcasecmp(name, "row_names") == 0 ||
	       strcasecmp(name, "rownames") == 0 || strcasecmp(name, "index") == 0 ||
	       strncasecmp(name, "Unnamed: 0", 10) == 0 ||
	       (n > 2 && strcasecmp(name + n - 2, "id") == 0 &&
		(name[n - 3] == '_' || name[n - 3] == '-' || name[n - 3] == ' ' ||
		 name[n - 1] == 'D'));
}

static int date_format_of(const iso_guess *g)
{
	for (int k = 0; k < ISO_DATE_FORMATS; k++)
		if (g->count > 0 && g->dates[k] == g->count && g->first_date[k] < g->last_date[k])
			return k;
	return -1;
}

/* One token among at least nine times as many numbers, or a usual one among half. */
static int is_token(const iso_guess *g)
{
	return g->text.text && !g->text.several && g->nvalue > 3 &&
	       (g->numbers >= 9 * g->text.count ||
		(g->numbers >= g->text.count &&
		 listed(weak_codes, ISO_COUNT(weak_codes), g->text.text)));
}

/* A text of its own in every row of a table that is not tiny: a name, a key. */
static int all_distinct(const iso_guess *g)
{
	return g->count >= 20 && g->nvalue == g->count && !g->exact.text;
}

static decision decide(const iso_guess *g, int label)
{
	decision d = {.date_format = date_format_of(g), .token = is_token(g)};
	const int numeric = g->numbers == g->count || d.token;

	if (g->count == 0)
		d.shape = DROPPED;
	else if (strcmp(g->name, "row_names") == 0 ||
		 (!label && numeric && named_as_id(g->name) && g->whole && g->increasing))
		d.shape = DROPPED;
	else if (d.date_format >= 0)
		d.shape = DATE;
	else if (numeric && !g->exact.text && g->lo < g->hi)
		d.shape = NUMBER;
	else
		d.shape = g->many || all_distinct(g) || g->time.count == g->count ? DROPPED : WORDS;
	if (d.shape != NUMBER)
		d.token = 0;
	/* two whole neighbours, or the few values of a label, are classes */
	if (d.shape == NUMBER && !d.token && !g->many && g->whole &&
	    ((g->nvalue == 2 && g->hi - g->lo <= 2) || (label && g->nvalue <= ISO_INFER_CLASSES)))
		d.shape = WORDS;
	return d;
}

/* ------------------------------------------------------------------ notes */

static void note_column(const iso_scan *f, const iso_guess *g, const decision *d, iso_str *out)
{
	if (g->count == 0)
		iso_str_addf(out, "column %s has no value: dropped (role id)\n", g->name);
	else if (g->exact.text)
		iso_str_addf(out, "column %s, line %zu: %.40s is not kept by a number (%s): %s\n",
			     g->name, g->exact.line, g->exact.text,
			     g->exact.text[strspn(g->exact.text, "+-")] == '0' ? "leading zero"
									       : "above 2^53",
			     d->shape == DROPPED ? "taken for an identifier and dropped"
						 : "read as text, category by category");
	else if (d->shape == DROPPED && g->numbers == g->count)
		iso_str_addf(out, "column %s counts up: taken for an identifier and dropped\n",
			     g->name);
	else if (d->shape == DROPPED && g->time.count == g->count)
		iso_str_addf(out,
			     "column %s has dates with times (%.40s): dropped; write the date "
			     "alone, or the time as a number, to keep it\n",
			     g->name, g->time.text);
	else if (d->shape == DROPPED && !g->many)
		iso_str_addf(out,
			     "column %s has a text of its own in every row: taken for an "
			     "identifier and dropped\n",
			     g->name);
	else if (d->shape == DROPPED)
		iso_str_addf(out,
			     "column %s has more than %d different texts: taken for an identifier "
			     "and dropped\n",
			     g->name, ISO_INFER_DISTINCT);
	if (d->token)
		iso_str_addf(
			out,
			"column %s: %zu of %zu values are numbers, line %zu is \"%.40s\": taken "
			"for missing\n",
			g->name, g->numbers, g->count, g->text.line, g->text.text);
	else if (g->text.text && g->numbers > 0 && 2 * g->numbers >= g->count)
		iso_str_addf(
			out,
			"column %s: %zu of %zu values are numbers, line %zu is \"%.40s\": read as "
			"text; if that means missing, give --missing\n",
			g->name, g->numbers, g->count, g->text.line, g->text.text);
	if (d->shape == WORDS && g->nvalue == 1)
		iso_str_addf(out, "column %s is constant (%.40s): one category\n", g->name,
			     g->value[0]);
	if (d->shape == DATE && d->date_format == ISO_DATE_DMY_SLASH &&
	    g->dates[ISO_DATE_MDY_SLASH] == g->count)
		iso_str_addf(
			out,
			"column %s could be DD/MM/YYYY or MM/DD/YYYY: read as the first; change "
			"its \"format\" and bounds if that is wrong\n",
			g->name);
	(void)f;
}

/* -999 among numbers of another size would become a bound. */
static void note_sentinel(const iso_guess *g, iso_str *out)
{
	static const double code[] = {-1, -9, -99, -999, -9999, -99999, 99, 999, 9999, 99999};

	for (size_t i = 0; i < ISO_COUNT(code); i++) {
		const int low = g->lo == code[i] && g->lo2 - g->lo > g->hi - g->lo2 && code[i] < 0;
		const int high = g->hi == code[i] && g->hi - g->hi2 > g->hi2 - g->lo && code[i] > 0;

		if ((low || high) && g->nvalue > 3)
			iso_str_addf(
				out,
				"column %s, line %zu: %g lies far from the other values (%g to "
				"%g) and is a bound now; if it means missing, give --missing=%g\n",
				g->name, low ? g->lo_line : g->hi_line, code[i],
				low ? g->lo2 : g->lo, low ? g->hi : g->hi2, code[i]);
	}
}

static void note_format(const iso_scan *f, iso_str *out)
{
	if (f->csv.separator && !f->options->csv.separator)
		iso_str_addf(out, "fields are separated by %s\n",
			     f->csv.separator == ';'	? "semicolons"
			     : f->csv.separator == '\t' ? "tabs"
							: "|");
	if (f->csv.decimal && !f->options->csv.decimal)
		iso_str_add(out, "numbers have decimal commas\n");
	if (f->csv.comment)
		iso_str_addf(out, "lines that begin with %c are comments\n", f->csv.comment);
	if (f->csv.row_names)
		iso_str_add(out, "the header lacks a name for the first column: row_names\n");
	if (f->csv.trim)
		iso_str_add(out, "spaces around fields are left out\n");
}

/* ------------------------------------------------------------------ JSON */

static int put_list(cJSON *v, const char *key, char *const *text, size_t n)
{
	cJSON *list = cJSON_CreateStringArray((const char *const *)text, (int)n);

	if (list && cJSON_AddItemToObject(v, key, list))
		return 1;
	cJSON_Delete(list);
	return 0;
}

static int put_dates(cJSON *v, const iso_guess *g, int format)
{
	char lo[16], hi[16];
	char *pair[2] = {lo, hi};

	iso_date_text(g->first_date[format], (iso_date_format)format, lo);
	iso_date_text(g->last_date[format], (iso_date_format)format, hi);
	return cJSON_AddStringToObject(v, "format", iso_date_names[format]) &&
	       put_list(v, "bounds", pair, 2);
}

static int put_bounds(cJSON *v, const iso_guess *g)
{
	cJSON *list = cJSON_CreateDoubleArray((double[]){g->lo, g->hi}, 2);

	if (!list || !cJSON_AddItemToObject(v, "bounds", list)) {
		cJSON_Delete(list);
		return 0;
	}
	return g->whole || g->decimals > 15 ||
	       cJSON_AddNumberToObject(v, "decimals", g->decimals) != NULL;
}

static const char *number_type(const iso_guess *g)
{
	if (strncasecmp(g->name, "lat", 3) == 0 && g->lo >= -90 && g->hi <= 90 && !g->whole)
		return "latitude";
	if (strncasecmp(g->name, "lon", 3) == 0 && g->lo >= -180 && g->hi <= 180 && !g->whole)
		return "longitude";
	return g->whole ? "integer" : "continuous";
}

static int put_column(cJSON *v, iso_guess *g, const decision *d, int label)
{
	int good = cJSON_AddStringToObject(v, "name", g->name) != NULL;

	if (d->shape == DROPPED)
		return good && cJSON_AddStringToObject(v, "role", "id") != NULL;
	good = good &&
	       cJSON_AddStringToObject(v, "type",
				       d->shape == DATE	    ? "date"
				       : d->shape == NUMBER ? number_type(g)
				       : g->nvalue == 2	    ? "binary"
							    : "categorical") &&
	       cJSON_AddStringToObject(v, "role", label ? "label" : "feature");
	if (good && d->shape == WORDS) {
		qsort(g->value, g->nvalue, sizeof(*g->value), compare_values);
		good = put_list(v, "categories", g->value, g->nvalue);
	} else if (good) {
		good = d->shape == DATE ? put_dates(v, g, d->date_format) : put_bounds(v, g);
	}
	if (good && d->token && g->ncode < ISO_COUNT(g->code)) {
		g->code[g->ncode] = iso_strdup(g->text.text);
		good = g->code[g->ncode++] != NULL;
	}
	if (good && g->ncode)
		good = put_list(v, "missing", g->code, g->ncode);
	return good && cJSON_AddTrueToObject(v, "learned") != NULL;
}

/* ------------------------------------------------------------------ the whole */

/* The last column of a usual name of labels that has few values; (size_t)-1 if none. */
static iso_status find_label(const iso_scan *f, size_t *out, iso_str *notes, iso_error *err)
{
	const char **names = iso_alloc(f->n, sizeof(*names)), *near;

	*out = (size_t)-1;
	if (!names)
		return iso_no_memory(err, "a schema draft");
	for (size_t i = f->n; i-- > 0;) {
		const iso_guess *g = &f->g[i];

		names[i] = g->name;
		if (f->options->label
			    ? strcmp(g->name, f->options->label) == 0
			    : *out == (size_t)-1 && iso_names_label(g->name) && !g->many &&
				      g->nvalue >= 2 && g->nvalue <= ISO_INFER_CLASSES &&
				      (g->numbers < g->count || g->whole))
			*out = i;
	}
	near = f->options->label ? iso_nearest_word(f->options->label, names, f->n) : NULL;
	iso_free(names);
	ISO_FAIL_IF(f->options->label && *out == (size_t)-1, err, ISO_E_CONFIG,
		    "unknown label (%s): no column is called \"%.80s\"%s%.80s%s", f->path,
		    f->options->label, near ? "; did you mean \"" : "", near ? near : "",
		    near ? "\"?" : "");
	if (*out == (size_t)-1)
		iso_str_add(notes, "no label was recognised; name one with --label COLUMN\n");
	else if (!f->options->label)
		iso_str_addf(notes, "the label is %s, by its name\n", f->g[*out].name);
	return ISO_OK;
}

static int is_all(const iso_guess *g, const iso_odd *o)
{
	return o->count > 0 && o->count + g->numbers == g->count;
}

static iso_status refuse_units(const iso_scan *f, const iso_guess *g, iso_error *err)
{
	const iso_odd *o = is_all(g, &g->money)	      ? &g->money
			   : is_all(g, &g->percent)   ? &g->percent
			   : is_all(g, &g->thousands) ? &g->thousands
						      : NULL;

	ISO_FAIL_IF(o && o == &g->thousands, err, ISO_E_DATA,
		    "number in groups (%s, column %s, line %zu): \"%.40s\" has separators of "
		    "thousands; write plain numbers, without them",
		    f->path, g->name, o->line, o->text);
	ISO_FAIL_IF(o, err, ISO_E_DATA,
		    "number with a unit (%s, column %s, line %zu): \"%.40s\" is %s; write plain "
		    "numbers, without the sign%s",
		    f->path, g->name, o->line, o->text,
		    o == &g->money ? "an amount of money" : "a percentage",
		    o == &g->money ? " and separators of thousands" : "");
	return ISO_OK;
}

static iso_status put_columns(iso_scan *f, cJSON *list, iso_str *notes, iso_error *err)
{
	size_t label;

	ISO_TRY(find_label(f, &label, notes, err));
	for (size_t i = 0; i < f->n; i++) {
		iso_guess *g = &f->g[i];
		decision d = decide(g, i == label);
		cJSON *c = cJSON_CreateObject();

		if (!c || !cJSON_AddItemToArray(list, c)) {
			cJSON_Delete(c);
			return iso_no_memory(err, "a schema draft");
		}
		ISO_TRY(refuse_units(f, g, err));
		ISO_FAIL_IF(i == label && d.shape == DROPPED, err, ISO_E_DATA,
			    "label without use (%s): column %s has %s; choose another --label",
			    f->path, g->name,
			    g->count ? "too many different texts for classes" : "no value");
		note_column(f, g, &d, notes);
		if (d.shape == NUMBER)
			note_sentinel(g, notes);
		if (!put_column(c, g, &d, i == label))
			return iso_no_memory(err, "a schema draft");
	}
	return ISO_OK;
}

iso_status iso_draft_schema(iso_scan *f, iso_schema **out, iso_str *notes, iso_error *err)
{
	const char *base = strrchr(f->path, '/');
	cJSON *v = cJSON_CreateObject(), *list = NULL;
	iso_str unwanted = {0};
	char name[128];
	iso_status st = ISO_OK;

	if (!notes)
		notes = &unwanted;
	snprintf(name, sizeof(name), "%.120s", base ? base + 1 : f->path);
	name[strcspn(name, ".")] = 0;
	note_format(f, notes);
	if (!v || !cJSON_AddStringToObject(v, "name", *name ? name : "data") ||
	    !(list = cJSON_AddArrayToObject(v, "columns")))
		st = iso_no_memory(err, "a schema draft");
	if (st == ISO_OK)
		st = put_columns(f, list, notes, err);
	if (st == ISO_OK)
		st = iso_schema_from_json(v, f->path, out, err);
	if (st == ISO_OK)
		(*out)->csv = f->csv;
	cJSON_Delete(v);
	iso_str_free(&unwanted);
	return st;
}
