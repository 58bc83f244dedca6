// SPDX-License-Identifier: Apache-2.0
/* sim-digits: ten glyphs of strokes in a unit square (x right, y down), each drawn with shaken
 * control points, a random affine map and a random pen.  The grey of a pixel falls linearly over
 * one pixel at the stroke's edge. */
#include <math.h>
#include <string.h>

#include "core/data/sim.h"
#include "core/math/vmath.h"

#define SIDE 28
#define MAX_POINTS 20
#define SUBDIVIDE 4
#define PI 3.14159265358979323846

/* Points of a smooth curve (Catmull-Rom); a negative x lifts the pen. */
typedef struct glyph {
	int n;
	double p[MAX_POINTS][2];
} glyph;
#define LIFT \
	{ \
		-1, 0 \
	}

static const glyph glyphs[10] = {
	{9,
	 {{.50, .08},
	  {.27, .22},
	  {.22, .50},
	  {.27, .78},
	  {.50, .92},
	  {.73, .78},
	  {.78, .50},
	  {.73, .22},
	  {.50, .08}}},
	{6, {{.34, .26}, {.45, .18}, {.54, .08}, LIFT, {.54, .08}, {.52, .92}}},
	{9,
	 {{.25, .28},
	  {.36, .12},
	  {.55, .08},
	  {.72, .20},
	  {.68, .42},
	  {.48, .64},
	  {.24, .90},
	  {.50, .90},
	  {.78, .88}}},
	{10,
	 {{.26, .16},
	  {.50, .08},
	  {.72, .20},
	  {.66, .40},
	  {.44, .48},
	  {.66, .52},
	  {.76, .70},
	  {.66, .86},
	  {.46, .92},
	  {.24, .84}}},
	{8,
	 {{.60, .08},
	  {.40, .36},
	  {.20, .62},
	  {.50, .62},
	  {.82, .62},
	  LIFT,
	  {.62, .30},
	  {.62, .92}}},
	{11,
	 {{.74, .10},
	  {.50, .10},
	  {.32, .10},
	  LIFT,
	  {.32, .10},
	  {.28, .44},
	  {.52, .40},
	  {.74, .54},
	  {.74, .76},
	  {.54, .92},
	  {.24, .86}}},
	{10,
	 {{.66, .08},
	  {.44, .22},
	  {.28, .48},
	  {.26, .74},
	  {.42, .92},
	  {.64, .88},
	  {.74, .70},
	  {.62, .52},
	  {.42, .54},
	  {.27, .70}}},
	{8,
	 {{.22, .12},
	  {.50, .12},
	  {.78, .10},
	  LIFT,
	  {.78, .10},
	  {.62, .38},
	  {.50, .64},
	  {.42, .92}}},
	{14,
	 {{.50, .48},
	  {.30, .38},
	  {.28, .20},
	  {.50, .08},
	  {.72, .20},
	  {.70, .38},
	  {.50, .48},
	  {.28, .60},
	  {.24, .80},
	  {.50, .92},
	  {.76, .80},
	  {.72, .60},
	  {.50, .48},
	  {.50, .48}}},
	{11,
	 {{.74, .28},
	  {.60, .10},
	  {.38, .12},
	  {.27, .30},
	  {.38, .48},
	  {.60, .46},
	  {.73, .28},
	  LIFT,
	  {.74, .26},
	  {.70, .60},
	  {.58, .92}}},
};

typedef struct stroke {
	double a[2], b[2];
} stroke;

/* Catmull-Rom through b, c with neighbours a, d, at u in [0, 1]. */
static double spline(double a, double b, double c, double d, double u)
{
	return b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)));
}

static size_t trace(const double p[][2], int n, stroke *out)
{
	size_t count = 0;

	for (int i = 0; i + 1 < n; i++) {
		const double *a = p[i > 0 ? i - 1 : 0], *b = p[i], *c = p[i + 1],
			     *d = p[i + 2 < n ? i + 2 : n - 1];
		double last[2] = {b[0], b[1]};

		for (int k = 1; k <= SUBDIVIDE; k++) {
			double u = (double)k / SUBDIVIDE;
			double at[2] = {spline(a[0], b[0], c[0], d[0], u),
					spline(a[1], b[1], c[1], d[1], u)};

			out[count++] = (stroke){{last[0], last[1]}, {at[0], at[1]}};
			memcpy(last, at, sizeof(last));
		}
	}
	return count;
}

/* Shake, map to pixels, cut into straight strokes.  Rotation within 12 degrees, shear 0.25, scale
 * 0.75 to 1.05, shift of 2. */
static size_t place(const glyph *g, iso_stream *s, stroke *out)
{
	double angle = (iso_next_u01(s) - 0.5) * 24 * PI / 180,
	       shear = (iso_next_u01(s) - 0.5) * 0.5;
	double sx = 20 * (0.75 + 0.3 * iso_next_u01(s)), sy = 22 * (0.8 + 0.25 * iso_next_u01(s));
	double dx = 14 + 4 * (iso_next_u01(s) - 0.5), dy = 14 + 4 * (iso_next_u01(s) - 0.5);
	double sine = iso_sin(angle), cosine = iso_cos(angle), p[MAX_POINTS][2];
	size_t count = 0;
	int from = 0;

	for (int i = 0; i <= g->n; i++) {
		double jitter[2] = {iso_next_normal(s), iso_next_normal(s)}, x, y;

		if (i == g->n || g->p[i][0] < 0) {
			count += trace((const double(*)[2])(p + from), i - from, out + count);
			from = i + 1;
			continue;
		}
		x = sx * (g->p[i][0] - 0.5 + 0.02 * jitter[0]);
		y = sy * (g->p[i][1] - 0.5 + 0.02 * jitter[1]);
		x -= shear * y;
		p[i][0] = dx + cosine * x - sine * y;
		p[i][1] = dy + sine * x + cosine * y;
	}
	return count;
}

static double distance2(const stroke *k, double x, double y)
{
	double ex = k->b[0] - k->a[0], ey = k->b[1] - k->a[1], fx = x - k->a[0], fy = y - k->a[1];
	double len = ex * ex + ey * ey, u = len > 0 ? (ex * fx + ey * fy) / len : 0;

	u = u < 0 ? 0 : u > 1 ? 1 : u;
	fx -= u * ex;
	fy -= u * ey;
	return fx * fx + fy * fy;
}

void iso_sim_digits(iso_table *t, size_t r, iso_stream *s)
{
	uint8_t *pixel = t->pixels + r * t->schema->npixel;
	uint64_t digit = iso_next_below(s, 10);
	double radius = 0.8 + 0.9 * iso_next_u01(s);
	stroke strokes[MAX_POINTS * SUBDIVIDE];
	size_t n = place(&glyphs[digit], s, strokes);

	t->cells[r * t->schema->ncol + 1] = (double)digit;
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++) {
			double best = 1e9, ink;

			for (size_t i = 0; i < n; i++) {
				double d = distance2(&strokes[i], x + 0.5, y + 0.5);

				best = d < best ? d : best;
			}
			ink = radius + 0.5 - sqrt(best);
			ink = ink < 0 ? 0 : ink > 1 ? 1 : ink;
			pixel[y * SIDE + x] = (uint8_t)rint(255 * ink);
		}
}
