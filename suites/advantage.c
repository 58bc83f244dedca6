// SPDX-License-Identifier: Apache-2.0
/* Attacks that succeed beyond what the accounted budget allows.
 *
 * An (epsilon, delta) private training lets no attacker tell two neighbouring inputs apart with
 * TPR - FPR above (e^epsilon - 1 + 2 delta) / (e^epsilon + 1) in expectation over its noise
 * (Kairouz, Oh and Viswanath 2015, Theorem 2.1: the corner of the privacy region on its diagonal).
 * One training gives a warning, never a proof. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/math/vmath.h"
#include "results/record.h"
#include "suites/cell.h"
#include "suites/judge.h"

#define TAIL 0.0125 /* of each class: 97.5 % for the lower end of both together */

double iso_advantage_allowed(double epsilon, double delta)
{
	return 1 - 2 * (1 - delta) / (1 + iso_exp(epsilon));
}

double iso_advantage_low(double advantage, double n_pos, double n_neg)
{
	const double slack = sqrt(iso_log(1 / TAIL) / 2);

	return fmax(0, advantage - slack / sqrt(n_pos) - slack / sqrt(n_neg));
}

/* As it will stand in the file, so that a record judged in two runs has the same bytes. */
static double number(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(v) ? iso_record_round(v->valuedouble) : NAN;
}

iso_status iso_advantage_caveats(cJSON *record, iso_error *err)
{
	const cJSON *privacy = cJSON_GetObjectItemCaseSensitive(record, "privacy"), *attack;
	cJSON *caveats = cJSON_GetObjectItemCaseSensitive(record, "caveats");
	const double epsilon = number(privacy, "accounted_epsilon"),
		     delta = number(privacy, "delta"),
		     allowed = iso_advantage_allowed(epsilon, delta);
	const cJSON *goal, *label;

	if (isnan(allowed)) /* an infinite epsilon is a text, and allows everything */
		return ISO_OK;
	cJSON_ArrayForEach(attack, cJSON_GetObjectItemCaseSensitive(record, "attacks"))
	{
		const double low =
			iso_advantage_low(number(attack, "advantage"), number(attack, "n_pos"),
					  number(attack, "n_neg"));
		char text[320];

		goal = cJSON_GetObjectItemCaseSensitive(attack, "goal");
		label = cJSON_GetObjectItemCaseSensitive(attack, "label");
		if (!(low > allowed) || strcmp(goal->valuestring, "membership") != 0)
			continue;
		snprintf(text, sizeof(text),
			 ISO_ADVANTAGE_WARNING " of %.64s is at least %.3f (97.5 %%, this "
					       "training), and epsilon %.4g with "
					       "delta %.3g allows %.3f in expectation",
			 label->valuestring, low, epsilon, delta, allowed);
		ISO_TRY(iso_caveat_add(caveats, text, err));
	}
	return ISO_OK;
}
