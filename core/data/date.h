// SPDX-License-Identifier: Apache-2.0
/* Calendar dates as whole days since 1970-01-01, in the proleptic Gregorian calendar, from year 1
 * to 9999. */
#ifndef ISO_DATA_DATE_H
#define ISO_DATA_DATE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iso_date_format {
	ISO_DATE_YMD_DASH,  /* YYYY-MM-DD */
	ISO_DATE_YMD_SLASH, /* YYYY/MM/DD */
	ISO_DATE_DMY_DOT,   /* DD.MM.YYYY */
	ISO_DATE_DMY_SLASH, /* DD/MM/YYYY */
	ISO_DATE_MDY_SLASH, /* MM/DD/YYYY */
	ISO_DATE_FORMATS
} iso_date_format;
extern const char *const iso_date_names[ISO_DATE_FORMATS]; /* as in the schema: "YYYY-MM-DD" */
#define ISO_DATE_LOW (-719162)				   /* 0001-01-01 */
#define ISO_DATE_HIGH 2932896				   /* 9999-12-31 */

/* 1 if the whole text is a date that exists; day and month with or without a leading zero. */
int iso_date_read(const char *text, iso_date_format f, double *day);
/* `day` is rounded and put into the range of dates. */
void iso_date_text(double day, iso_date_format f, char text[16]);

#ifdef __cplusplus
}
#endif

#endif
