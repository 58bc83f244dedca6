// SPDX-License-Identifier: Apache-2.0
/* Game: redrawn.  Knowledge: NB (rows=0) or FBB, and all other columns of all training rows.
 * Source: M. Annamalai, A. Gadotti, L. Rocher, A Linear Reconstruction Attack on Synthetic Data,
 * USENIX Security 2024 (attacks.md section 5.2).
 *
 *     Q conjunctive queries over two to four known columns, each of 1 to 20 % of the rows
 *     a_q  = n/m #{ synthetic rows that match q and have the secret }
 *     minimise  sum_q ( (a_q - sum_{i matches q} t_i) / sd_q )^2   over t in [0, 1]^n
 *
 * by projected gradient descent (the paper solves a linear program with absolute errors); sd_q =
 * the root of the number of rows that match.  value = t_i above one half, score = its distance from
 * one half.
 */
#include <math.h>

#include "attacks/kit/table_features.h"
#include "attacks/attack.h"
#include "core/base/alloc.h"

#define STEPS 300
#define TRIES 20 /* queries drawn for each that is kept */

typedef struct opts {
	char secret[ISO_OPT_TEXT_MAX];
	int64_t rows, queries;
} opts;
static const iso_option options[] = {
	ISO_OPT_STRING(opts, secret, "",
		       "the secret column, of two categories; empty = the label, else the last "
		       "column"),
	ISO_OPT_INT(opts, rows, "0", 0, 1000000,
		    "rows drawn of the generator; 0 = the released table alone"),
	ISO_OPT_INT(opts, queries, "0", 0, 1000000, "0 = eight times the training rows"),
	{0}};

static uint32_t knows_of(const void *opt)
{
	const opts *o = opt;

	return ISO_KNOWS_SYNTHETIC | (o->rows ? ISO_KNOWS_ORACLE : 0);
}

static const char *secret_of(const void *opt)
{
	return ((const opts *)opt)->secret;
}

/* Queries as lists of the training rows that match. */
typedef struct system {
	size_t n, q;
	size_t *first; /* owned [q + 1] */
	uint32_t *row; /* owned [first[q]] */
	size_t room, rows_cap, first_cap;
	double *answer; /* owned [q] */
	size_t answer_cap;
} system;

static void system_free(system *s)
{
	iso_free(s->first);
	iso_free(s->row);
	iso_free(s->answer);
}

/* A query is what a random training row looks like in some columns. */
static iso_status add_query(const iso_attack_view *v, const iso_table *s,
			    const iso_queries *columns, iso_stream *draw, uint64_t *bits, system *a,
			    iso_error *err)
{
	const size_t n = v->targets->n, pick = (size_t)iso_next_below(draw, n),
		     want = 2 + (size_t)iso_next_below(draw, 3), at = a->first[a->q];
	const size_t secret = (size_t)v->secret;
	uint64_t mask = 0;
	size_t hits = 0;
	double with = 0;

	for (size_t k = 0; k < 8 * want && (size_t)__builtin_popcountll(mask) < want; k++) {
		const size_t j = (size_t)iso_next_below(draw, columns->ncolumn);

		if (columns->column[j] != secret)
			mask |= UINT64_C(1) << j;
	}
	iso_queries_agree(columns, v->targets, pick, v->targets, bits);
	for (size_t i = 0; i < n; i++)
		hits += (bits[i] & mask) == mask;
	if (!mask || hits * 100 < n || hits * 5 > n)
		return ISO_OK;
	ISO_TRY(iso_grow(&a->row, &a->rows_cap, at + hits, sizeof(*a->row), err));
	ISO_TRY(iso_grow(&a->first, &a->first_cap, a->q + 2, sizeof(*a->first), err));
	ISO_TRY(iso_grow(&a->answer, &a->answer_cap, a->q + 1, sizeof(*a->answer), err));
	hits = 0;
	for (size_t i = 0; i < n; i++)
		if ((bits[i] & mask) == mask)
			a->row[at + hits++] = (uint32_t)i;
	iso_queries_agree(columns, v->targets, pick, s, bits);
	for (size_t r = 0; r < s->n; r++)
		with += (bits[r] & mask) == mask && iso_table_cell(s, r, secret) == 1;
	a->answer[a->q++] = with * (double)n / (double)s->n;
	a->first[a->q] = at + hits;
	return ISO_OK;
}

static iso_status ask_queries(const iso_attack_view *v, const opts *o, const iso_table *s,
			      system *a, iso_error *err)
{
	const size_t n = v->targets->n, want = o->queries ? (size_t)o->queries : 8 * n;
	iso_stream draw = iso_stream_new(iso_key_child(v->key, "queries", 0));
	uint64_t *bits = iso_alloc(n > s->n ? n : s->n, sizeof(*bits));
	iso_queries columns = {0};
	iso_status st = bits ? ISO_OK : iso_no_memory(err, "queries");

	a->n = n;
	ISO_TRY_OUT(st);
	ISO_TRY_OUT(iso_queries_new(v->schema, 1, v->key, &columns, err));
	ISO_TRY_OUT(iso_grow(&a->first, &a->first_cap, 1, sizeof(*a->first), err));
	a->first[0] = 0;
	for (size_t i = 0; i < TRIES * want && a->q < want && columns.ncolumn > 1; i++)
		ISO_TRY_OUT(add_query(v, s, &columns, &draw, bits, a, err));
	if (a->q == 0)
		st = iso_fail(err, ISO_E_UNSUPPORTED,
			      "linear-reconstruction: no query over the known columns holds of 1 "
			      "to 20 %% of the rows");
out:
	iso_queries_free(&columns);
	iso_free(bits);
	return st;
}

/* One step t -= A^T W (A t - a) / L, back into [0, 1]; L bounds the largest eigenvalue by the
 * largest row sum of A^T W A. */
static void gradient(const system *a, const double *t, double *g)
{
	for (size_t i = 0; i < a->n; i++)
		g[i] = 0;
	for (size_t q = 0; q < a->q; q++) {
		const size_t from = a->first[q], to = a->first[q + 1];
		double e = -a->answer[q];

		for (size_t k = from; k < to; k++)
			e += t[a->row[k]];
		e /= (double)(to - from);
		for (size_t k = from; k < to; k++)
			g[a->row[k]] += e;
	}
}

static iso_status solve(const system *a, double *t, iso_error *err)
{
	double *g = iso_alloc(a->n, sizeof(*g)), *sum = iso_alloc(a->n, sizeof(*sum)), most = 0;

	if (!g || !sum) {
		iso_free(g);
		iso_free(sum);
		return iso_no_memory(err, "a linear system");
	}
	for (size_t k = 0; k < a->first[a->q]; k++)
		sum[a->row[k]]++; /* a row of A^T W A sums to the number of its queries */
	for (size_t i = 0; i < a->n; i++) {
		most = fmax(most, sum[i]);
		t[i] = 0.5;
	}
	for (int step = 0; step < STEPS; step++) {
		gradient(a, t, g);
		for (size_t i = 0; i < a->n; i++)
			t[i] = fmin(1, fmax(0, t[i] - g[i] / most));
	}
	iso_free(g);
	iso_free(sum);
	return ISO_OK;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	iso_table *drawn = NULL;
	const iso_table *s = v->synthetic;
	double *t = NULL;
	system a = {0};
	iso_status st;

	(void)state;
	ISO_FAIL_IF(!s || !s->n || (o->rows && !v->draw), err, ISO_E_UNSUPPORTED,
		    "linear-reconstruction: there are no synthetic rows to ask");
	ISO_FAIL_IF(v->secret < 0 || v->schema->column[v->secret].ncategory != 2, err,
		    ISO_E_UNSUPPORTED,
		    "linear-reconstruction: the secret has %zu categories, not two; name a binary "
		    "column",
		    v->secret < 0 ? 0 : v->schema->column[v->secret].ncategory);
	if (o->rows) {
		ISO_TRY_OUT(v->draw(v->ctx, (size_t)o->rows, &drawn, err));
		s = drawn;
	}
	ISO_TRY_OUT(ask_queries(v, o, s, &a, err));
	t = iso_alloc(a.n, sizeof(*t));
	st = t ? solve(&a, t, err) : iso_no_memory(err, "a linear system");
	for (size_t i = 0; st == ISO_OK && i < a.n; i++)
		out[i] = (iso_guess){fabs(t[i] - 0.5), t[i] > 0.5};
out:
	system_free(&a);
	iso_table_free(drawn);
	iso_free(t);
	return st;
}

const iso_attack iso_attack_linear_reconstruction = {
	.abi = ISO_ATTACK_ABI,
	.name = "linear-reconstruction",
	.title = "Linear reconstruction of a secret column",
	.citation =
		"M. S. M. S. Annamalai, A. Gadotti, L. Rocher: A Linear Reconstruction Approach "
		"for Attribute Inference Attacks against Synthetic Data. USENIX Security 2024. "
		"arXiv:2301.10053",
	.card = "The attacker knows every column but a binary secret of all training rows, asks "
		"the synthetic table thousands of counting queries over the known columns, and "
		"finds the secrets that fit the answers best. The game draws the secrets anew, so "
		"that chance is one half and what the population knows does not help. More "
		"released rows (rows=) make it stronger. Deviation: least squares by projected "
		"gradient in place of a linear program.",
	.goal = ISO_GOAL_REDRAWN,
	.knows = ISO_KNOWS_SYNTHETIC | ISO_KNOWS_ORACLE,
	.knows_of = knows_of,
	.version = 1,
	.knowledge = "FBB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
	.secret = secret_of,
};
