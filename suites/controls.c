// SPDX-License-Identifier: Apache-2.0
/* Controls with known truth: a method that hands out its training rows must be caught, one that
 * never reads them must not be. */
#include <math.h>
#include <string.h>

#include "core/math/special.h"
#include "core/math/vmath.h"
#include "suites/recheck.h"

/* One false alarm in a thousand records of a blind control, however many attacks each has. */
#define FALSE_ALARM 1e-3

static const char *text_of(const cJSON *obj, const char *key)
{
	const char *t = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(obj, key));

	return t ? t : "";
}

static double number(const cJSON *obj, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(obj, key);

	return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

/* An attack whose AUC says whether rows were in the training data. */
static int counts(const cJSON *attack)
{
	return strcmp(text_of(attack, "goal"), "membership") == 0 &&
	       strcmp(text_of(attack, "status"), "ok") == 0 && !isnan(number(attack, "auc"));
}

/* Standard error of an AUC of one half without ties (Mann and Whitney 1947), or DeLong's if that
 * is larger. */
static double chance_error(const cJSON *attack)
{
	const double p = number(attack, "n_pos"), n = number(attack, "n_neg");
	const double null = sqrt((p + n + 1) / (12 * p * n)), se = number(attack, "auc_se");

	return fmax(null, isnan(se) ? 0 : se);
}

iso_status iso_controls_check(const cJSON *record, iso_error *err)
{
	const char *control = text_of(record, "control"), *key = text_of(record, "key");
	const cJSON *attacks = cJSON_GetObjectItemCaseSensitive(record, "attacks"), *a;
	size_t n = 0, caught = 0;

	cJSON_ArrayForEach(a, attacks) if (counts(a))
	{
		n++;
		caught += number(a, "auc_low") > 0.5;
	}
	if (n == 0)
		return ISO_OK;
	ISO_FAIL_IF(strcmp(control, "copies") == 0 && caught == 0, err, ISO_E_CHECK,
		    "control not caught (cell %s, %s): it returns its training rows, and none of "
		    "%zu membership attacks tells them from others; the attacks of this suite "
		    "show nothing",
		    key, text_of(record, "label"), n);
	if (strcmp(control, "blind") != 0)
		return ISO_OK;
	cJSON_ArrayForEach(a, attacks)
	{
		const double z = (number(a, "auc") - 0.5) / chance_error(a);

		ISO_FAIL_IF(counts(a) && iso_exp(iso_log_ndtr(-z)) < FALSE_ALARM / (double)n, err,
			    ISO_E_CHECK,
			    "control above chance (cell %s, %s): it never reads the training rows, "
			    "and %s tells them from others with AUC %.4g, %.1f standard errors "
			    "above one half; members and non-members differ by themselves",
			    key, text_of(record, "label"), text_of(a, "label"), number(a, "auc"),
			    z);
	}
	return ISO_OK;
}
