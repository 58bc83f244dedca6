// SPDX-License-Identifier: Apache-2.0
#include "attacks/kit/shadows.h"

#include "core/base/alloc.h"

/* The auxiliary rows and those targets that the coins put in. */
static iso_status shadow_rows(const iso_attack_view *v, const uint8_t *in, iso_table **out,
			      iso_error *err)
{
	uint32_t *row = iso_alloc(v->targets->n, sizeof(*row));
	iso_table *chosen = NULL;
	size_t n = 0;
	iso_status st = row ? ISO_OK : iso_no_memory(err, "a shadow");

	for (size_t i = 0; row && i < v->targets->n; i++)
		if (in[i])
			row[n++] = (uint32_t)i;
	if (st == ISO_OK)
		st = iso_table_select(v->targets, row, n, &chosen, err);
	if (st == ISO_OK)
		st = iso_table_concat(v->auxiliary, chosen, out, err);
	iso_table_free(chosen);
	iso_free(row);
	/* identities 0..n-1: a shadow is a function of its rows alone */
	for (size_t i = 0; st == ISO_OK && i < (*out)->n; i++)
		(*out)->id[i] = i;
	return st;
}

static iso_status train_one(const iso_attack_view *v, size_t s, iso_shadows *x, iso_error *err)
{
	iso_stream coin = iso_stream_new(iso_key_child(iso_key_new(0, "attacks/shadows"), "", s));
	uint8_t *in = x->in + s * x->targets;
	iso_table *rows;
	iso_status st;

	for (size_t i = 0; i < x->targets; i++)
		in[i] = (uint8_t)iso_next_below(&coin, 2);
	ISO_TRY(shadow_rows(v, in, &rows, err));
	st = v->models->train(v->models->ctx, rows, s, &x->model[s], err);
	iso_table_free(rows);
	return st;
}

iso_status iso_shadows_train(const iso_attack_view *v, const char *attack, size_t n,
			     iso_shadows *out, iso_error *err)
{
	iso_shadows x = {.n = n, .targets = v->targets->n};
	iso_status st = ISO_OK;

	*out = (iso_shadows){0};
	ISO_FAIL_IF(!v->models || !v->auxiliary || v->auxiliary->n < 2, err, ISO_E_UNSUPPORTED,
		    "%s: shadow models and auxiliary rows are needed", attack);
	x.model = iso_alloc(n, sizeof(const iso_model *));
	x.in = iso_alloc(n, x.targets);
	if (!x.model || !x.in)
		st = iso_no_memory(err, "shadow models");
	for (size_t s = 0; st == ISO_OK && s < n; s++)
		st = train_one(v, s, &x, err);
	if (st == ISO_OK)
		*out = x;
	else
		iso_shadows_free(&x);
	return st;
}

void iso_shadows_free(iso_shadows *s)
{
	iso_free(s->model);
	iso_free(s->in);
	*s = (iso_shadows){0};
}
