// SPDX-License-Identifier: Apache-2.0
#include "core/data/catalogue.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/sha256.h"
#include "core/data/embedded.h"
#include "core/data/rows.h"
#include "core/data/sources.h"
#include "core/io/idx.h"
#include "core/io/options.h"

size_t iso_dataset_count(void)
{
	return iso_data_source_count;
}

const iso_dataset_info *iso_dataset_at(size_t i)
{
	return i < iso_data_source_count ? &iso_data_sources[i].info : NULL;
}

const iso_dataset_info *iso_dataset_find(const char *name)
{
	const iso_data_source *s = iso_data_source_find(name);

	return s ? &s->info : NULL;
}

void iso_dataset_free(iso_dataset *d)
{
	if (!d)
		return;
	iso_table_free(d->table);
	iso_table_free(d->test);
	iso_schema_free(d->schema);
	iso_free(d->name);
	iso_free(d);
}

static const iso_embedded *find_embedded(const char *name)
{
	const iso_embedded *f = iso_embedded_files;

	while (f->name && strcmp(f->name, name) != 0)
		f++;
	return f->name ? f : NULL;
}

/* Every feature column that has no missing-value code gets "?". */
static int admit_missing(cJSON *schema)
{
	cJSON *column;

	cJSON_ArrayForEach(column, cJSON_GetObjectItemCaseSensitive(schema, "columns"))
	{
		static const char *const code[] = {"?"};
		const char *type =
			cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(column, "type"));

		if (cJSON_GetObjectItemCaseSensitive(column, "role") ||
		    cJSON_GetObjectItemCaseSensitive(column, "missing") ||
		    (type && strcmp(type, "pixel") == 0))
			continue;
		if (!cJSON_AddItemToObject(column, "missing", cJSON_CreateStringArray(code, 1)))
			return 0;
	}
	return 1;
}

static iso_status schema_of(const iso_data_source *s, int missing, iso_schema **out, iso_error *err)
{
	const iso_embedded *f = find_embedded(s->schema);
	cJSON *v = NULL;
	iso_status st;

	*out = NULL;
	ISO_FAIL_IF(!f, err, ISO_E_INTERNAL,
		    "missing schema (%s): it is not in this build; report it", s->schema);
	ISO_TRY(iso_json_parse(f->text, f->size, s->schema, &v, err));
	st = missing && !admit_missing(v) ? iso_no_memory(err, "a schema")
					  : iso_schema_from_json(v, s->schema, out, err);
	cJSON_Delete(v);
	return st;
}

iso_status iso_data_schema(const iso_data_source *s, iso_schema **out, iso_error *err)
{
	return schema_of(s, 0, out, err);
}

/* What may be asked of a data set; each kind has the table of the options that apply to it. */
typedef struct options {
	int64_t rows, seed;
	int drop_missing, dedup, merge_test;
	double positives, missing;
} options;

static const iso_option sim_options[] = {
	ISO_OPT_INT(options, rows, "0", 0, 10000000, "rows to simulate; 0 = 5000"),
	ISO_OPT_INT(options, seed, "1", 0, 9007199254740992.0, "seed of the simulator"),
	ISO_OPT_REAL(options, positives, "0", 0, 1,
		     "chance of the positive class, of a label of two classes; 0: as simulated"),
	ISO_OPT_REAL(options, missing, "0", 0, 1,
		     "chance that a value of a feature is missing, whatever it is; above 0, every "
		     "feature may be missing"),
	{0},
};
#define REAL_OPTIONS \
	ISO_OPT_INT(options, rows, "0", 0, 4294967294.0, "keep the first rows only; 0 = all"), \
		ISO_OPT_BOOL(options, drop_missing, "false", "drop rows with a missing value"), \
		ISO_OPT_BOOL(options, dedup, "false", \
			     "drop rows that equal an earlier one in every column")
static const iso_option real_options[] = {REAL_OPTIONS, {0}};
static const iso_option test_options[] = {
	REAL_OPTIONS,
	ISO_OPT_BOOL(options, merge_test, "false",
		     "append the official test part to the table, first of all"),
	{0},
};

#define TRIES 100000 /* of a row, until it has its class */

/* With a chance of the positive class the class is drawn first, and the row again until it has it:
 * the law of the rows of a class stays. */
static void simulate_row(const iso_data_source *s, const options *o, iso_table *t, size_t r,
			 iso_key key)
{
	const int label = t->schema->label,
		  positive = label >= 0 && t->schema->column[label].positive == 0 ? 0 : 1;
	const int want = iso_rand_u01(iso_key_child(key, "class", 0), r, 0) < o->positives
				 ? positive
				 : 1 - positive;
	const iso_key row = iso_key_child(key, "row", r);

	for (uint64_t k = 0; k < TRIES; k++) {
		iso_stream stream = iso_stream_new(k ? iso_key_child(row, "again", k) : row);

		s->simulate(t, r, &stream);
		if (!(o->positives > 0) || iso_table_label(t, r) == (size_t)want)
			return;
	}
}

static void lose_values(const options *o, iso_table *t, iso_key key)
{
	for (size_t c = 0; o->missing > 0 && c < t->schema->ncol; c++) {
		const iso_key column = iso_key_child(key, "missing", c);

		for (size_t r = 0; t->schema->column[c].nmissing > 0 && r < t->n; r++)
			if (iso_rand_u01(column, r, 0) < o->missing)
				t->cells[r * t->schema->ncol + c] = NAN;
	}
}

static iso_status simulate(const iso_data_source *s, const options *o, iso_dataset *d,
			   iso_error *err)
{
	size_t rows = o->rows ? (size_t)o->rows : s->default_rows;
	iso_key key = iso_key_new((uint64_t)o->seed, s->info.name);

	ISO_FAIL_IF(o->positives > 0 && iso_schema_classes(d->schema) != 2, err, ISO_E_CONFIG,
		    "positives (%s): its label has no two classes; leave the option out",
		    s->info.name);
	ISO_TRY(iso_table_new(d->schema, rows, &d->table, err));
	for (size_t r = 0; r < rows; r++)
		simulate_row(s, o, d->table, r, key);
	lose_values(o, d->table, key);
	return ISO_OK;
}

/* Images and labels become one table; the bytes of the image file are handed over, not copied. */
static iso_status join_idx(const char *name, iso_schema *schema, iso_idx *image,
			   const iso_idx *label, iso_table **out, iso_error *err)
{
	size_t n = image->dim[0], classes = iso_schema_classes(schema);
	iso_table *t;

	ISO_FAIL_IF(image->ndim != 3 || image->dim[1] * image->dim[2] != schema->npixel, err,
		    ISO_E_DATA,
		    "wrong image size (%s): the images are not of the schema's shape; fetch the "
		    "file again",
		    name);
	ISO_FAIL_IF(label->ndim != 1 || label->dim[0] != n, err, ISO_E_DATA,
		    "images and labels differ in number (%s): %zu and %zu; fetch both again", name,
		    n, label->dim[0]);
	for (size_t i = 0; i < n; i++)
		ISO_FAIL_IF(label->data[i] >= classes, err, ISO_E_DATA,
			    "label outside the schema (%s): image %zu has label %u; fetch the file "
			    "again",
			    name, i, label->data[i]);
	ISO_TRY(iso_table_new(schema, 0, &t, err));
	iso_free(t->cells);
	iso_free(t->id);
	iso_free(t->pixels);
	t->pixels = image->data;
	image->data = NULL;
	t->n = n;
	t->cells = iso_alloc(n * schema->ncol, sizeof(*t->cells));
	t->id = iso_alloc(n, sizeof(*t->id));
	if (!t->cells || !t->id) {
		iso_table_free(t);
		return iso_no_memory(err, "a table");
	}
	for (size_t i = 0; i < n; i++) {
		t->id[i] = i;
		t->cells[i * schema->ncol + (size_t)schema->label] = label->data[i];
	}
	*out = t;
	return ISO_OK;
}

static iso_status load_idx(const iso_data_source *s, const iso_data_file *pair, iso_schema *schema,
			   iso_table **out, iso_error *err)
{
	iso_idx image = {0}, label = {0};
	char *text = NULL;
	size_t n = 0;
	iso_status st;

	ISO_TRY(iso_data_file_load(s, &pair[0], &text, &n, err));
	ISO_TRY(iso_idx_take(text, n, pair[0].path, &image, err));
	st = iso_data_file_load(s, &pair[1], &text, &n, err);
	if (st == ISO_OK)
		st = iso_idx_take(text, n, pair[1].path, &label, err);
	if (st == ISO_OK)
		st = join_idx(s->info.name, schema, &image, &label, out, err);
	iso_idx_free(&image);
	iso_idx_free(&label);
	return st;
}

static iso_status load_part(const iso_data_source *s, const iso_data_file *pair, iso_schema *schema,
			    iso_table **out, iso_error *err)
{
	char *text = NULL;
	size_t n = 0;
	iso_status st;

	if (pair[1].path)
		return load_idx(s, pair, schema, out, err);
	ISO_TRY(iso_data_file_load(s, &pair[0], &text, &n, err));
	st = iso_table_parse_csv(text, n, pair[0].path, schema, out, err);
	iso_free(text);
	return st;
}

static iso_status load_real(const iso_data_source *s, iso_dataset *d, iso_error *err)
{
	const iso_embedded *f = s->embedded ? find_embedded(s->embedded) : NULL;

	if (f)
		return iso_table_parse_csv(f->text, f->size, s->embedded, d->schema, &d->table,
					   err);
	ISO_TRY(load_part(s, s->table, d->schema, &d->table, err));
	return s->test[0].path ? load_part(s, s->test, d->schema, &d->test, err) : ISO_OK;
}

static int has_missing(const iso_table *t, size_t r)
{
	for (size_t c = 0; c < t->schema->ncol; c++)
		if (!iso_is_dropped(&t->schema->column[c]) && isnan(iso_table_cell(t, r, c)))
			return 1;
	return 0;
}

/* Rows of *t that pass the options, in their order and with their ids. */
static iso_status filter(iso_table **t, const options *o, iso_error *err)
{
	uint32_t *keep, *first = NULL;
	size_t n = 0;
	iso_table *out = NULL;
	iso_status st = ISO_OK;

	if (!*t || (!o->drop_missing && !o->dedup && (!o->rows || (size_t)o->rows >= (*t)->n)))
		return ISO_OK;
	keep = iso_alloc((*t)->n, sizeof(*keep));
	if (!keep)
		return iso_no_memory(err, "a selection of rows");
	if (o->dedup)
		st = iso_rows_first(*t, &first, err);
	for (size_t r = 0; r < (*t)->n && st == ISO_OK; r++)
		if ((!o->drop_missing || !has_missing(*t, r)) && (!o->dedup || first[r] == r) &&
		    (!o->rows || n < (size_t)o->rows))
			keep[n++] = (uint32_t)r;
	if (st == ISO_OK)
		st = iso_table_select(*t, keep, n, &out, err);
	iso_free(keep);
	iso_free(first);
	if (st != ISO_OK)
		return st;
	iso_table_free(*t);
	*t = out;
	return ISO_OK;
}

static iso_status merge_test(iso_dataset *d, iso_error *err)
{
	iso_table *both = NULL;

	ISO_TRY(iso_table_concat(d->table, d->test, &both, err));
	iso_table_free(d->table);
	iso_table_free(d->test);
	d->table = both;
	d->test = NULL;
	return ISO_OK;
}

static iso_status hash_dataset(iso_dataset *d, iso_error *err)
{
	char part[2][65] = {{0}};
	uint8_t digest[32];

	ISO_TRY(iso_table_hash(d->table, part[0], err));
	if (!d->test) {
		memcpy(d->hash, part[0], sizeof(part[0]));
		return ISO_OK;
	}
	ISO_TRY(iso_table_hash(d->test, part[1], err));
	ISO_TRY(iso_sha256_of(part, sizeof(part), digest, err));
	iso_hex(digest, 32, d->hash);
	return ISO_OK;
}

static iso_status fill(const iso_data_source *s, const options *o, iso_dataset *d, iso_error *err)
{
	d->name = iso_strdup(s->info.name);
	if (!d->name)
		return iso_no_memory(err, "a data set");
	ISO_TRY(schema_of(s, o->missing > 0, &d->schema, err));
	if (s->simulate) {
		ISO_TRY(simulate(s, o, d, err));
	} else {
		ISO_TRY(load_real(s, d, err));
		if (o->merge_test)
			ISO_TRY(merge_test(d, err));
		ISO_TRY(filter(&d->table, o, err));
		ISO_TRY(filter(&d->test, o, err));
	}
	return hash_dataset(d, err);
}

iso_status iso_dataset_load(const char *name, const cJSON *values, iso_dataset **out,
			    iso_error *err)
{
	const iso_data_source *s;
	iso_dataset *d;
	options o;
	iso_status st;

	*out = NULL;
	ISO_TRY(iso_data_source_need(name, &s, err));
	ISO_TRY(iso_options_resolve(s->simulate	      ? sim_options
				    : s->test[0].path ? test_options
						      : real_options,
				    values, name, &o, sizeof(o), NULL, err));
	d = iso_alloc(1, sizeof(*d));
	if (!d)
		return iso_no_memory(err, "a data set");
	st = fill(s, &o, d, err);
	if (st != ISO_OK) {
		iso_dataset_free(d);
		return st;
	}
	*out = d;
	return ISO_OK;
}

iso_status iso_dataset_from_schema(const char *csv, iso_schema *schema, iso_dataset **out,
				   iso_error *err)
{
	iso_dataset *d = iso_alloc(1, sizeof(*d));
	iso_status st;

	*out = NULL;
	if (!d) {
		iso_schema_free(schema);
		return iso_no_memory(err, "a data set");
	}
	d->schema = schema;
	st = iso_table_read_csv(csv, d->schema, &d->table, err);
	if (st == ISO_OK) {
		d->name = iso_strdup(d->schema->name);
		st = d->name ? hash_dataset(d, err) : iso_no_memory(err, "a data set");
	}
	if (st != ISO_OK) {
		iso_dataset_free(d);
		return st;
	}
	*out = d;
	return ISO_OK;
}

iso_status iso_dataset_from_files(const char *csv, const char *schema, iso_dataset **out,
				  iso_error *err)
{
	iso_schema *s;

	*out = NULL;
	ISO_TRY(iso_schema_read(schema, &s, err));
	return iso_dataset_from_schema(csv, s, out, err);
}
