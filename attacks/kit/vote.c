// SPDX-License-Identifier: Apache-2.0
#include "attacks/kit/vote.h"

#include <math.h>

#include "attacks/kit/masked.h"
#include "core/base/alloc.h"

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

iso_status iso_vote(const iso_attack_view *v, const char *attack, size_t neighbours, iso_guess *out,
		    iso_error *err)
{
	const size_t k = neighbours, n = v->targets->n;
	iso_masked m = {0};
	double *dist = NULL, *count = NULL;
	size_t *place = NULL;
	iso_status st;

	ISO_TRY(iso_needs_synthetic(v, attack, k, err));
	ISO_FAIL_IF(v->secret < 0, err, ISO_E_UNSUPPORTED, "%s: no secret column", attack);
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
