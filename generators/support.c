// SPDX-License-Identifier: Apache-2.0
#include "generators/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"

iso_status iso_labels_check(const iso_gen_env *env, int source, const char *who, iso_error *err)
{
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
	ISO_TRY(iso_plan_gaussian(plan, "label-histogram", 0, 0, noise, 1, 1, 1, err));
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
	ISO_TRY_OUT(iso_mech_histogram(fit->ledger, "label-histogram", 0, cell, t->n, 1,
				       classes + 1, all, err));
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

double iso_noise_ratio(double q, double steps, double share)
{
	return 1.0 / (q * sqrt(steps * share));
}

iso_status iso_rows_open(iso_rows *r, const iso_table *t, const iso_encoder *enc, size_t keep,
			 iso_error *err)
{
	*r = (iso_rows){.table = t, .enc = enc};
	if (enc->dim == 0 || t->n > keep / sizeof(float) / enc->dim)
		return ISO_OK;
	return iso_encode_new(enc, t, &r->x, err);
}

void iso_rows_close(iso_rows *r)
{
	iso_free(r->x);
	r->x = NULL;
}

void iso_rows_get(const iso_rows *r, const uint32_t *row, size_t n, float *x, size_t ld)
{
	const size_t dim = r->enc->dim;
	if (!r->x) {
		iso_encode(r->enc, r->table, row, n, x, ld);
		return;
	}
	for (size_t i = 0; i < n; i++)
		memcpy(x + i * ld, r->x + row[i] * dim, dim * sizeof *x);
}

void iso_one_hot(size_t label, size_t classes, float *out)
{
	memset(out, 0, classes * sizeof *out);
	if (label < classes)
		out[label] = 1;
}

size_t iso_batch_of(size_t asked, size_t dflt, size_t n)
{
	if (asked)
		return asked < n ? asked : n;
	const size_t most = n / 8 ? n / 8 : 1;
	return dflt < most ? dflt : most;
}

double iso_rate_of(size_t batch, size_t n)
{
	return batch >= n ? 1.0 : (double)batch / (double)n;
}

#define AVERAGE_EVERY 8

iso_status iso_average_init(iso_average *a, const iso_net *net, double share, uint64_t steps,
			    iso_error *err)
{
	*a = (iso_average){.horizon = share * (double)steps / AVERAGE_EVERY};
	if (!(share > 0))
		return ISO_OK;
	a->mean = iso_alloc(iso_net_params(net), sizeof *a->mean);
	return a->mean ? ISO_OK : iso_no_memory(err, "average of weights");
}

/* mean += w (theta - mean), w = 1 / horizon; larger at the start, so that the first weights leave
 * no trace. */
void iso_average_step(iso_average *a, const iso_net *net, uint64_t step)
{
	const double seen = (double)(step / AVERAGE_EVERY + 1),
		     least = a->horizon > 1 ? a->horizon : 1;
	const float w = (float)(1 / (seen < least ? seen : least));
	if (!a->mean || step % AVERAGE_EVERY != 0)
		return;
	const float *const theta = iso_net_theta(net);
	for (size_t i = 0, n = iso_net_params(net); i < n; i++)
		a->mean[i] += w * (theta[i] - a->mean[i]);
}

void iso_average_finish(iso_average *a, iso_net *net)
{
	if (a->mean && net)
		memcpy(iso_net_theta(net), a->mean, iso_net_params(net) * sizeof *a->mean);
	iso_free(a->mean);
	a->mean = NULL;
}

void iso_part_add(iso_str *out, const char *name, const void *bytes, size_t n)
{
	iso_str_addf(out, "%s %zu\n", name, n);
	iso_str_addn(out, bytes, n);
}

iso_status iso_part_take(iso_parts *in, const char *name, void *bytes, size_t n, iso_error *err)
{
	char head[160];
	const int len = snprintf(head, sizeof head, "%s %zu\n", name, n);
	const size_t have = (size_t)(in->end - in->p);
	ISO_FAIL_IF(len < 0 || (size_t)len >= sizeof head || have < (size_t)len ||
			    have - (size_t)len < n || memcmp(in->p, head, (size_t)len) != 0,
		    err, ISO_E_DATA,
		    "malformed model (part %s): expected %zu bytes under that name; save it again",
		    name, n);
	if (n)
		memcpy(bytes, in->p + len, n);
	in->p += (size_t)len + n;
	return ISO_OK;
}

static size_t net_part(const iso_net *net, size_t i, const char *name, char text[128], float **at)
{
	const iso_tensor t = iso_net_tensor(net, i);
	(void)snprintf(text, 128, "%s.%s%zu", name, t.name, t.layer);
	*at = iso_net_theta(net) + t.first;
	return t.n * sizeof **at;
}

void iso_net_parts(iso_str *out, const char *name, const iso_net *net)
{
	for (size_t i = 0; i < iso_net_tensors(net); i++) {
		char text[128];
		float *at;
		const size_t n = net_part(net, i, name, text, &at);
		iso_part_add(out, text, at, n);
	}
}

iso_status iso_net_take(iso_parts *in, const char *name, iso_net *net, iso_error *err)
{
	for (size_t i = 0; i < iso_net_tensors(net); i++) {
		char text[128];
		float *at;
		const size_t n = net_part(net, i, name, text, &at);
		ISO_TRY(iso_part_take(in, text, at, n, err));
	}
	return ISO_OK;
}
