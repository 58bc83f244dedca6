// SPDX-License-Identifier: Apache-2.0
/* Parts that the files of the suite parser share. */
#ifndef ISO_SUITES_SUITE_PARTS_H
#define ISO_SUITES_SUITE_PARTS_H

#include "suites/suite.h"

#define ISO_WHERE_MAX 256
#define ISO_LIST_MAX 4096

/* A place in the file, for errors: "suite.json: generators[2]". */
typedef struct iso_suite_place {
	iso_suite *s;
	const char *file;
	const char *dir;
	iso_error *err;
} iso_suite_place;

/* Typed access to a member; absent leaves *out alone (get_object and get_list: NULL). */
iso_status iso_suite_bool(const cJSON *obj, const char *key, int *out, const char *where,
			  iso_error *err) ISO_MUST_CHECK;
iso_status iso_suite_whole(const cJSON *obj, const char *key, double lo, double hi, double *out,
			   const char *where, iso_error *err) ISO_MUST_CHECK;
iso_status iso_suite_object(const cJSON *obj, const char *key, const cJSON **out, const char *where,
			    iso_error *err) ISO_MUST_CHECK;
iso_status iso_suite_list(const cJSON *obj, const char *key, const cJSON **out, size_t *n,
			  const char *where, iso_error *err) ISO_MUST_CHECK;
/* Zeroed room in the suite's arena. */
void *iso_suite_room(iso_suite_place *p, size_t n, size_t size);
/* n distinct numbers from lo to hi. */
iso_status iso_suite_numbers(iso_suite_place *p, const cJSON *list, size_t n, double lo, double hi,
			     int whole, double **out, const char *where) ISO_MUST_CHECK;
iso_status iso_suite_epsilons(iso_suite_place *p, const cJSON *obj, double **out, size_t *n,
			      const char *where) ISO_MUST_CHECK;
/* Everything but data sets, generators, attacks and metrics (suite_settings.c). */
/* {"private": {..}} of a data set. */
iso_status iso_suite_private(iso_suite_place *p, const cJSON *v, iso_suite_dataset *d,
			     const char *where) ISO_MUST_CHECK;
/* "clients": {..} of a data set. */
iso_status iso_suite_clients(const cJSON *v, iso_suite_dataset *d, const char *where,
			     iso_error *err) ISO_MUST_CHECK;
iso_status iso_suite_settings(iso_suite_place *p) ISO_MUST_CHECK;
/* "published"; after the data sets and generators (suite_published.c). */
iso_status iso_suite_published(iso_suite_place *p) ISO_MUST_CHECK;

#endif
