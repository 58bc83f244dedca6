// SPDX-License-Identifier: Apache-2.0
/* The bound C_t of a step.  It may move: the loss is divided by C_t / C, so that what is clipped
 * and noised always stands in units of the planned C, and the result is multiplied back. */
#include <math.h>

#include "generators/kit/gan_trainer.h"

size_t iso_gan_public_batch(const iso_gan_trainer *t)
{
	return t->batch < 256 ? t->batch : 256;
}

/* Rows drawn with replacement, each with a fake of its label and its interpolate. */
void iso_gan_judge_public(iso_gan_trainer *t, uint64_t at, size_t n)
{
	const size_t w = t->m->width, ld = w * t->per;
	uint32_t row[256] = {0}, y[256];
	for (size_t j = 0; j < n; j++)
		row[j] = (uint32_t)(iso_rand_u01(t->pkey, at, j) * (double)t->open.table->n);
	t->turn = at;
	iso_gan_real_rows(t, &t->open, row, n, t->fx, ld, y);
	if (iso_gan_paired(t)) {
		iso_gan_labelled_fakes(t, y, n, t->fx + w, ld);
		for (size_t j = 0; j < n; j++)
			iso_gan_interpolate(t, t->fx + j * ld,
					    (float)iso_rand_u01(t->pkey, at, 1000 + j));
	}
	iso_gan_layer_noise(t, t->fake);
	iso_gan_judge(t, t->fake, t->fx, y, n);
}

/* Mean norm of the gradients of public records under today's D and G (dp-GAN, GANobfuscator). */
static double public_bound(iso_gan_trainer *t, uint64_t step)
{
	const size_t n = iso_gan_public_batch(t);
	double sum = 0;
	t->unit = 1;
	iso_gan_judge_public(t, step, n);
	iso_net_grad_norms2(t->at->net, t->fake, t->per, 0, t->norm);
	for (size_t j = 0; j < n; j++)
		sum += sqrt((double)t->norm[j]);
	return sum / (double)n;
}

float iso_gan_unit(iso_gan_trainer *t, uint64_t step)
{
	const iso_gan_options *o = &t->s->o;
	double u = 1;
	if (t->groups || o->bound == ISO_BOUND_FIXED)
		return 1;
	if (o->bound == ISO_BOUND_DECAY)
		for (double e = floor((double)step * t->at->dp.rate); e >= 1 && u > 0.35; e--)
			u *= 1 - o->decay;
	if (o->bound == ISO_BOUND_DECAY)
		return (float)(u < 0.35 ? 0.35 : u);
	u = public_bound(t, step);
	return (float)((u > o->bound_floor ? u : o->bound_floor) / o->clip);
}
