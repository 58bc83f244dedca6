// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/vae_term.h"

#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/vae_loop.h"

iso_status iso_vae_term_init(iso_vae_term *t, iso_net *enc, size_t cap, iso_error *err)
{
	t->enc = enc;
	t->cap = cap;
	t->dim = iso_net_in(enc);
	t->latent = iso_net_out(enc) / 2;
	ISO_TRY(iso_ws_new(enc, cap, 0, &t->ws, err));
	float **const codes[] = {&t->noise, &t->z, &t->lv, &t->draws};
	int whole = 1;
	for (size_t i = 0; i < ISO_COUNT(codes); i++) {
		*codes[i] = iso_alloc(cap * t->latent, sizeof **codes[i]);
		whole &= *codes[i] != NULL;
	}
	t->x = iso_alloc(cap * t->dim, sizeof *t->x);
	t->grad = iso_alloc(cap * 2 * t->latent, sizeof *t->grad);
	t->scratch = iso_alloc(cap * (t->latent + 5), sizeof *t->scratch);
	return whole && t->x && t->grad && t->scratch ? ISO_OK
						      : iso_no_memory(err, "a batch-wise term");
}

void iso_vae_term_deinit(iso_vae_term *t)
{
	iso_ws_free(t->ws);
	float *const p[] = {t->x, t->noise, t->z, t->lv, t->draws, t->grad};
	for (size_t i = 0; i < ISO_COUNT(p); i++)
		iso_free(p[i]);
	iso_free(t->scratch);
	*t = (iso_vae_term){0};
}

double iso_vae_term_deltas(iso_vae_term *t, iso_key key, size_t n, const float *out, const float *z,
			   const float *noise, float *d)
{
	const size_t k = t->latent;
	for (size_t i = 0; i < n; i++) {
		iso_prior_draw(t->prior, key, i, t->draws + i * k, k);
		for (size_t j = 0; j < k; j++)
			t->lv[i * k + j] = iso_vae_logvar(out[(i * 2 + 1) * k + j]);
	}
	const iso_codes c = {.n = n,
			     .dims = k,
			     .mean = out,
			     .logvar = t->lv,
			     .z = z,
			     .noise = noise,
			     .prior = t->draws};
	memset(t->grad, 0, n * 2 * k * sizeof *t->grad);
	const double value =
		iso_divergence(t->divergence, t->prior, &c, t->weight, t->grad, t->scratch);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < k; j++) {
			const size_t mean = i * 2 * k + j, lv = mean + k;
			d[mean] += t->grad[mean];
			if (out[lv] == t->lv[i * k + j]) /* not clamped */
				d[lv] += t->grad[lv];
		}
	return value;
}

double iso_vae_term_gradient(iso_vae_term *t, iso_key key, size_t n, float *out)
{
	memset(out, 0, iso_net_params(t->enc) * sizeof *out);
	if (n < 2)
		return 0;
	iso_net_forward(t->enc, t->ws, t->x, t->dim, n, NULL);
	iso_vae_latents(iso_ws_out(t->ws), n, t->latent, t->noise, t->z, t->lv);
	float *const d = iso_ws_delta(t->ws);
	memset(d, 0, n * 2 * t->latent * sizeof *d);
	const double value = iso_vae_term_deltas(t, key, n, iso_ws_out(t->ws), t->z, t->noise, d);
	iso_net_backward(t->enc, t->ws, 0, NULL, 0);
	iso_net_weight_grad(t->enc, t->ws, NULL, 0, out);
	return value;
}
