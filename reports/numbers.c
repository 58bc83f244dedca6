// SPDX-License-Identifier: Apache-2.0
#include "reports/numbers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void iso_epsilon_text(double epsilon, char out[32])
{
	if (isinf(epsilon))
		snprintf(out, 32, "inf");
	else if (isnan(epsilon))
		snprintf(out, 32, "-");
	else
		snprintf(out, 32, "%.3g", epsilon);
}

/* Decimals that show three significant figures of x. */
static int decimals_of(double x)
{
	double m = fabs(x);
	int d = 2;

	for (; m >= 10 * (1 - 1e-12) && d > 0; m /= 10)
		d--;
	for (; m > 0 && m < 1 - 1e-12 && d < 4; m *= 10)
		d++;
	return d;
}

static void fixed(double x, int decimals, char out[32])
{
	if (isinf(x))
		snprintf(out, 32, x < 0 ? "-inf" : "inf");
	else if (isnan(x))
		snprintf(out, 32, "-");
	else if (fabs(x) >= 1e7 || (x != 0 && fabs(x) < 5e-5))
		snprintf(out, 32, "%.2e", x);
	else
		snprintf(out, 32, "%.*f", decimals, x);
	if (strspn(out, "-0.") == strlen(out) && out[0] == '-' && out[1])
		memmove(out, out + 1, strlen(out)); /* no negative zero */
}

void iso_number_text(double x, char out[32])
{
	fixed(x, x == floor(x) && fabs(x) < 1e6 ? 0 : decimals_of(x), out);
}

double iso_shown_unit(const char *unit, const char **shown)
{
	if (strcmp(unit, "share") == 0) {
		*shown = "%";
		return 100;
	}
	if (strcmp(unit, "bytes") == 0) {
		*shown = "MB";
		return 1e-6;
	}
	*shown = unit;
	return 1;
}

void iso_title_text(const iso_name *n, char out[ISO_NUMBER_TEXT * 2])
{
	const char *unit;

	iso_shown_unit(n->unit, &unit);
	if (*unit)
		snprintf(out, ISO_NUMBER_TEXT * 2, "%s (%s)", n->title, unit);
	else
		snprintf(out, ISO_NUMBER_TEXT * 2, "%s", n->title);
}

void iso_mean_text(const iso_summary *s, const iso_name *n, char out[ISO_NUMBER_TEXT])
{
	const char *unit;
	const double scale = iso_shown_unit(n->unit, &unit);
	const double mean = s->mean * scale;
	const int whole = s->n && mean == floor(mean) && !(s->low < s->high) && fabs(mean) < 1e6;
	const int d = whole ? 0 : decimals_of(mean);
	char m[32], lo[32], hi[32];

	fixed(mean, d, m);
	fixed(s->low * scale, d, lo);
	fixed(s->high * scale, d, hi);
	if (s->n == 0)
		snprintf(out, ISO_NUMBER_TEXT, "-");
	else if (isinf(s->mean) || !(isfinite(s->low) && isfinite(s->high)) ||
		 (s->n > 1 && !(s->low < s->high)))
		snprintf(out, ISO_NUMBER_TEXT, "%s", m);
	else if (s->n >= ISO_STUDENT_SEEDS) {
		fixed(iso_student_975(s->n) * s->sd / sqrt((double)s->n) * scale, d, hi);
		snprintf(out, ISO_NUMBER_TEXT, "%s ± %s", m, hi);
	} else if (s->n > 1)
		snprintf(out, ISO_NUMBER_TEXT, "%s (%s to %s)", m, lo, hi);
	else
		snprintf(out, ISO_NUMBER_TEXT, "%s [%s, %s]", m, lo, hi);
}
