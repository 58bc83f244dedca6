// SPDX-License-Identifier: Apache-2.0
#include "suites/flow/schema_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/alloc.h"
#include "core/base/sha256.h"
#include "core/data/table.h"
#include "core/io/file.h"
#include "core/io/jsonw.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/release_key.h"

#define TYPE_SHARE 0.2	/* of a column's epsilon */
#define OTHER "(other)" /* the category of values that are not listed */

/* Public: what stands for missing. */
static const char *const missing_codes[] = {"",	    "?",    "NA",   "N/A",  "NaN",  "nan",
					    "null", "NULL", "None", "#N/A", "<NA>", "\\N"};

typedef enum kind { MISSING, WHOLE, FRACTION, TEXT, KINDS } kind;
typedef enum shape { ID, CONTINUOUS, INTEGER, CATEGORICAL, UNKNOWN } shape;

typedef struct column {
	const char *name;
	char **text;   /* [rows] in the arena */
	double *value; /* [rows] of numbers, else NaN */
	uint8_t *kind; /* [rows] */
	size_t cap[3];
	shape shape;
	int missing; /* codes for missing belong to the column */
	double low, high;
	iso_open_counts open;
	size_t most; /* of open: the category with the highest noisy count */
} column;

typedef struct inference {
	const iso_private_schema *q;
	iso_arena arena;
	column *c; /* [n] */
	size_t n, rows, kept, label;
	iso_csv_format csv;
	char data[65]; /* hash of the file */
	char *hints;   /* in the arena */
	iso_str *notes;
} inference;

/* ------------------------------------------------------------------ the file */

static shape hinted(const inference *f, const char *name)
{
	static const char *const words[] = {"id", "continuous", "integer", "categorical"};

	for (size_t i = 0; i < f->q->nhint; i++)
		for (size_t k = 0; k < ISO_COUNT(words); k++)
			if (strcmp(f->q->hint[i].name, name) == 0 &&
			    strcmp(f->q->hint[i].type, words[k]) == 0)
				return (shape)k;
	return strcasecmp(name, "id") == 0 ? ID : UNKNOWN;
}

static iso_status check_hints(const inference *f, iso_error *err)
{
	static const char *const words[] = {"continuous", "integer", "categorical", "id"};

	for (size_t i = 0; i < f->q->nhint; i++) {
		const iso_column_hint *h = &f->q->hint[i];
		size_t c = 0, w = 0;

		while (c < f->n && strcmp(f->c[c].name, h->name) != 0)
			c++;
		while (w < ISO_COUNT(words) && strcmp(words[w], h->type) != 0)
			w++;
		ISO_FAIL_IF(c == f->n, err, ISO_E_CONFIG,
			    "unknown column (%s): \"%.80s\" has a type and is not in the header",
			    f->q->csv, h->name);
		ISO_FAIL_IF(
			w == ISO_COUNT(words), err, ISO_E_CONFIG,
			"unknown type (column %.80s): \"%.40s\" cannot be estimated privately; use "
			"continuous, integer, categorical or id",
			h->name, h->type);
	}
	return ISO_OK;
}

static iso_status find_label(inference *f, iso_error *err)
{
	const char *const label = f->q->label;

	f->label = SIZE_MAX;
	for (size_t i = 0; i < f->n && f->label == SIZE_MAX; i++)
		if (label ? strcmp(f->c[i].name, label) == 0 : iso_names_label(f->c[i].name))
			f->label = i;
	ISO_FAIL_IF(label && f->label == SIZE_MAX, err, ISO_E_CONFIG,
		    "unknown label (%s): no column is called \"%.80s\"", f->q->csv, label);
	return ISO_OK;
}

static iso_status read_header(inference *f, char **field, size_t nfield, iso_error *err)
{
	f->c = iso_arena_alloc(&f->arena, nfield, sizeof(*f->c));
	if (!f->c)
		return iso_no_memory(err, "a schema");
	f->n = nfield;
	for (size_t i = 0; i < nfield; i++) {
		f->c[i].name = iso_arena_strdup(&f->arena, field[i]);
		if (!f->c[i].name)
			return iso_no_memory(err, "a schema");
		f->c[i].shape = hinted(f, field[i]);
		f->kept += f->c[i].shape != ID;
	}
	ISO_FAIL_IF(f->kept == 0, err, ISO_E_CONFIG,
		    "nothing to estimate (%s): every column is an id", f->q->csv);
	ISO_TRY(check_hints(f, err));
	return find_label(f, err);
}

static kind kind_of(const inference *f, const char *text, double *x)
{
	*x = NAN;
	for (size_t i = 0; i < ISO_COUNT(missing_codes); i++)
		if (strcmp(text, missing_codes[i]) == 0)
			return MISSING;
	if (!iso_number_read(text, f->csv.decimal, x))
		return TEXT;
	return *x == floor(*x) ? WHOLE : FRACTION;
}

static iso_status read_row(void *ctx, size_t row, size_t line, char **field, size_t nfield,
			   iso_error *err)
{
	inference *f = ctx;
	const size_t at = row - 1;

	(void)line;
	if (row == 0)
		return read_header(f, field, nfield, err);
	f->rows = row;
	for (size_t i = 0; i < nfield; i++) {
		column *c = &f->c[i];

		if (c->shape == ID)
			continue;
		ISO_TRY(iso_grow(&c->text, &c->cap[0], row, sizeof(*c->text), err));
		ISO_TRY(iso_grow(&c->value, &c->cap[1], row, sizeof(*c->value), err));
		ISO_TRY(iso_grow(&c->kind, &c->cap[2], row, 1, err));
		c->text[at] = iso_arena_strdup(&f->arena, field[i]);
		if (!c->text[at])
			return iso_no_memory(err, "the cells of a column");
		c->kind[at] = (uint8_t)kind_of(f, field[i], &c->value[at]);
	}
	return ISO_OK;
}

static iso_status note_hints(inference *f, iso_error *err)
{
	iso_str text = {0};

	for (size_t i = 0; i < f->n; i++)
		iso_str_addf(&text, "%s=%d;", f->c[i].name, (int)f->c[i].shape);
	iso_str_addf(&text, "label=%zu", f->label);
	if (!text.failed)
		f->hints = iso_arena_strdup(&f->arena, text.p);
	iso_str_free(&text);
	return f->hints ? ISO_OK : iso_no_memory(err, "a schema");
}

/* The separator follows from the header line, which is public; nothing else is guessed. */
static iso_status read_file(inference *f, iso_error *err)
{
	const iso_csv_format *asked = &f->q->format;
	uint8_t digest[32];
	char *text = NULL;
	size_t n = 0, header = 0;
	iso_status st;

	ISO_TRY(iso_file_read(f->q->csv, 0, &text, &n, err));
	while (header < n && text[header] != '\n')
		header++;
	iso_csv_sniff(text, header, asked, &f->csv);
	f->csv.name_first = 1;
	f->csv.trim = asked->trim;
	f->csv.comment = asked->comment;
	f->csv.row_names = asked->row_names;
	ISO_TRY_OUT(iso_sha256_of(text, n, digest, err));
	iso_hex(digest, 32, f->data);
	ISO_TRY_OUT(iso_csv_parse_as(text, n, f->q->csv, &f->csv, read_row, f, err));
	if (f->n == 0 || f->rows == 0)
		st = iso_fail(err, ISO_E_DATA,
			      "nothing to infer from (%s): the file needs a header and rows",
			      f->q->csv);
out:
	iso_free(text);
	return st == ISO_OK ? note_hints(f, err) : st;
}

/* ------------------------------------------------------------------ releases */

static double unit_of(const inference *f)
{
	return f->q->adjacency == ISO_REPLACE_ONE ? 2 : 1;
}

static iso_schema_release release_of(const inference *f)
{
	const double each = f->q->epsilon / (double)f->kept, delta = f->q->delta / (double)f->kept;

	return (iso_schema_release){
		.epsilon = f->q->epsilon,
		.delta = f->q->delta,
		.replace_one = f->q->adjacency == ISO_REPLACE_ONE,
		.seeded = !f->q->secure,
		.types = {.count = f->kept, .epsilon = TYPE_SHARE * each},
		.columns = {.count = f->kept, .epsilon = (1 - TYPE_SHARE) * each, .delta = delta}};
}

static iso_status plan_one(iso_plan *p, const char *why, iso_mech mechanism, double epsilon,
			   double delta, size_t count, iso_error *err)
{
	const iso_event e = {
		.mechanism = mechanism, .epsilon = epsilon, .delta = delta, .count = count};

	return count ? iso_plan_event(p, (iso_entry){.why = why}, &e, 1, err) : ISO_OK;
}

static iso_status open_ledger(const inference *f, iso_plan *plan, iso_ledger **out, iso_error *err)
{
	iso_release_key key;
	const iso_release_facts facts = {.seed = f->q->seed,
					 .secure = f->q->secure,
					 .generator = "schema infer --private",
					 .options = f->hints,
					 .data = f->data,
					 .n = f->rows,
					 .epsilon = f->q->epsilon,
					 .delta = f->q->delta,
					 .adjacency = f->q->adjacency,
					 .plan = plan};
	iso_status st = iso_release_key_of(&facts, &key, err);

	if (st == ISO_OK)
		st = iso_ledger_new(plan, "schema", f->q->adjacency, &key, out, err);
	iso_plan_free(plan);
	return st;
}

static int is_label(const inference *f, const column *c)
{
	return f->label < f->n && c == f->c + f->label;
}

/* What a noisy histogram of kinds says.  A kind that a few cells have drowns in the noise: 5 times
 * its scale is passed by nothing with probability e^-5 / 2. */
static void decide_shape(const inference *f, column *c, const double *count)
{
	const double cut = 5 * unit_of(f) / release_of(f).types.epsilon;
	const double numbers = count[WHOLE] + count[FRACTION];

	c->missing = count[MISSING] > cut;
	if (c->shape != UNKNOWN)
		return;
	if (count[TEXT] >= numbers || (is_label(f, c) && count[FRACTION] <= cut))
		c->shape = CATEGORICAL;
	else
		c->shape = count[FRACTION] > cut ? CONTINUOUS : INTEGER;
}

static iso_status find_types(inference *f, iso_error *err)
{
	const iso_entry why = {.why = "schema-types"};
	uint32_t *cell = iso_alloc(f->rows, sizeof(*cell));
	iso_ledger *l = NULL;
	iso_plan plan = {0};
	double count[KINDS];
	iso_status st;

	if (!cell)
		return iso_no_memory(err, "the cells of a column");
	ISO_TRY_OUT(plan_one(&plan, why.why, ISO_MECH_PURE, release_of(f).types.epsilon, 0, f->kept,
			     err));
	ISO_TRY_OUT(open_ledger(f, &plan, &l, err));
	for (size_t i = 0; i < f->n; i++) {
		column *c = &f->c[i];

		if (c->shape == ID)
			continue;
		for (size_t r = 0; r < f->rows; r++)
			cell[r] = c->kind[r];
		ISO_TRY_OUT(iso_mech_histogram(l, why, cell, f->rows, 1, KINDS, count, err));
		decide_shape(f, c, count);
	}
	st = iso_ledger_settled(l, err);
out:
	iso_free(cell);
	iso_plan_free(&plan);
	iso_ledger_free(l);
	return st;
}

static iso_status find_categories(const inference *f, column *c, iso_ledger *l, iso_error *err)
{
	for (size_t r = 0; r < f->rows; r++)
		if (c->kind[r] == MISSING)
			c->text[r] = NULL;
	ISO_TRY(iso_mech_open_histogram(l, (iso_entry){.why = "schema-categories"},
					(const char *const *)c->text, f->rows, &c->open, err));
	for (size_t i = 1; i < c->open.n; i++)
		if (c->open.count[i] > c->open.count[c->most])
			c->most = i;
	return ISO_OK;
}

static iso_status find_domains(inference *f, iso_error *err)
{
	const iso_schema_cost cost = release_of(f).columns;
	size_t words = 0, numbers = 0;
	iso_ledger *l = NULL;
	iso_plan plan = {0};
	iso_status st;

	for (size_t i = 0; i < f->n; i++) {
		words += f->c[i].shape == CATEGORICAL;
		numbers += f->c[i].shape == CONTINUOUS || f->c[i].shape == INTEGER;
	}
	ISO_FAIL_IF(words && !(f->q->delta > 0), err, ISO_E_CONFIG,
		    "no delta (%s): categories of %zu columns are estimated, which needs a delta "
		    "above 0; give one well below 1/n = %.3g",
		    f->q->csv, words, 1 / (double)f->rows);
	ISO_TRY_OUT(plan_one(&plan, "schema-bounds", ISO_MECH_EXPONENTIAL, cost.epsilon / 2, 0,
			     2 * numbers, err));
	ISO_TRY_OUT(plan_one(&plan, "schema-categories", ISO_MECH_PURE, cost.epsilon, cost.delta,
			     words, err));
	ISO_TRY_OUT(open_ledger(f, &plan, &l, err));
	for (size_t i = 0; i < f->n; i++) {
		column *c = &f->c[i];

		if (c->shape == CATEGORICAL)
			ISO_TRY_OUT(find_categories(f, c, l, err));
		else if (c->shape != ID)
			ISO_TRY_OUT(iso_mech_bounds(l, (iso_entry){.why = "schema-bounds"},
						    c->value, f->rows, &c->low, &c->high, err));
	}
	st = iso_ledger_settled(l, err);
out:
	iso_plan_free(&plan);
	iso_ledger_free(l);
	return st;
}

/* ------------------------------------------------------------------ the schema */

static void add_bounds(iso_jsonw *w, cJSON *o, const column *c)
{
	double bounds[2] = {c->low, c->high};

	if (c->shape == INTEGER) {
		bounds[0] = fmax(floor(c->low), -0x1p52);
		bounds[1] = fmin(ceil(c->high), 0x1p52);
		if (!(bounds[0] < bounds[1]))
			bounds[1] = bounds[0] + 1;
	}
	iso_jsonw_text(w, o, "type", c->shape == INTEGER ? "integer" : "continuous");
	iso_jsonw_numbers(w, o, "bounds", bounds, 2);
	iso_jsonw_text(w, o, "outside", "clip");
}

/* Rare categories of a feature become one of their own, of the label the most frequent one. */
static void add_categories(iso_jsonw *w, cJSON *o, const column *c, int label)
{
	cJSON *list = iso_jsonw_array(w, o, "categories");
	int named = 0;

	for (size_t i = 0; i < c->open.n; i++) {
		iso_jsonw_text(w, list, NULL, c->open.name[i]);
		named |= strcmp(c->open.name[i], OTHER) == 0;
	}
	label = label && c->open.n >= 2;
	if (!label && !named)
		iso_jsonw_text(w, list, NULL, OTHER);
	iso_jsonw_text(w, o, "type",
		       c->open.n + (size_t) !(label || named) == 2 ? "binary" : "categorical");
	iso_jsonw_text(w, o, "outside", label ? c->open.name[c->most] : OTHER);
}

static void add_column(const inference *f, iso_jsonw *w, cJSON *list, const column *c)
{
	const int words = c->shape == CATEGORICAL;
	const int dropped = c->shape == ID || (words && c->open.n == 0);
	cJSON *o = iso_jsonw_object(w, list, NULL), *codes;

	iso_jsonw_text(w, o, "name", c->name);
	iso_jsonw_text(w, o, "role", dropped ? "id" : is_label(f, c) ? "label" : "feature");
	if (dropped)
		return;
	if (words)
		add_categories(w, o, c, is_label(f, c));
	else
		add_bounds(w, o, c);
	if (!c->missing)
		return;
	codes = iso_jsonw_array(w, o, "missing");
	for (size_t i = 0; i < ISO_COUNT(missing_codes); i++)
		iso_jsonw_text(w, codes, NULL, missing_codes[i]);
}

static void note_column(const inference *f, const column *c)
{
	const double need = 18 * unit_of(f) / (release_of(f).columns.epsilon / 2);

	if (c->shape == ID)
		iso_str_addf(f->notes, "column %s is an identifier: dropped\n", c->name);
	else if (c->shape == CATEGORICAL && c->open.n == 0)
		iso_str_addf(f->notes,
			     "column %s has no category with a noisy count above %.0f: dropped "
			     "(role id)\n",
			     c->name, c->open.threshold);
	else if (c->shape == CATEGORICAL)
		iso_str_addf(f->notes, "column %s: %zu categories have a noisy count above %.0f\n",
			     c->name, c->open.n, c->open.threshold);
	else if ((double)f->rows < need)
		iso_str_addf(f->notes,
			     "column %s: bounds %g to %g are noise, since %zu rows are fewer than "
			     "the %.0f that this epsilon needs\n",
			     c->name, c->low, c->high, f->rows, need);
	else
		iso_str_addf(f->notes, "column %s: bounds %g to %g\n", c->name, c->low, c->high);
}

static iso_status make_schema(const inference *f, iso_schema **out, iso_error *err)
{
	const char *slash = strrchr(f->q->csv, '/'), *base = slash ? slash + 1 : f->q->csv;
	char name[80];
	iso_jsonw w = {0};
	cJSON *o = iso_jsonw_object(&w, NULL, NULL), *list, *v;
	iso_status st;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
	iso_jsonw_text(&w, o, "name", *name ? name : "private");
	list = iso_jsonw_array(&w, o, "columns");
	for (size_t i = 0; i < f->n; i++) {
		add_column(f, &w, list, &f->c[i]);
		if (f->notes)
			note_column(f, &f->c[i]);
	}
	ISO_TRY(iso_jsonw_end(&w, o, "a schema", &v, err));
	st = iso_schema_from_json(v, f->q->csv, out, err);
	cJSON_Delete(v);
	if (st != ISO_OK)
		return st;
	(*out)->csv = f->csv;
	(*out)->csv.name_first = 0;
	(*out)->release = release_of(f);
	return ISO_OK;
}

static void free_inference(inference *f)
{
	for (size_t i = 0; i < f->n; i++) {
		iso_free(f->c[i].text);
		iso_free(f->c[i].value);
		iso_free(f->c[i].kind);
		iso_open_counts_free(&f->c[i].open);
	}
	iso_arena_free(&f->arena);
}

iso_status iso_schema_infer_private(const iso_private_schema *q, iso_schema **out, iso_str *notes,
				    iso_error *err)
{
	inference f = {.q = q, .notes = notes};
	iso_status st;

	*out = NULL;
	ISO_FAIL_IF(!(q->epsilon > 0) || !isfinite(q->epsilon), err, ISO_E_CONFIG,
		    "impossible budget (private schema): epsilon is %g; give a finite number above "
		    "0",
		    q->epsilon);
	ISO_FAIL_IF(!(q->delta >= 0 && q->delta < 0.5), err, ISO_E_CONFIG,
		    "impossible budget (private schema): delta is %g; give a number from 0 to "
		    "below 0.5",
		    q->delta);
	st = read_file(&f, err);
	if (st == ISO_OK)
		st = find_types(&f, err);
	if (st == ISO_OK)
		st = find_domains(&f, err);
	if (st == ISO_OK)
		st = make_schema(&f, out, err);
	free_inference(&f);
	return st;
}

/* ------------------------------------------------------------------ the account */

static iso_status plan_prior(iso_plan *plan, const char *why, const iso_schema_cost *c,
			     iso_error *err)
{
	if (!c->count)
		return ISO_OK;
	ISO_TRY(plan_one(plan, why, ISO_MECH_PURE, c->epsilon, c->delta, c->count, err));
	plan->v[plan->n - 1].prior = plan->v[plan->n - 1].fixed = 1;
	return ISO_OK;
}

iso_status iso_schema_plan(const iso_schema *s, iso_adjacency adjacency, iso_plan *plan,
			   iso_error *err)
{
	const iso_schema_release *r = &s->release;

	if (!r->columns.count)
		return ISO_OK;
	ISO_FAIL_IF(r->replace_one != (adjacency == ISO_REPLACE_ONE), err, ISO_E_CONFIG,
		    "two adjacencies (schema %s): its bounds were estimated under %s, the training "
		    "is under %s; use one",
		    s->name, r->replace_one ? "replace-one" : "add-remove",
		    r->replace_one ? "add-remove" : "replace-one");
	ISO_TRY(plan_prior(plan, "schema-types", &r->types, err));
	return plan_prior(plan, "schema-columns", &r->columns, err);
}
