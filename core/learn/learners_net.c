// SPDX-License-Identifier: Apache-2.0
/* Logistic regression and the MLP behind the contract of classifiers; both read a source as it
 * comes, so that 60,000 images need never stand in memory as floats. */
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/classifier.h"
#include "core/learn/logreg.h"
#include "core/learn/mlp_classifier.h"

#define SMALL 10000 /* rows; beyond, the gradient of lr is 1e-8 a row and not in all */
#define STEPS 5000

static iso_source rows_of(const iso_examples *e)
{
	return e->x ? iso_source_floats(e->x, e->d, e->n, e->d) : *e->source;
}

/* ---- logistic regression ---- */

static const iso_option lr_options[] = {
	ISO_OPT_REAL(iso_lr_options, c, "1", 1e-6, 1e6,
		     "inverse strength of the penalty on the weights"),
	ISO_OPT_BOOL(iso_lr_options, ovr, "false",
		     "more than two classes: one binary model a class, scores not normalised"),
	ISO_OPT_BOOL(iso_lr_options, standardise, "true", "by the training rows' mean and sd"),
	{0}};

typedef struct lr {
	iso_logreg m;
	size_t d;
} lr;

static void lr_free(void *model)
{
	lr *m = model;

	if (m)
		iso_logreg_free(&m->m);
	iso_free(m);
}

static iso_status lr_fit(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	const iso_lr_options standard = {.c = 1, .standardise = 1},
			     *o = e->options ? e->options : &standard;
	const iso_source s = rows_of(e);
	iso_logreg_config c = iso_logreg_default();
	iso_design x = {0};
	lr *m = iso_alloc(1, sizeof(*m));
	iso_status st = m ? iso_design_new(&s, &x, err) : iso_no_memory(err, "a classifier");

	(void)key;
	c.c = o->c;
	c.scheme = o->ovr ? ISO_ONE_VS_REST : ISO_MULTINOMIAL;
	c.standardise = o->standardise;
	/* The gradient is a sum over rows: 1e-8 in all, on large tables 1e-8 a row (weights to 1e-3
	 * at worst, areas to 1e-7). */
	if (e->n > SMALL)
		c.tolerance = 1e-8 * c.c * (double)e->n;
	if (st == ISO_OK)
		st = iso_logreg_fit(&c, &x, NULL, e->n, e->y, e->classes, &m->m, err);
	iso_design_free(&x);
	if (st == ISO_OK) {
		m->d = e->d;
		*model = m;
	} else {
		iso_free(m);
	}
	return st;
}

static iso_status lr_predict(const void *model, const float *x, size_t n, double *out,
			     iso_error *err)
{
	const lr *m = model;
	const iso_source s = iso_source_floats(x, m->d, n, m->d);
	iso_design d;
	iso_status st;

	ISO_TRY(iso_design_new(&s, &d, err));
	st = iso_logreg_predict(&m->m, &d, NULL, n, out, err);
	iso_design_free(&d);
	return st;
}

/* ---- MLP ---- */

static const iso_option mlp_options[] = {
	ISO_OPT_INT(iso_mlp_options, hidden, "100", 1, 65536, "ReLU units"),
	ISO_OPT_INT(iso_mlp_options, epochs, "0", 0, 10000,
		    "epochs; 0 = as many as make 5,000 steps, between 30 and 200"),
	ISO_OPT_REAL(iso_mlp_options, alpha, "1e-4", 0, 1e6, "L2 penalty (scikit-learn's alpha)"),
	ISO_OPT_BOOL(iso_mlp_options, ovr, "false",
		     "more than two classes: one binary network a class, scores not normalised"),
	ISO_OPT_BOOL(iso_mlp_options, standardise, "true", "by the training rows' mean and sd"),
	{0}};

typedef struct mlp {
	iso_mlp *net; /* owned [n] */
	size_t n, classes;
} mlp;

static void mlp_free(void *model)
{
	mlp *m = model;

	for (size_t k = 0; m && k < m->n; k++)
		iso_mlp_free(&m->net[k]);
	if (m)
		iso_free(m->net);
	iso_free(m);
}

static iso_mlp_config mlp_config(const iso_examples *e, iso_key key)
{
	const iso_mlp_options *o = e->options;
	iso_mlp_config c = iso_mlp_default();
	const size_t steps = (e->n + c.batch - 1) / c.batch, want = STEPS / steps;

	c.key = key;
	c.hidden = o ? (size_t)o->hidden : c.hidden;
	c.alpha = o ? o->alpha : c.alpha;
	c.standardise = o ? o->standardise : 1;
	c.epochs = o && o->epochs ? (size_t)o->epochs : want < 30 ? 30 : want > 200 ? 200 : want;
	return c;
}

/* One network a class against the rest. */
static iso_status fit_each(const iso_examples *e, const iso_mlp_config *shared, const iso_source *s,
			   mlp *m, iso_error *err)
{
	uint32_t *y = iso_alloc(e->n, sizeof(*y));
	iso_status st = y ? ISO_OK : iso_no_memory(err, "the targets of a classifier");

	for (size_t k = 0; st == ISO_OK && k < e->classes; k++) {
		iso_mlp_config c = *shared;

		c.key = iso_key_child(shared->key, "class", k);
		for (size_t i = 0; i < e->n; i++)
			y[i] = e->y[i] == k;
		st = iso_mlp_fit(&c, s, y, 2, &m->net[k], err);
		m->n += st == ISO_OK;
	}
	iso_free(y);
	return st;
}

static iso_status mlp_fit(const iso_examples *e, iso_key key, void **model, iso_error *err)
{
	const iso_mlp_options *o = e->options;
	const int each = o && o->ovr && e->classes > 2;
	const iso_source s = rows_of(e);
	const iso_mlp_config c = mlp_config(e, key);
	mlp *m = iso_alloc(1, sizeof(*m));
	iso_status st = m ? ISO_OK : iso_no_memory(err, "a classifier");

	if (m) {
		m->classes = e->classes;
		m->net = iso_alloc(each ? e->classes : 1, sizeof(*m->net));
		if (!m->net)
			st = iso_no_memory(err, "a classifier");
	}
	if (st == ISO_OK && each) {
		st = fit_each(e, &c, &s, m, err);
	} else if (st == ISO_OK) {
		st = iso_mlp_fit(&c, &s, e->y, e->classes, &m->net[0], err);
		m->n = st == ISO_OK;
	}
	if (st != ISO_OK) {
		mlp_free(m);
		m = NULL;
	}
	*model = m;
	return st;
}

static iso_status mlp_predict(const void *model, const float *x, size_t n, double *out,
			      iso_error *err)
{
	const mlp *m = model;
	const size_t d = m->net[0].d, k = m->classes;
	const iso_source s = iso_source_floats(x, d, n, d);
	double *two;
	iso_status st = ISO_OK;

	if (m->n == 1)
		return iso_mlp_predict(&m->net[0], &s, out, err);
	two = iso_alloc(n, 2 * sizeof(*two));
	if (!two)
		return iso_no_memory(err, "predictions");
	for (size_t c = 0; st == ISO_OK && c < k; c++) {
		st = iso_mlp_predict(&m->net[c], &s, two, err);
		for (size_t i = 0; st == ISO_OK && i < n; i++)
			out[i * k + c] = two[2 * i + 1];
	}
	iso_free(two);
	return st;
}

const iso_classifier iso_learn_lr = {.name = "lr",
				     .title = "logistic regression",
				     .streams = 1,
				     .options = lr_options,
				     .options_size = sizeof(iso_lr_options),
				     .fit = lr_fit,
				     .predict = lr_predict,
				     .free = lr_free};
const iso_classifier iso_learn_mlp = {.name = "mlp",
				      .title = "MLP",
				      .streams = 1,
				      .options = mlp_options,
				      .options_size = sizeof(iso_mlp_options),
				      .fit = mlp_fit,
				      .predict = mlp_predict,
				      .free = mlp_free};
