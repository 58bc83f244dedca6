// SPDX-License-Identifier: Apache-2.0
/* Game: attribute inference.  Knowledge: NB and the target's other columns.
 * Source: M. Giomi, F. Boenisch, C. Wehmeyer, B. Tasnadi, Anonymeter, PoPETs 2023 (attacks.md
 * section 4.3); with k = 10 the generator's form of Fredrikson's MAP estimate (section 4.1 c).
 *
 *     value = the commonest (numbers: mean) secret among the k synthetic rows nearest to the
 * target's known columns; score = its share among them
 */
#include <math.h>

#include "attacks/kit/masked.h"
#include "core/base/alloc.h"

typedef struct opts {
	char secret[ISO_OPT_TEXT_MAX];
	int64_t neighbours;
} opts;
static const iso_option options[] = {
	ISO_OPT_STRING(opts, secret, "",
		       "the secret column; empty = the label, else the last column"),
	ISO_OPT_INT(opts, neighbours, "1", 1, 1000, "nearest synthetic rows that vote"),
	{0}};

static const char *secret_of(const void *opt)
{
	return ((const opts *)opt)->secret;
}

static iso_guess vote(const iso_table *s, size_t secret, const size_t *place, size_t k,
		      double *count)
{
	const iso_column *c = &s->schema->column[secret];
	iso_guess g = {0, NAN};
	double sum = 0, n = 0;

	for (size_t i = 0; i < c->ncategory; i++)
		count[i] = 0;
	for (size_t j = 0; j < k; j++) {
		const double v = iso_table_cell(s, place[j], secret);

		if (isnan(v))
			continue;
		n++;
		if (!iso_is_discrete(c))
			sum += v;
		else if (++count[(size_t)v] > g.score)
			g = (iso_guess){count[(size_t)v], v};
	}
	if (!iso_is_discrete(c) && n > 0)
		g = (iso_guess){n, sum / n};
	g.score /= (double)k;
	return g;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const size_t k = (size_t)((const opts *)opt)->neighbours, n = v->targets->n;
	iso_masked m = {0};
	double *dist = NULL, *count = NULL;
	size_t *place = NULL;
	iso_status st;

	(void)state;
	ISO_TRY(iso_needs_synthetic(v, "attribute-nearest", k, err));
	ISO_FAIL_IF(v->secret < 0, err, ISO_E_UNSUPPORTED, "attribute-nearest: no secret column");
	ISO_TRY_OUT(iso_masked_new(v->targets, v->synthetic, &m, err));
	dist = iso_alloc(n * k, sizeof(*dist));
	place = iso_alloc(n * k, sizeof(*place));
	count = iso_alloc(v->schema->column[v->secret].ncategory + 1, sizeof(*count));
	if (!dist || !place || !count) {
		st = iso_no_memory(err, "nearest rows");
		goto out;
	}
	ISO_TRY_OUT(iso_pair_nearest(&m.known, &m.synthetic, k, 0, dist, place, err));
	for (size_t i = 0; i < n; i++)
		out[i] = vote(v->synthetic, (size_t)v->secret, place + i * k, k, count);
out:
	iso_masked_free(&m);
	iso_free(dist);
	iso_free(place);
	iso_free(count);
	return st;
}

const iso_attack iso_attack_attribute_nearest = {
	.abi = ISO_ATTACK_ABI,
	.name = "attribute-nearest",
	.title = "Attribute inference by the nearest synthetic row",
	.citation = "M. Giomi, F. Boenisch, C. Wehmeyer, B. Tasnadi: A Unified Framework for "
		    "Quantifying "
		    "Privacy Risk in Synthetic Data. PoPETs 2023. arXiv:2211.10459",
	.card = "The secret cell is guessed from the synthetic row that is nearest in the other "
		"columns. "
		"The risk compares the success on members with that on non-members: what is as "
		"true "
		"of people outside the training rows is no leak. Numbers count as right within 5 % "
		"of "
		"the public range (the public code's relative error accepts every negative guess).",
	.goal = ISO_GOAL_ATTRIBUTE,
	.knows = ISO_KNOWS_SYNTHETIC,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
	.secret = secret_of,
};
