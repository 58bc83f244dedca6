// SPDX-License-Identifier: Apache-2.0
/* Setting the measured values: each declared output once, finite, inside its declared range. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "metrics/metric.h"

static iso_status slot(iso_measures *m, const char *key, iso_measure **out, iso_error *err)
{
	for (size_t i = 0; i < m->n; i++) {
		if (strcmp(m->outputs[i].key, key))
			continue;
		ISO_FAIL_IF(m->v[i].key, err, ISO_E_PLUGIN,
			    "output set twice (%s): each declared output is measured once", key);
		m->v[i] = (iso_measure){
			.key = m->outputs[i].key, .value = NAN, .low = NAN, .high = NAN};
		*out = &m->v[i];
		return ISO_OK;
	}
	return iso_fail(err, ISO_E_PLUGIN,
			"output not declared (%s): add it to the metric's table of outputs", key);
}

iso_status iso_measure_set(iso_measures *m, const char *key, double value, double low, double high,
			   iso_error *err)
{
	iso_measure *v = NULL;
	ISO_TRY(slot(m, key, &v, err));
	const iso_output *o = &m->outputs[v - m->v];
	/* a rounding error above 1 is no broken contract */
	const double slack = 1e-12 * (1 + fabs(value));
	ISO_FAIL_IF(!isfinite(value), err, ISO_E_PLUGIN,
		    "output not finite (%s): call it undefined, with a reason", key);
	ISO_FAIL_IF(value < o->lo - slack || value > o->hi + slack, err, ISO_E_PLUGIN,
		    "output outside its declared range (%s): %g, declared %g to %g; correct the "
		    "metric or its table",
		    key, value, o->lo, o->hi);
	v->value = fmin(fmax(value, o->lo), o->hi);
	v->low = low;
	v->high = high;
	return ISO_OK;
}

iso_status iso_measure_undefined(iso_measures *m, const char *key, const char *reason,
				 iso_error *err)
{
	iso_measure *v = NULL;
	ISO_TRY(slot(m, key, &v, err));
	ISO_FAIL_IF(!reason || !*reason, err, ISO_E_PLUGIN,
		    "output undefined without a reason (%s)", key);
	snprintf(v->reason, sizeof(v->reason), "%s", reason);
	return ISO_OK;
}

static iso_status add_points(iso_measures *m, const char *key, const char *axis, const double *real,
			     const double *synthetic, size_t n, iso_error *err)
{
	const size_t kept = n < ISO_POINTS_MAX ? n : ISO_POINTS_MAX;
	iso_points p = {.n = kept, .axis = axis};
	while (p.output < m->n && strcmp(m->outputs[p.output].key, key))
		p.output++;
	ISO_FAIL_IF(p.output == m->n, err, ISO_E_PLUGIN,
		    "points of an output that is not declared (%s): add it to the metric's table "
		    "of outputs",
		    key);
	for (size_t i = 0; i < m->npoints; i++)
		ISO_FAIL_IF(m->points[i].output == p.output, err, ISO_E_PLUGIN,
			    "points given twice (%s): give them once for an output", key);
	for (size_t i = 0; i < n; i++)
		ISO_FAIL_IF(!isfinite(real[i]) || !isfinite(synthetic[i]), err, ISO_E_PLUGIN,
			    "point not finite (%s, point %zu): leave it out", key, i);
	if (!n)
		return ISO_OK;
	ISO_TRY(iso_grow(&m->points, &m->cap_points, m->npoints + 1, sizeof(*m->points), err));
	p.real = iso_alloc(2 * kept, sizeof(*p.real));
	if (!p.real)
		return iso_no_memory(err, "points of a figure");
	p.synthetic = p.real + kept;
	for (size_t i = 0; i < kept; i++) {
		p.real[i] = real[i * n / kept];
		p.synthetic[i] = synthetic[i * n / kept];
	}
	m->points[m->npoints++] = p;
	return ISO_OK;
}

iso_status iso_measure_points(iso_measures *m, const char *key, const double *real,
			      const double *synthetic, size_t n, iso_error *err)
{
	return add_points(m, key, NULL, real, synthetic, n, err);
}

iso_status iso_measure_curve(iso_measures *m, const char *key, const char *axis, const double *x,
			     const double *y, size_t n, iso_error *err)
{
	for (size_t i = 0; i < n; i++)
		ISO_FAIL_IF(!(x[i] > (i ? x[i - 1] : 0)), err, ISO_E_PLUGIN,
			    "curve not in order (%s, point %zu): give rising values above 0", key,
			    i);
	return add_points(m, key, axis, x, y, n, err);
}

void iso_measures_free(iso_measures *m)
{
	for (size_t i = 0; i < m->npoints; i++)
		iso_free(m->points[i].real);
	iso_free(m->points);
	iso_free(m->v);
	*m = (iso_measures){.outputs = m->outputs};
}
