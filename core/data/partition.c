// SPDX-License-Identifier: Apache-2.0
/* Rows to clients, for federated methods; and the check that public rows are not private ones. */
#include <math.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/data/rows.h"
#include "core/data/split.h"
#include "core/math/vmath.h"
#include "core/rand/rand.h"

/* Gamma(alpha, 1): Marsaglia and Tsang, A simple method for generating gamma variables, ACM TOMS
 * 26(3), 2000; below 1 by their section 6: Gamma(alpha + 1) u^(1/alpha).  Returned as a logarithm,
 * since small alphas leave the range of doubles. */
static double log_gamma_draw(iso_stream *s, double alpha)
{
	const double boost = alpha < 1 ? iso_log(iso_next_u01(s)) / alpha : 0;
	const double d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3, c = 1 / sqrt(9 * d);

	for (;;) {
		const double x = iso_next_normal(s), t = 1 + c * x, v = t * t * t;

		if (t > 0 && iso_log(iso_next_u01(s)) < 0.5 * x * x + d - d * v + d * iso_log(v))
			return iso_log(d * v) + boost;
	}
}

/* Cumulative proportions of one class over the clients. */
static void dirichlet_cdf(iso_key key, size_t class, double alpha, size_t n, double *cdf)
{
	iso_stream s = iso_stream_new(iso_key_child(key, "class", class));
	double top = -INFINITY, sum = 0;

	for (size_t i = 0; i < n; i++) {
		cdf[i] = log_gamma_draw(&s, alpha);
		top = cdf[i] > top ? cdf[i] : top;
	}
	for (size_t i = 0; i < n; i++) {
		sum += iso_exp(cdf[i] - top);
		cdf[i] = sum;
	}
	for (size_t i = 0; i < n; i++)
		cdf[i] /= sum;
}

static uint32_t find(const double *cdf, size_t n, double u)
{
	size_t i = 0;

	while (i + 1 < n && !(u < cdf[i]))
		i++;
	return (uint32_t)i;
}

static iso_status deal_dirichlet(iso_table *t, iso_key key, const iso_partition *p, iso_error *err)
{
	const size_t classes = iso_schema_classes(t->schema), n = p->nclient;
	double *cdf = iso_alloc((classes + 1) * n, sizeof(*cdf)); /* the last: no label */

	if (!cdf)
		return iso_no_memory(err, "a partition");
	for (size_t k = 0; k <= classes; k++)
		dirichlet_cdf(key, k, p->alpha, n, cdf + k * n);
	for (size_t r = 0; r < t->n; r++) {
		const size_t y = classes ? iso_table_label(t, r) : classes;

		t->client[r] = find(cdf + (y < classes ? y : classes) * n, n,
				    iso_rand_u01(key, t->id[r], 0));
	}
	iso_free(cdf);
	return ISO_OK;
}

typedef struct ranked {
	size_t class, row;
	double u;
} ranked;

static int by_rank(const void *a_, const void *b_)
{
	const ranked *a = a_, *b = b_;

	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	if (a->u != b->u)
		return a->u < b->u ? -1 : 1;
	return a->row < b->row ? -1 : a->row > b->row;
}

/* Class by class in random order, in turn; the deal goes on where the class before left off. */
static iso_status deal_stratified(iso_table *t, iso_key key, size_t n, iso_error *err)
{
	ranked *v = iso_alloc(t->n + 1, sizeof(*v));

	if (!v)
		return iso_no_memory(err, "a partition");
	for (size_t r = 0; r < t->n; r++)
		v[r] = (ranked){iso_table_label(t, r), r, iso_rand_u01(key, t->id[r], 0)};
	qsort(v, t->n, sizeof(*v), by_rank);
	for (size_t i = 0; i < t->n; i++)
		t->client[v[i].row] = (uint32_t)(i % n);
	iso_free(v);
	return ISO_OK;
}

static iso_status deal_column(iso_table *t, const iso_partition *p, iso_error *err)
{
	const int c = p->column ? iso_schema_find(t->schema, p->column) : -1;
	const iso_column *col = c < 0 ? NULL : &t->schema->column[c];

	ISO_FAIL_IF(!col || !iso_is_discrete(col) || iso_is_dropped(col) || col->nmissing ||
			    col->ncategory < 2,
		    err, ISO_E_CONFIG,
		    "partition by column (data %s): \"%.80s\" must be a discrete column of two or "
		    "more categories without missing values; choose another",
		    t->schema->name, p->column ? p->column : "");
	t->nclient = col->ncategory;
	for (size_t r = 0; r < t->n; r++)
		t->client[r] = (uint32_t)iso_table_cell(t, r, (size_t)c);
	return ISO_OK;
}

static iso_status deal(iso_table *t, iso_key key, const iso_partition *p, iso_error *err)
{
	if (p->kind == ISO_PARTITION_COLUMN)
		return deal_column(t, p, err);
	if (p->kind == ISO_PARTITION_DIRICHLET)
		return deal_dirichlet(t, key, p, err);
	if (p->kind == ISO_PARTITION_STRATIFIED)
		return deal_stratified(t, key, p->nclient, err);
	for (size_t r = 0; r < t->n; r++) {
		const size_t y = p->kind == ISO_PARTITION_LABEL ? iso_table_label(t, r) : SIZE_MAX;
		const double u = iso_rand_u01(key, t->id[r], 0) * (double)p->nclient;

		t->client[r] = (uint32_t)(y != SIZE_MAX		   ? y % p->nclient
					  : u < (double)p->nclient ? (size_t)u
								   : p->nclient - 1);
	}
	return ISO_OK;
}

iso_status iso_partition_make(iso_table *t, uint64_t seed, const iso_partition *p, iso_error *err)
{
	size_t other = 1;

	ISO_FAIL_IF(p->kind != ISO_PARTITION_COLUMN && (p->nclient < 2 || p->nclient > 65536), err,
		    ISO_E_CONFIG, "partition (data %s): 2 to 65536 clients are possible (got %zu)",
		    t->schema->name, p->nclient);
	ISO_FAIL_IF(p->kind == ISO_PARTITION_DIRICHLET && !(p->alpha > 0 && p->alpha <= 1e6), err,
		    ISO_E_CONFIG,
		    "partition (data %s): \"alpha\" must be above 0 and at most 1e6 (got %g)",
		    t->schema->name, p->alpha);
	ISO_FAIL_IF(p->kind == ISO_PARTITION_LABEL && iso_schema_classes(t->schema) < 2, err,
		    ISO_E_CONFIG,
		    "partition by label (data %s): the data have no label of two or more classes; "
		    "use another partition",
		    t->schema->name);
	ISO_FAIL_IF(t->client, err, ISO_E_CONFIG,
		    "partition (data %s): the rows have clients already (role client); remove one "
		    "of the two",
		    t->schema->name);
	ISO_TRY(iso_table_add_clients(t, p->nclient, err));
	ISO_TRY(deal(t, iso_key_new(seed, "data/partition"), p, err));
	while (other < t->n && t->client[other] == t->client[0])
		other++;
	ISO_FAIL_IF(
		other >= t->n, err, ISO_E_DATA,
		"partition (data %s): all %zu rows fall to one client; use more rows or another "
		"partition",
		t->schema->name, t->n);
	return ISO_OK;
}

iso_status iso_public_check(const iso_table *t, const iso_table *public_rows, iso_error *err)
{
	iso_table *both = NULL;
	uint32_t *first = NULL;
	iso_status st;

	if (public_rows->n == 0)
		return ISO_OK;
	ISO_TRY(iso_table_concat(t, public_rows, &both, err));
	st = iso_rows_first(both, &first, err);
	for (size_t r = t->n; st == ISO_OK && r < both->n; r++)
		if (first[r] < t->n)
			st = iso_fail(
				err, ISO_E_DATA,
				"public rows that are private (data %s): public row %zu equals "
				"row %u of the private table; remove it from one of the two",
				t->schema->name, r - t->n, first[r]);
	iso_free(first);
	iso_table_free(both);
	return st;
}
