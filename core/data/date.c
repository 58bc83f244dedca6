// SPDX-License-Identifier: Apache-2.0
#include "core/data/date.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const iso_date_names[ISO_DATE_FORMATS] = {"YYYY-MM-DD", "YYYY/MM/DD", "DD.MM.YYYY",
						      "DD/MM/YYYY", "MM/DD/YYYY"};

/* Days from 1970-01-01; years are counted from March, so that the leap day ends one. */
static long days_of(long year, long month, long day)
{
	const long y = year - (month <= 2), m = (month + 9) % 12;
	const long era = y / 400, in_era = y - era * 400;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + (m * 153 + 2) / 5 + day -
	       1 - 719468;
}

static void date_of(long days, long *year, long *month, long *day)
{
	const long z = days + 719468, era = z / 146097, in_era = z - era * 146097;
	const long y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	const long in_year = in_era - (365 * y + y / 4 - y / 100), m = (5 * in_year + 2) / 153;

	*day = in_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = y + era * 400 + (*month <= 2);
}

/* Reads `least` to `most` digits. */
static const char *read_digits(const char *p, int least, int most, long *out)
{
	int n = 0;

	*out = 0;
	for (; n < most && *p >= '0' && *p <= '9'; n++)
		*out = 10 * *out + (*p++ - '0');
	return n >= least ? p : NULL;
}

int iso_date_read(const char *text, iso_date_format f, double *day)
{
	/* places of year, month and day in the text */
	static const int order[ISO_DATE_FORMATS][3] = {
		{0, 1, 2}, {0, 1, 2}, {2, 1, 0}, {2, 1, 0}, {2, 0, 1}};
	static const char mark[] = "-/.//";
	long part[3], back[3], days;

	for (int i = 0; i < 3; i++) {
		const int is_year = i == order[f][0];

		text = read_digits(text, is_year ? 4 : 1, is_year ? 4 : 2, &part[i]);
		if (!text || (i < 2 && *text++ != mark[f]))
			return 0;
	}
	if (*text || part[order[f][0]] < 1)
		return 0;
	days = days_of(part[order[f][0]], part[order[f][1]], part[order[f][2]]);
	date_of(days, &back[0], &back[1], &back[2]);
	for (int i = 0; i < 3; i++) /* 30 February comes back as another day */
		if (back[i] != part[order[f][i]])
			return 0;
	*day = (double)days;
	return 1;
}

void iso_date_text(double value, iso_date_format f, char text[16])
{
	long year, month, day;

	value = rint(value);
	value = value >= ISO_DATE_LOW ? value : ISO_DATE_LOW;
	date_of((long)(value <= ISO_DATE_HIGH ? value : ISO_DATE_HIGH), &year, &month, &day);
	if (f == ISO_DATE_YMD_DASH || f == ISO_DATE_YMD_SLASH)
		(void)snprintf(text, 16, "%04d%c%02d%c%02d", (int)year, "-/"[f], (int)month,
			       "-/"[f], (int)day);
	else if (f == ISO_DATE_MDY_SLASH)
		(void)snprintf(text, 16, "%02d/%02d/%04d", (int)month, (int)day, (int)year);
	else
		(void)snprintf(text, 16, "%02d%c%02d%c%04d", (int)day,
			       f == ISO_DATE_DMY_DOT ? '.' : '/', (int)month,
			       f == ISO_DATE_DMY_DOT ? '.' : '/', (int)year);
}
