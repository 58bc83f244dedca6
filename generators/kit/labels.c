// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/labels.h"

#include <math.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"

iso_status iso_labels_check(const iso_gen_env *env, int source, const char *who, iso_error *err)
{
	const size_t classes = iso_schema_classes(env->schema);
	if (source == ISO_LABELS_COLUMN)
		return ISO_OK;
	ISO_FAIL_IF(classes == 0, err, ISO_E_UNSUPPORTED,
		    "no label (%s): the method needs a discrete label column; give one column the "
		    "role \"label\"",
		    who);
	ISO_FAIL_IF(source == ISO_LABELS_PUBLIC && !env->class_count, err, ISO_E_CONFIG,
		    "labels=public (%s): the class counts are not declared public; declare them in "
		    "the suite or use "
		    "labels=histogram",
		    who);
	return ISO_OK;
}

iso_status iso_labels_plan(const iso_gen_env *env, int source, double noise, int fixed,
			   iso_plan *plan, iso_error *err)
{
	(void)env;
	if (source == ISO_LABELS_EXACT)
		return iso_plan_uncharged(plan, "label-histogram", err);
	if (source != ISO_LABELS_HISTOGRAM)
		return ISO_OK;
	ISO_TRY(iso_plan_gaussian(plan, (iso_entry){.why = "label-histogram"}, noise, 1, 1, 1,
				  err));
	plan->v[plan->n - 1].fixed = fixed;
	return ISO_OK;
}

/* One cell per class and a last one for missing labels, which is dropped after the release. */
static iso_status noisy_counts(const iso_fit *fit, size_t classes, double *counts, iso_error *err)
{
	const iso_table *t = fit->train;
	iso_status st = ISO_OK;
	uint32_t *cell = iso_alloc(t->n, sizeof *cell);
	double *all = iso_alloc(classes + 1, sizeof *all);
	if (!cell || !all) {
		st = iso_no_memory(err, "label histogram");
		goto out;
	}
	for (size_t r = 0; r < t->n; r++) {
		const size_t y = iso_table_label(t, r);
		cell[r] = (uint32_t)(y < classes ? y : classes);
	}
	ISO_TRY_OUT(iso_mech_histogram(fit->ledger, (iso_entry){.why = "label-histogram"}, cell,
				       t->n, 1, classes + 1, all, err));
	for (size_t k = 0; k < classes; k++)
		counts[k] = all[k] > 0 ? all[k] : 0;
out:
	iso_free(cell);
	iso_free(all);
	return st;
}

iso_status iso_labels_counts(const iso_fit *fit, int source, iso_ledger *ledger, double *counts,
			     iso_error *err)
{
	const size_t classes = iso_schema_classes(fit->env.schema);
	if (source == ISO_LABELS_HISTOGRAM)
		return noisy_counts(fit, classes, counts, err);
	for (size_t k = 0; k < classes; k++)
		counts[k] = source == ISO_LABELS_PUBLIC	 ? (double)fit->env.class_count[k]
			    : source == ISO_LABELS_EXACT ? 0
							 : 1;
	if (source != ISO_LABELS_EXACT)
		return ISO_OK;
	for (size_t r = 0; r < fit->train->n; r++) {
		const size_t y = iso_table_label(fit->train, r);
		if (y < classes)
			counts[y]++;
	}
	return ledger ? iso_ledger_uncharged(ledger, "label-histogram", err) : ISO_OK;
}

void iso_law_from_counts(const double *counts, size_t classes, double *cdf)
{
	double sum = 0, run = 0;
	for (size_t k = 0; k < classes; k++)
		sum += counts[k];
	for (size_t k = 0; k < classes; k++) {
		run += sum > 0 ? counts[k] / sum : 1.0 / (double)classes;
		cdf[k] = run;
	}
	/* rounding must not let a draw fall past the last class that can occur */
	for (size_t k = classes; k-- > 0;) {
		cdf[k] = 1;
		if (!(sum > 0) || counts[k] > 0)
			break;
	}
}

iso_status iso_labels_law(const iso_fit *fit, int source, double *law, iso_error *err)
{
	const size_t classes = iso_schema_classes(fit->env.schema);
	double *const counts = iso_alloc(classes, sizeof *counts);
	if (!counts)
		return iso_no_memory(err, "label law");
	const iso_status st = iso_labels_counts(fit, source, fit->ledger, counts, err);
	if (st == ISO_OK)
		iso_law_from_counts(counts, classes, law);
	iso_free(counts);
	return st;
}

uint32_t iso_law_draw(const double *cdf, size_t classes, double u)
{
	size_t lo = 0, hi = classes - 1;
	while (lo < hi) {
		const size_t mid = (lo + hi) / 2;
		if (cdf[mid] > u)
			hi = mid;
		else
			lo = mid + 1;
	}
	return (uint32_t)lo;
}

uint32_t iso_law_pick(const double *p, size_t n, double u)
{
	double sum = 0;
	for (size_t k = 0; k + 1 < n; k++)
		if (u < (sum += p[k]))
			return (uint32_t)k;
	return (uint32_t)(n - 1);
}

double iso_noise_ratio(double q, double steps, double share)
{
	return 1.0 / (q * sqrt(steps * share));
}
