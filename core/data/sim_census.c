// SPDX-License-Identifier: Apache-2.0
/* sim-census: a known Bayesian network, so that true conditionals are at hand.  Parents in
 * brackets:
 *
 *     region                    P = north .30, south .30, east .25, west .15
 *     sex                       P(male) = .5
 *     age                       17 + floor(74 U^1.5), U uniform: young rows are commoner
 *     education [age, region]   softmax over 5 levels of -(level - m)^2 / 2, m = 2.0 + .4 (region
 * in {north, east})
 *                               - 1.2 (age < 22) - .015 (age - 45)+
 *     marital [age]             single, married, divorced, widowed with weights e^(-(age-17)/9), 1
 * - e^(-(age-17)/9), .25 (1 - e^(-(age-17)/20)), .02 + .5 ((age - 55)+ / 35)^2 occupation
 * [education, sex]  weight of o = e^(-(education - c_o)^2 / 2) * b_o(sex), tables below; "?" with
 *                               probability .05, or .30 above age 66
 *     hours [occupation, age]   round N(mean_o - 14 (age > 66), 9^2) in 0..99; "?" counts as mean
 * 34 capital [education, age]  0 with probability .92 - .03 education, else e^N(7 + .3 education +
 * .01 age, 1), at most 1e5 income [age, education, hours, marital, sex, capital]  P(high) =
 * sigmoid(-5.4 + .9 education + .05 (hours - 38)
 *                               + .05 (min(age, 55) - 17) + .9 married + .35 male + .0002
 * min(capital, 2e4))
 */
#include <math.h>

#include "core/data/sim.h"
#include "core/math/vmath.h"

enum { AGE, EDUCATION, OCCUPATION, HOURS, MARITAL, SEX, CAPITAL, REGION, INCOME };
enum { MARRIED = 1 };

static const double occupation_centre[6] = {0.5, 1.2, 1.8, 1.6, 3.0, 3.2};
static const double occupation_sex[2][6] = {{1.4, 0.2, 1.5, 1.0, 0.7, 0.8},
					    {0.8, 1.6, 0.5, 1.0, 1.2, 1.2}};
static const double occupation_hours[6] = {35, 41, 38, 39, 41, 45};

static size_t draw_education(double age, size_t region, iso_stream *s)
{
	double w[5], mean = 2.0 + (region == 0 || region == 2 ? 0.4 : 0) - (age < 22 ? 1.2 : 0) -
			    0.015 * fmax(age - 45, 0);

	for (int i = 0; i < 5; i++)
		w[i] = iso_exp(-0.5 * (i - mean) * (i - mean));
	return iso_next_choice(s, w, 5);
}

static size_t draw_marital(double age, iso_stream *s)
{
	double single = iso_exp(-(age - 17) / 9), old = fmax(age - 55, 0) / 35;
	double w[4] = {single, 1 - single, 0.25 * (1 - iso_exp(-(age - 17) / 20)),
		       0.02 + 0.5 * old * old};

	return iso_next_choice(s, w, 4);
}

static size_t draw_occupation(size_t education, size_t sex, iso_stream *s)
{
	double w[6];

	for (int i = 0; i < 6; i++) {
		double d = (double)education - occupation_centre[i];

		w[i] = iso_exp(-0.5 * d * d) * occupation_sex[sex][i];
	}
	return iso_next_choice(s, w, 6);
}

static double draw_capital(double education, double age, iso_stream *s)
{
	double u = iso_next_u01(s), z = iso_next_normal(s);

	if (u < 0.92 - 0.03 * education)
		return 0;
	return rint(fmin(iso_exp(7 + 0.3 * education + 0.01 * age + z), 1e5) * 100) / 100;
}

void iso_sim_census(iso_table *t, size_t r, iso_stream *s)
{
	static const double region_weight[4] = {0.30, 0.30, 0.25, 0.15};
	double *x = t->cells + r * t->schema->ncol, u = iso_next_u01(s), mean, z;
	size_t region, occupation;

	region = iso_next_choice(s, region_weight, 4);
	x[REGION] = (double)region;
	x[SEX] = (double)iso_next_below(s, 2);
	x[AGE] = fmin(17 + floor(74 * u * sqrt(u)), 90);
	x[EDUCATION] = (double)draw_education(x[AGE], region, s);
	x[MARITAL] = (double)draw_marital(x[AGE], s);
	occupation = draw_occupation((size_t)x[EDUCATION], (size_t)x[SEX], s);
	x[OCCUPATION] = iso_next_u01(s) < (x[AGE] > 66 ? 0.30 : 0.05) ? NAN : (double)occupation;
	mean = isnan(x[OCCUPATION]) ? 34 : occupation_hours[occupation];
	x[HOURS] = fmin(fmax(rint(mean - (x[AGE] > 66 ? 14 : 0) + 9 * iso_next_normal(s)), 0), 99) +
		   0.0;
	x[CAPITAL] = draw_capital(x[EDUCATION], x[AGE], s);
	z = -5.4 + 0.9 * x[EDUCATION] + 0.05 * (x[HOURS] - 38) + 0.05 * (fmin(x[AGE], 55) - 17) +
	    0.9 * ((int)x[MARITAL] == MARRIED) + 0.35 * x[SEX] + 0.0002 * fmin(x[CAPITAL], 2e4);
	x[INCOME] = iso_next_u01(s) < iso_sigmoid(z);
}
