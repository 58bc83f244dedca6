// SPDX-License-Identifier: Apache-2.0
/* sim-mixture and sim-series. */
#include <math.h>

#include "core/data/sim.h"
#include "core/math/vmath.h"

#define TWO_PI 6.283185307179586476925286766559

static double clamp(double x, double lo, double hi)
{
	return x < lo ? lo : x > hi ? hi : x;
}

/* To four decimals, the grain of both schemas. */
static double grain(double x)
{
	return rint(x * 1e4) / 1e4 + 0.0;
}

/* 25 equally likely modes at (2i - 4, 2j - 4), i, j = 0..4, each N(mode, 0.15^2 I): the toy of the
 * mode-collapse literature (Metz et al. 2017, "Unrolled generative adversarial networks", and
 * after).  Truth: Bayes accuracy 1 to ten digits. */
void iso_sim_mixture(iso_table *t, size_t r, iso_stream *s)
{
	double *cell = t->cells + r * t->schema->ncol;
	uint64_t mode = iso_next_below(s, 25);

	cell[0] = grain(clamp(2.0 * (double)(mode / 5) - 4 + 0.15 * iso_next_normal(s), -6, 6));
	cell[1] = grain(clamp(2.0 * (double)(mode % 5) - 4 + 0.15 * iso_next_normal(s), -6, 6));
	cell[2] = (double)mode;
}

/* Three equally likely classes over steps k = 0..23, level m ~ U(0.4, 0.6), amplitude a ~ U(0.15,
 * 0.35), phase p ~ U(0, 1): slow   m + a sin(2 pi (k / 24 + p)) fast   m + a sin(2 pi (4 k / 24 +
 * p)) trend  m + s a (2 k / 23 - 1), s = -1 or 1 plus AR(1) noise e_k = 0.6 e_(k-1) + N(0, 0.02^2),
 * clamped to [0, 1]. */
void iso_sim_series(iso_table *t, size_t r, iso_stream *s)
{
	double *cell = t->cells + r * t->schema->ncol;
	uint64_t kind = iso_next_below(s, 3);
	double level = 0.4 + 0.2 * iso_next_u01(s), amplitude = 0.15 + 0.2 * iso_next_u01(s),
	       phase = iso_next_u01(s);
	double sign = phase < 0.5 ? -1 : 1, noise = 0;

	for (int k = 0; k < 24; k++) {
		double wave = kind == 2 ? sign * (2 * k / 23.0 - 1)
					: iso_sin(TWO_PI * ((kind ? 4 : 1) * k / 24.0 + phase));

		noise = 0.6 * noise + 0.02 * iso_next_normal(s);
		cell[k] = grain(clamp(level + amplitude * wave + noise, 0, 1));
	}
	cell[24] = (double)kind;
}
