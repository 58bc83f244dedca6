// SPDX-License-Identifier: Apache-2.0
#include "core/data/schema_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

#define MAX_COLUMNS 65536
#define MAX_PIXELS ((size_t)1 << 24)

static void free_words(char **words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		iso_free(words[i]);
	iso_free(words);
}

void iso_schema_free(iso_schema *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->ncol; i++) {
		iso_free(s->column[i].name);
		free_words(s->column[i].category, s->column[i].ncategory);
		free_words(s->column[i].missing, s->column[i].nmissing);
	}
	for (size_t i = 0; i < s->nsequence; i++) {
		iso_free(s->sequence[i].name);
		free_words(s->sequence[i].variable,
			   s->sequence[i].variable ? s->sequence[i].variables : 0);
	}
	iso_free(s->sequence);
	iso_free(s->column);
	iso_free(s->name);
	iso_free(s->title);
	iso_free(s);
}

static iso_status copy_text(const char *text, char **out, iso_error *err)
{
	*out = iso_strdup(text);
	return *out ? ISO_OK : iso_no_memory(err, "a schema");
}

static int word_index(const char *const *words, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], text) == 0)
			return (int)i;
	return -1;
}

static iso_status read_word(const cJSON *v, const char *key, const char *const *words, size_t n,
			    int required, int *index, const char *where, iso_error *err)
{
	const char *text = NULL, *near;

	ISO_TRY(iso_json_get_string(v, key, required, &text, where, err));
	if (!text)
		return ISO_OK;
	*index = word_index(words, n, text);
	if (*index >= 0)
		return ISO_OK;
	near = iso_nearest_word(text, words, n);
	return iso_fail(err, ISO_E_CONFIG, "unknown %s (%s): \"%.80s\"; %s\"%s\"", key, where, text,
			near ? "did you mean " : "one of them is ", near ? near : words[0]);
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static iso_status reject_twins(char *const *words, size_t n, const char *key, const char *where,
			       iso_error *err)
{
	char **sorted = iso_alloc(n, sizeof(*sorted));
	iso_status st = ISO_OK;

	if (!sorted)
		return iso_no_memory(err, "a schema");
	if (n)
		memcpy(sorted, words, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_words);
	for (size_t i = 1; i < n && st == ISO_OK; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			st = iso_fail(err, ISO_E_CONFIG,
				      "duplicate entry (%s): \"%s\" is in \"%s\" twice; remove one",
				      where, sorted[i], key);
	iso_free(sorted);
	return st;
}

/* Numbers are taken as their shortest text, so that [0, 1] and ["0", "1"] name the same categories.
 */
static iso_status read_words(const cJSON *obj, const char *key, char ***out, size_t *n,
			     const char *where, iso_error *err)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(obj, key);
	size_t count = v ? (size_t)cJSON_GetArraySize(v) : 0;

	if (!v)
		return ISO_OK;
	if (!cJSON_IsArray(v))
		return iso_fail(err, ISO_E_CONFIG,
				"wrong type (%s): \"%s\" must be a list of texts; correct it",
				where, key);
	*out = iso_alloc(count, sizeof(**out));
	if (!*out)
		return iso_no_memory(err, "a schema");
	for (const cJSON *c = v->child; c; c = c->next) {
		char number[32];

		if (cJSON_IsNumber(c))
			iso_json_number_text(c->valuedouble, number);
		else if (!cJSON_IsString(c))
			return iso_fail(
				err, ISO_E_CONFIG,
				"wrong type (%s): \"%s\" must be a list of texts; correct it",
				where, key);
		ISO_TRY(copy_text(cJSON_IsNumber(c) ? number : c->valuestring, &(*out)[*n], err));
		*n += 1;
	}
	return reject_twins(*out, *n, key, where, err);
}

static iso_status read_bounds(const cJSON *v, iso_column *c, int required, const char *where,
			      iso_error *err)
{
	const cJSON *b = cJSON_GetObjectItemCaseSensitive(v, "bounds");
	const cJSON *lo = cJSON_GetArrayItem(b, 0), *hi = cJSON_GetArrayItem(b, 1);

	if (!b && !required)
		return ISO_OK;
	if (!cJSON_IsArray(b) || cJSON_GetArraySize(b) != 2 || !cJSON_IsNumber(lo) ||
	    !cJSON_IsNumber(hi) || !(lo->valuedouble < hi->valuedouble) ||
	    !isfinite(hi->valuedouble - lo->valuedouble))
		return iso_fail(err, ISO_E_CONFIG,
				"wrong bounds (%s): a %s column needs \"bounds\": [low, high] with "
				"low < high, both finite; give "
				"public ones",
				where, iso_type_name(c->type));
	if (!(lo->valuedouble >= c->lo && hi->valuedouble <= c->hi))
		return iso_fail(err, ISO_E_CONFIG,
				"wrong bounds (%s): a %s lies in %g to %g; narrow them", where,
				iso_type_name(c->type), c->lo, c->hi);
	c->lo = lo->valuedouble;
	c->hi = hi->valuedouble;
	if (c->type == ISO_INTEGER && (c->lo != floor(c->lo) || c->hi != floor(c->hi) ||
				       !(fabs(c->lo) < 0x1p53) || !(fabs(c->hi) < 0x1p53)))
		return iso_fail(err, ISO_E_CONFIG,
				"wrong bounds (%s): an integer column needs whole bounds between "
				"-2^53 and 2^53, since larger numbers cannot be held exactly; "
				"round them, or make the column categorical",
				where);
	return ISO_OK;
}

static iso_status read_shape(const cJSON *v, iso_column *c, const char *where, iso_error *err)
{
	const cJSON *shape = cJSON_GetObjectItemCaseSensitive(v, "shape");
	const int n = cJSON_IsArray(shape) ? cJSON_GetArraySize(shape) : 0;
	const int image = c->type == ISO_PIXEL;
	size_t side[3] = {1, 1, 1};

	for (int i = 0; i < 3 && (i < n || i == 0); i++) {
		const cJSON *x =
			(image ? n == 2 || n == 3 : n == 1) ? cJSON_GetArrayItem(shape, i) : NULL;

		if (!cJSON_IsNumber(x) || !(x->valuedouble >= 1 && x->valuedouble <= 4096) ||
		    x->valuedouble != floor(x->valuedouble))
			return iso_fail(
				err, ISO_E_CONFIG,
				"wrong shape (%s): a %s column needs \"shape\": %s, whole numbers "
				"from 1 to 4096; add it",
				where, iso_type_name(c->type),
				image ? "[height, width] or [height, width, channels]" : "[steps]");
		side[i] = (size_t)x->valuedouble;
	}
	c->height = image ? side[0] : 1;
	c->width = image ? side[1] : side[0];
	c->channels = side[2];
	return ISO_OK;
}

static iso_status read_categories(const cJSON *v, iso_column *c, const char *where, iso_error *err)
{
	ISO_TRY(read_words(v, "categories", &c->category, &c->ncategory, where, err));
	if (c->role == ISO_ID)
		return ISO_OK;
	ISO_FAIL_IF(c->role == ISO_CLIENT && (!iso_is_discrete(c) || c->ncategory < 2), err,
		    ISO_E_CONFIG,
		    "wrong clients (%s): a client column needs the public list of its clients, at "
		    "least two, as \"categories\" (got %zu)",
		    where, c->ncategory);
	ISO_FAIL_IF(c->role == ISO_CLIENT && c->nmissing > 0, err, ISO_E_CONFIG,
		    "wrong clients (%s): every record belongs to a client, so a client column has "
		    "no \"missing\"; remove it",
		    where);
	ISO_FAIL_IF(iso_is_discrete(c) != (c->ncategory > 0), err, ISO_E_CONFIG,
		    iso_is_discrete(c)
			    ? "missing key (%s): a %s column needs its closed list \"categories\"; "
			      "add it"
			    : "needless key (%s): a %s column has no \"categories\"; remove it",
		    where, iso_type_name(c->type));
	ISO_FAIL_IF(c->type == ISO_BINARY && c->ncategory != 2, err, ISO_E_CONFIG,
		    "wrong categories (%s): a binary column has two, but %zu are listed; "
		    "correct the list or the type",
		    where, c->ncategory);
	for (size_t i = 0; i < c->nmissing; i++)
		ISO_FAIL_IF(word_index((const char *const *)c->category, c->ncategory,
				       c->missing[i]) >= 0,
			    err, ISO_E_CONFIG,
			    "ambiguous code (%s): \"%s\" is a category and means missing; keep one",
			    where, c->missing[i]);
	return ISO_OK;
}

/* What depends on the type; the common keys are read. */
static iso_status read_domain(const cJSON *v, iso_column *c, const char *where, iso_error *err)
{
	int latitude = c->type == ISO_LATITUDE, longitude = c->type == ISO_LONGITUDE;
	double decimals = -1;

	c->lo = latitude ? -90 : longitude ? -180 : -INFINITY;
	c->hi = -c->lo;
	ISO_TRY(read_words(v, "missing", &c->missing, &c->nmissing, where, err));
	ISO_TRY(read_categories(v, c, where, err));
	ISO_TRY(iso_json_get_number(v, "decimals", 0, 0, 15, &decimals, where, err));
	c->decimals = (int)decimals;
	if (iso_is_discrete(c) || iso_is_dropped(c)) {
		c->lo = c->hi = 0;
		return ISO_OK;
	}
	if (c->type == ISO_PIXEL) {
		c->lo = 0;
		c->hi = 255;
		ISO_FAIL_IF(c->nmissing || c->role == ISO_LABEL, err, ISO_E_CONFIG,
			    "wrong key (%s): a pixel column can neither be missing nor be the "
			    "label; correct it",
			    where);
		return read_shape(v, c, where, err);
	}
	if (c->type == ISO_DATE)
		return iso_date_column_read(v, c, where, err);
	ISO_FAIL_IF(cJSON_HasObjectItem(v, "format"), err, ISO_E_CONFIG,
		    "needless key (%s): only a date column has a \"format\"; remove it", where);
	if (c->type == ISO_SEQUENCE) {
		ISO_FAIL_IF(c->role == ISO_LABEL, err, ISO_E_CONFIG,
			    "wrong role (%s): a sequence cannot be the label; make it a feature",
			    where);
		ISO_TRY(read_shape(v, c, where, err));
		if (cJSON_GetObjectItemCaseSensitive(v, "variables"))
			return ISO_OK; /* each has a domain of its own */
	}
	return read_bounds(v, c, !latitude && !longitude, where, err);
}

static iso_status read_positive(const cJSON *v, iso_column *c, const char *where, iso_error *err)
{
	const cJSON *p = cJSON_GetObjectItemCaseSensitive(v, "positive");
	char number[32];
	const char *text = number;

	c->positive = -1;
	if (!p)
		return ISO_OK;
	if (cJSON_IsNumber(p))
		iso_json_number_text(p->valuedouble, number);
	else
		ISO_TRY(iso_json_get_string(v, "positive", 1, &text, where, err));
	c->positive = word_index((const char *const *)c->category, c->ncategory, text);
	ISO_FAIL_IF(c->positive < 0, err, ISO_E_CONFIG,
		    "unknown category (%s): \"positive\" is \"%.80s\", which is not in "
		    "\"categories\"; correct it",
		    where, text);
	ISO_FAIL_IF(c->role != ISO_LABEL, err, ISO_E_CONFIG,
		    "needless key (%s): only the label has \"positive\"; remove it", where);
	return ISO_OK;
}

static iso_status read_column(const cJSON *v, iso_column *c, const char *where, iso_error *err)
{
	static const char *const keys[] = {"name",	 "type",    "role",	"bounds",
					   "categories", "missing", "decimals", "shape",
					   "positive",	 "learned", "note",	"variables",
					   "length",	 "format",  "outside"};
	const cJSON *learned = cJSON_GetObjectItemCaseSensitive(v, "learned");
	const char *name = NULL;
	int type = ISO_CATEGORICAL, role = ISO_FEATURE;

	ISO_TRY(iso_json_get_string(v, "name", 1, &name, where, err));
	ISO_TRY(iso_json_only_keys(v, keys, ISO_COUNT(keys), where, err));
	ISO_FAIL_IF(!*name, err, ISO_E_CONFIG, "empty name (%s): a column needs a name; give one",
		    where);
	ISO_TRY(copy_text(name, &c->name, err));
	ISO_TRY(read_word(v, "role", iso_role_names, ISO_ROLES, 0, &role, where, err));
	ISO_TRY(read_word(v, "type", iso_type_names, ISO_TYPES,
			  role != ISO_ID && role != ISO_CLIENT, &type, where, err));
	c->type = (iso_type)type;
	c->role = (iso_role)role;
	ISO_FAIL_IF(learned && !cJSON_IsBool(learned), err, ISO_E_CONFIG,
		    "wrong type (%s): \"learned\" must be true or false; correct it", where);
	c->learned = cJSON_IsTrue(learned);
	ISO_TRY(read_domain(v, c, where, err));
	ISO_TRY(iso_outside_read(v, c, where, err));
	return read_positive(v, c, where, err);
}

static iso_status copy_words(char *const *from, size_t n, char ***to, size_t *m, iso_error *err)
{
	*to = NULL;
	*m = 0;
	if (n == 0)
		return ISO_OK;
	*to = iso_alloc(n, sizeof(**to));
	if (!*to)
		return iso_no_memory(err, "a schema");
	for (; *m < n; *m += 1)
		ISO_TRY(copy_text(from[*m], &(*to)[*m], err));
	return ISO_OK;
}

/* One variable at one step of a sequence: a column of its own. */
static iso_status copy_step(const iso_series *q, const iso_column *from, size_t step,
			    iso_column *to, iso_error *err)
{
	const int named = q->variable != NULL;
	size_t room = strlen(q->name) + (named ? strlen(from->name) : 0) + 25;

	*to = *from;
	to->category = NULL;
	to->missing = NULL;
	to->ncategory = to->nmissing = 0;
	to->step = step;
	to->width = q->steps;
	to->height = 1;
	to->offset = step;
	to->name = iso_alloc(room, 1);
	if (!to->name)
		return iso_no_memory(err, "a schema");
	snprintf(to->name, room, "%s%s%s_%zu", q->name, named ? "_" : "", named ? from->name : "",
		 step);
	ISO_TRY(copy_words(from->category, from->ncategory, &to->category, &to->ncategory, err));
	ISO_TRY(copy_words(from->missing, from->nmissing, &to->missing, &to->nmissing, err));
	if (q->variable_length && !to->nmissing) { /* behind the end of a row: empty fields */
		char *empty = (char *)"";

		return copy_words(&empty, 1, &to->missing, &to->nmissing, err);
	}
	return ISO_OK;
}

static void free_column(iso_column *c)
{
	iso_free(c->name);
	free_words(c->category, c->ncategory);
	free_words(c->missing, c->nmissing);
	memset(c, 0, sizeof(*c));
}

static iso_status read_variables(const cJSON *list, const iso_column *whole, iso_series *q,
				 iso_column **out, const char *where, iso_error *err)
{
	const size_t n = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 0;
	const cJSON *v = list ? list->child : NULL;

	ISO_FAIL_IF(n < 1 || n > 4096, err, ISO_E_CONFIG,
		    "wrong variables (%s): \"variables\" must list 1 to 4096 columns (got %zu)",
		    where, n);
	*out = iso_alloc(n, sizeof(**out));
	q->variable = iso_alloc(n, sizeof(*q->variable));
	if (!*out || !q->variable)
		return iso_no_memory(err, "a schema");
	for (q->variables = 0; q->variables < n; v = v->next) {
		iso_column *c = &(*out)[q->variables++];
		char place[300];

		snprintf(place, sizeof(place), "%.200s: variables[%zu]", where, q->variables - 1);
		ISO_TRY(read_column(v, c, place, err));
		ISO_TRY(copy_text(c->name, &q->variable[q->variables - 1], err));
		c->learned |= whole->learned;
		ISO_FAIL_IF(c->role != ISO_FEATURE || c->type > ISO_BINARY, err, ISO_E_CONFIG,
			    "wrong variable (%s): a variable of a sequence is a feature of type "
			    "continuous, integer, categorical, ordinal or binary; change it",
			    place);
		ISO_FAIL_IF(q->variable_length && c->nmissing > 1, err, ISO_E_CONFIG,
			    "wrong variable (%s): in a sequence of variable length, missing means "
			    "\"behind the end\" and has one code (got %zu)",
			    place, c->nmissing);
	}
	return ISO_OK;
}

static iso_status add_steps(iso_schema *s, size_t *cap, iso_series *q, const iso_column *variable,
			    iso_error *err)
{
	q->first = s->ncol;
	ISO_FAIL_IF(q->steps * q->variables > MAX_COLUMNS - s->ncol, err, ISO_E_CONFIG,
		    "too many columns (sequence %.80s): %zu steps of %zu variables make more than "
		    "%d columns; use fewer",
		    q->name, q->steps, q->variables, MAX_COLUMNS);
	for (size_t i = 0; i < q->steps * q->variables; i++) {
		ISO_TRY(iso_grow(&s->column, cap, s->ncol + 1, sizeof(*s->column), err));
		s->column[s->ncol].sequence = s->nsequence;
		s->ncol++;
		ISO_TRY(copy_step(q, &variable[i % q->variables], i / q->variables,
				  &s->column[s->ncol - 1], err));
		s->column[s->ncol - 1].sequence = s->nsequence;
	}
	return ISO_OK;
}

/* The column at the end of s is a sequence: its steps take its place. */
static iso_status expand_sequence(const cJSON *v, iso_schema *s, size_t *cap, const char *where,
				  iso_error *err)
{
	static const char *const lengths[] = {"fixed", "variable"};
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(v, "variables");
	iso_column whole = s->column[--s->ncol], *variable = NULL;
	iso_series *q;
	int variable_length = 0;
	iso_status st;

	memset(&s->column[s->ncol], 0, sizeof(whole));
	st = read_word(v, "length", lengths, 2, 0, &variable_length, where, err);
	if (st == ISO_OK) {
		size_t room = s->nsequence;

		st = iso_grow(&s->sequence, &room, s->nsequence + 1, sizeof(*q), err);
	}
	if (st == ISO_OK) {
		q = &s->sequence[s->nsequence++];
		*q = (iso_series){
			.steps = whole.width, .variables = 1, .variable_length = variable_length};
		st = copy_text(whole.name, &q->name, err);
		if (st == ISO_OK && list)
			st = read_variables(list, &whole, q, &variable, where, err);
		if (st == ISO_OK)
			st = add_steps(s, cap, q, list ? variable : &whole, err);
		for (size_t i = 0; variable && i < q->variables; i++)
			free_column(&variable[i]);
	}
	iso_free(variable);
	free_column(&whole);
	return st;
}

static iso_status read_columns(const cJSON *list, iso_schema *s, const char *where, iso_error *err)
{
	size_t cap = 0, index = 0;

	for (const cJSON *v = list->child; v; v = v->next, index++) {
		char place[256];
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(v, "name");

		snprintf(place, sizeof(place), "%.120s: columns[%zu]%s%.80s", where, index,
			 cJSON_IsString(name) ? " " : "",
			 cJSON_IsString(name) ? name->valuestring : "");
		ISO_FAIL_IF(s->ncol >= MAX_COLUMNS, err, ISO_E_CONFIG,
			    "too many columns (%s): more than %d; use fewer", where, MAX_COLUMNS);
		ISO_TRY(iso_grow(&s->column, &cap, s->ncol + 1, sizeof(*s->column), err));
		s->ncol++;
		ISO_TRY(read_column(v, &s->column[s->ncol - 1], place, err));
		if (s->column[s->ncol - 1].type == ISO_SEQUENCE &&
		    s->column[s->ncol - 1].role != ISO_ID)
			ISO_TRY(expand_sequence(v, s, &cap, place, err));
		else
			ISO_FAIL_IF(cJSON_HasObjectItem(v, "variables") ||
					    cJSON_HasObjectItem(v, "length"),
				    err, ISO_E_CONFIG,
				    "needless key (%s): only a sequence has \"variables\" and "
				    "\"length\"; remove it",
				    place);
	}
	return ISO_OK;
}

/* Names must be unique; the label, the pixel offsets and the learned mark follow from the columns.
 */
static iso_status finish(iso_schema *s, const char *where, iso_error *err)
{
	char **names = iso_alloc(s->ncol, sizeof(*names));
	iso_status st;

	if (!names)
		return iso_no_memory(err, "a schema");
	for (size_t i = 0; i < s->ncol; i++)
		names[i] = s->column[i].name;
	st = reject_twins(names, s->ncol, "columns", where, err);
	iso_free(names);
	ISO_TRY(st);
	s->label = s->client = -1;
	for (size_t i = 0; i < s->ncol; i++) {
		iso_column *c = &s->column[i];

		s->learned |= c->learned;
		if (iso_column_pixels(c)) {
			c->offset = s->npixel;
			s->npixel += iso_column_pixels(c);
		}
		ISO_FAIL_IF(s->npixel > MAX_PIXELS, err, ISO_E_CONFIG,
			    "too many pixels (%s): more than 2^24; use fewer", where);
		ISO_FAIL_IF(c->role == ISO_CLIENT && s->client >= 0, err, ISO_E_CONFIG,
			    "two client columns (%s): \"%s\" and \"%s\"; keep one, make the "
			    "other a feature or an id",
			    where, s->column[s->client].name, c->name);
		if (c->role == ISO_CLIENT)
			s->client = (int)i;
		if (c->role != ISO_LABEL)
			continue;
		ISO_FAIL_IF(s->label >= 0, err, ISO_E_CONFIG,
			    "two labels (%s): \"%s\" and \"%s\"; keep one, make the other a "
			    "feature or an id",
			    where, s->column[s->label].name, c->name);
		s->label = (int)i;
	}
	return ISO_OK;
}

static iso_status fill(const cJSON *v, const char *where, iso_schema *s, iso_error *err)
{
	static const char *const keys[] = {"name", "title", "columns", "note", "csv", "private"};
	const cJSON *columns = cJSON_GetObjectItemCaseSensitive(v, "columns");
	const char *name = NULL, *title = NULL;

	ISO_TRY(iso_json_get_string(v, "name", 1, &name, where, err));
	ISO_TRY(iso_json_get_string(v, "title", 0, &title, where, err));
	ISO_TRY(iso_json_only_keys(v, keys, ISO_COUNT(keys), where, err));
	ISO_TRY(iso_csv_format_read(cJSON_GetObjectItemCaseSensitive(v, "csv"), where, &s->csv,
				    err));
	ISO_TRY(iso_schema_release_read(cJSON_GetObjectItemCaseSensitive(v, "private"), &s->release,
					where, err));
	ISO_FAIL_IF(!cJSON_IsArray(columns) || !columns->child, err, ISO_E_CONFIG,
		    "missing key (%s): \"columns\" must be a list of at least one column; add it",
		    where);
	ISO_TRY(copy_text(name, &s->name, err));
	ISO_TRY(copy_text(title ? title : name, &s->title, err));
	ISO_TRY(read_columns(columns, s, where, err));
	return finish(s, where, err);
}

iso_status iso_schema_from_json(const cJSON *v, const char *where, iso_schema **out, iso_error *err)
{
	iso_schema *s = iso_alloc(1, sizeof(*s));
	iso_status st;

	*out = NULL;
	if (!s)
		return iso_no_memory(err, "a schema");
	st = fill(v, where, s, err);
	if (st != ISO_OK) {
		iso_schema_free(s);
		return st;
	}
	*out = s;
	return ISO_OK;
}

iso_status iso_schema_read(const char *path, iso_schema **out, iso_error *err)
{
	cJSON *v = NULL;
	iso_status st;

	*out = NULL;
	ISO_TRY(iso_json_read(path, &v, err));
	st = iso_schema_from_json(v, path, out, err);
	cJSON_Delete(v);
	return st;
}
