// SPDX-License-Identifier: Apache-2.0
#include "core/data/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

#define MAX_COLUMNS 65536
#define MAX_PIXELS ((size_t)1 << 24)

static const char *const type_names[] = {"continuous", "integer",  "categorical",
					 "ordinal",    "binary",   "latitude",
					 "longitude",  "sequence", "pixel"};
static const char *const role_names[] = {"feature", "label", "id"};

const char *iso_type_name(iso_type t)
{
	return (size_t)t < ISO_COUNT(type_names) ? type_names[t] : "?";
}

int iso_is_discrete(const iso_column *c)
{
	return c->type == ISO_CATEGORICAL || c->type == ISO_ORDINAL || c->type == ISO_BINARY;
}

int iso_schema_find(const iso_schema *s, const char *name)
{
	for (size_t i = 0; i < s->ncol; i++)
		if (strcmp(s->column[i].name, name) == 0)
			return (int)i;
	return -1;
}

size_t iso_schema_classes(const iso_schema *s)
{
	return s->label >= 0 && iso_is_discrete(&s->column[s->label])
		       ? s->column[s->label].ncategory
		       : 0;
}

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
				"wrong type (%s): \"%s\" must be a list of texts; mend it", where,
				key);
	*out = iso_alloc(count, sizeof(**out));
	if (!*out)
		return iso_no_memory(err, "a schema");
	for (const cJSON *c = v->child; c; c = c->next) {
		char number[32];

		if (cJSON_IsNumber(c))
			iso_json_number_text(c->valuedouble, number);
		else if (!cJSON_IsString(c))
			return iso_fail(err, ISO_E_CONFIG,
					"wrong type (%s): \"%s\" must be a list of texts; mend it",
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
	if (c->type == ISO_INTEGER &&
	    (c->lo != floor(c->lo) || c->hi != floor(c->hi) || !(c->hi - c->lo <= 9e15)))
		return iso_fail(
			err, ISO_E_CONFIG,
			"wrong bounds (%s): an integer column needs whole bounds; round them",
			where);
	return ISO_OK;
}

static iso_status read_shape(const cJSON *v, iso_column *c, const char *where, iso_error *err)
{
	const cJSON *shape = cJSON_GetObjectItemCaseSensitive(v, "shape");
	int want = c->type == ISO_PIXEL ? 2 : 1;
	size_t side[2] = {1, 1};

	for (int i = 0; i < want; i++) {
		const cJSON *x = cJSON_IsArray(shape) && cJSON_GetArraySize(shape) == want
					 ? cJSON_GetArrayItem(shape, i)
					 : NULL;

		if (!cJSON_IsNumber(x) || !(x->valuedouble >= 1 && x->valuedouble <= 4096) ||
		    x->valuedouble != floor(x->valuedouble))
			return iso_fail(
				err, ISO_E_CONFIG,
				"wrong shape (%s): a %s column needs \"shape\": %s, whole numbers "
				"from 1 to 4096; add it",
				where, iso_type_name(c->type),
				want == 2 ? "[height, width]" : "[steps]");
		side[i] = (size_t)x->valuedouble;
	}
	c->height = want == 2 ? side[0] : 1;
	c->width = want == 2 ? side[1] : side[0];
	return ISO_OK;
}

static iso_status read_categories(const cJSON *v, iso_column *c, const char *where, iso_error *err)
{
	ISO_TRY(read_words(v, "categories", &c->category, &c->ncategory, where, err));
	if (c->role == ISO_ID)
		return ISO_OK;
	ISO_FAIL_IF(iso_is_discrete(c) != (c->ncategory > 0), err, ISO_E_CONFIG,
		    iso_is_discrete(c)
			    ? "missing key (%s): a %s column needs its closed list \"categories\"; "
			      "add it"
			    : "needless key (%s): a %s column has no \"categories\"; remove it",
		    where, iso_type_name(c->type));
	ISO_FAIL_IF(c->type == ISO_BINARY && c->ncategory != 2, err, ISO_E_CONFIG,
		    "wrong categories (%s): a binary column has two, here are %zu; mend the list "
		    "or the type",
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
	if (iso_is_discrete(c) || c->role == ISO_ID) {
		c->lo = c->hi = 0;
		return ISO_OK;
	}
	if (c->type == ISO_PIXEL) {
		c->lo = 0;
		c->hi = 255;
		ISO_FAIL_IF(c->nmissing || c->role == ISO_LABEL, err, ISO_E_CONFIG,
			    "wrong key (%s): a pixel column can neither be missing nor be the "
			    "label; mend it",
			    where);
		return read_shape(v, c, where, err);
	}
	if (c->type == ISO_SEQUENCE) {
		ISO_FAIL_IF(c->role == ISO_LABEL, err, ISO_E_CONFIG,
			    "wrong role (%s): a sequence cannot be the label; mend it", where);
		ISO_TRY(read_shape(v, c, where, err));
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
		    "\"categories\"; mend it",
		    where, text);
	ISO_FAIL_IF(c->role != ISO_LABEL, err, ISO_E_CONFIG,
		    "needless key (%s): only the label has \"positive\"; remove it", where);
	return ISO_OK;
}

static iso_status read_column(const cJSON *v, iso_column *c, const char *where, iso_error *err)
{
	static const char *const keys[] = {"name",	 "type",    "role",	"bounds",
					   "categories", "missing", "decimals", "shape",
					   "positive",	 "learned", "note"};
	const cJSON *learned = cJSON_GetObjectItemCaseSensitive(v, "learned");
	const char *name = NULL;
	int type = ISO_CATEGORICAL, role = ISO_FEATURE;

	ISO_TRY(iso_json_get_string(v, "name", 1, &name, where, err));
	ISO_TRY(iso_json_only_keys(v, keys, ISO_COUNT(keys), where, err));
	ISO_FAIL_IF(!*name, err, ISO_E_CONFIG, "empty name (%s): a column needs a name; give one",
		    where);
	ISO_TRY(copy_text(name, &c->name, err));
	ISO_TRY(read_word(v, "role", role_names, ISO_COUNT(role_names), 0, &role, where, err));
	ISO_TRY(read_word(v, "type", type_names, ISO_COUNT(type_names), role != ISO_ID, &type,
			  where, err));
	c->type = (iso_type)type;
	c->role = (iso_role)role;
	ISO_FAIL_IF(learned && !cJSON_IsBool(learned), err, ISO_E_CONFIG,
		    "wrong type (%s): \"learned\" must be true or false; mend it", where);
	c->learned = cJSON_IsTrue(learned);
	ISO_TRY(read_domain(v, c, where, err));
	return read_positive(v, c, where, err);
}

/* One step of a sequence: a column of its own, named NAME_STEP. */
static iso_status copy_step(const iso_column *from, size_t step, iso_column *to, iso_error *err)
{
	size_t room = strlen(from->name) + 24;

	*to = *from;
	to->category = NULL;
	to->ncategory = 0;
	to->missing = NULL;
	to->nmissing = 0;
	to->offset = step;
	to->name = iso_alloc(room, 1);
	if (!to->name)
		return iso_no_memory(err, "a schema");
	snprintf(to->name, room, "%s_%zu", from->name, step);
	if (!from->nmissing)
		return ISO_OK;
	to->missing = iso_alloc(from->nmissing, sizeof(*to->missing));
	if (!to->missing)
		return iso_no_memory(err, "a schema");
	for (; to->nmissing < from->nmissing; to->nmissing++)
		ISO_TRY(copy_text(from->missing[to->nmissing], &to->missing[to->nmissing], err));
	return ISO_OK;
}

/* The column at the end of s is a sequence: its steps take its place. */
static iso_status expand_sequence(iso_schema *s, size_t *cap, iso_error *err)
{
	iso_column whole = s->column[s->ncol - 1];
	iso_status st = ISO_OK;

	s->ncol--;
	memset(&s->column[s->ncol], 0, sizeof(whole));
	for (size_t i = 0; i < whole.width && st == ISO_OK; i++) {
		st = iso_grow(&s->column, cap, s->ncol + 1, sizeof(*s->column), err);
		if (st == ISO_OK)
			st = copy_step(&whole, i, &s->column[s->ncol++], err);
	}
	iso_free(whole.name);
	free_words(whole.missing, whole.nmissing);
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
			ISO_TRY(expand_sequence(s, &cap, err));
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
	s->label = -1;
	for (size_t i = 0; i < s->ncol; i++) {
		iso_column *c = &s->column[i];

		s->learned |= c->learned;
		if (c->type == ISO_PIXEL && c->role != ISO_ID) {
			c->offset = s->npixel;
			s->npixel += c->width * c->height;
		}
		ISO_FAIL_IF(s->npixel > MAX_PIXELS, err, ISO_E_CONFIG,
			    "too many pixels (%s): more than 2^24; use fewer", where);
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
	static const char *const keys[] = {"name", "title", "columns", "note"};
	const cJSON *columns = cJSON_GetObjectItemCaseSensitive(v, "columns");
	const char *name = NULL, *title = NULL;

	ISO_TRY(iso_json_get_string(v, "name", 1, &name, where, err));
	ISO_TRY(iso_json_get_string(v, "title", 0, &title, where, err));
	ISO_TRY(iso_json_only_keys(v, keys, ISO_COUNT(keys), where, err));
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

static int add_words(cJSON *obj, const char *key, char *const *words, size_t n)
{
	cJSON *list = cJSON_AddArrayToObject(obj, key);

	for (size_t i = 0; list && i < n; i++) {
		cJSON *w = cJSON_CreateString(words[i]);

		if (!w || !cJSON_AddItemToArray(list, w)) {
			cJSON_Delete(w);
			return 0;
		}
	}
	return list != NULL;
}

static int add_pair(cJSON *obj, const char *key, double a, double b, int n)
{
	cJSON *list = cJSON_AddArrayToObject(obj, key), *x;

	for (int i = 0; list && i < n; i++) {
		x = cJSON_CreateNumber(i ? b : a);
		if (!x || !cJSON_AddItemToArray(list, x)) {
			cJSON_Delete(x);
			return 0;
		}
	}
	return list != NULL;
}

static int add_domain(cJSON *v, const iso_column *c)
{
	int good = 1;

	if (c->type == ISO_SEQUENCE && c->role != ISO_ID)
		good = add_pair(v, "shape", (double)c->width, 0, 1);
	if (c->type == ISO_PIXEL && c->role != ISO_ID)
		good = add_pair(v, "shape", (double)c->height, (double)c->width, 2);
	else if (c->role != ISO_ID && !iso_is_discrete(c))
		good = good && add_pair(v, "bounds", c->lo, c->hi, 2);
	if (c->ncategory)
		good = good && add_words(v, "categories", c->category, c->ncategory);
	if (c->nmissing)
		good = good && add_words(v, "missing", c->missing, c->nmissing);
	if (c->decimals >= 0)
		good = good && cJSON_AddNumberToObject(v, "decimals", c->decimals) != NULL;
	if (c->positive >= 0)
		good = good &&
		       cJSON_AddStringToObject(v, "positive", c->category[c->positive]) != NULL;
	if (c->learned)
		good = good && cJSON_AddTrueToObject(v, "learned") != NULL;
	return good;
}

static int add_column(cJSON *list, const iso_column *c)
{
	cJSON *v = cJSON_CreateObject();
	int sequence = c->type == ISO_SEQUENCE && c->role != ISO_ID, good;
	char *name = iso_strdup(c->name);

	if (!v || !name || !cJSON_AddItemToArray(list, v)) {
		cJSON_Delete(v);
		iso_free(name);
		return 0;
	}
	if (sequence) /* NAME_0 stands for the whole */
		name[strlen(name) - 2] = 0;
	good = cJSON_AddStringToObject(v, "name", name) &&
	       cJSON_AddStringToObject(v, "type", type_names[c->type]) &&
	       cJSON_AddStringToObject(v, "role", role_names[c->role]) && add_domain(v, c);
	iso_free(name);
	return good;
}

iso_status iso_schema_to_json(const iso_schema *s, cJSON **out, iso_error *err)
{
	cJSON *v = cJSON_CreateObject(), *list = NULL;
	int good = v && cJSON_AddStringToObject(v, "name", s->name) &&
		   cJSON_AddStringToObject(v, "title", s->title);

	*out = NULL;
	if (good)
		good = (list = cJSON_AddArrayToObject(v, "columns")) != NULL;
	for (size_t i = 0; good && i < s->ncol; i++) {
		const iso_column *c = &s->column[i];

		if (c->type != ISO_SEQUENCE || c->role == ISO_ID || c->offset == 0)
			good = add_column(list, c);
	}
	if (!good) {
		cJSON_Delete(v);
		return iso_no_memory(err, "a schema");
	}
	*out = v;
	return ISO_OK;
}
