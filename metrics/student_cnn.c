// SPDX-License-Identifier: Apache-2.0
/* A student network for images (attacks.md section 8; the FP-GAN experiment): a small convolutional
 * classifier trained on synthetic images and tested on real ones, beside the same trained on the
 * real training rows.
 *
 *     conv 16 - conv 32 - dense 64 - softmax, ReLU, 4 x 4 filters of stride 2 (3 x 3 of stride 1
 *     where a side is odd or below 4), Adam at 1e-3, batches of 64
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/learn/assess.h"
#include "core/learn/kfold.h"
#include "core/math/vmath.h"
#include "core/nn/net.h"
#include "metrics/kit/sample.h"

#define BATCH 64

typedef struct opts {
	int64_t max_rows, steps;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, max_rows, "6000", 10, 100000000,
		    "train and test on at most so many rows each, drawn at random"),
	ISO_OPT_INT(opts, steps, "1000", 1, 1000000, "steps of training"),
	{0}};

static const iso_output outputs[] = {
	{"accuracy", "student CNN accuracy", "share", ISO_HIGHER, 0, 1, NAN, NULL, "utility", 1,
	 "real.accuracy"},
	{"auroc_macro", "student CNN AUROC (macro)", "", ISO_HIGHER, 0, 1, NAN, NULL, "utility", 0,
	 "real.auroc_macro", 0.5},
	{"real.accuracy", "student CNN, real training rows, accuracy", "share", ISO_NEITHER, 0, 1,
	 NAN, NULL, "utility", 0, "real.accuracy"},
	{"real.auroc_macro", "student CNN, real training rows, AUROC (macro)", "", ISO_NEITHER, 0,
	 1, NAN, NULL, "utility", 0, "real.auroc_macro", 0.5},
	{0}};

static const iso_column *image_of(const iso_schema *s)
{
	const iso_column *found = NULL;

	for (size_t c = 0; c < s->ncol; c++)
		if (s->column[c].type == ISO_PIXEL) {
			if (found)
				return NULL;
			found = &s->column[c];
		}
	return found;
}

/* A layer that halves both sides where it can. */
static iso_layer_spec layer(size_t channels, size_t *h, size_t *w)
{
	if (*h % 2 || *w % 2 || *h < 4 || *w < 4)
		return iso_conv(channels, 3, 1, 1, ISO_ACT_RELU);
	*h /= 2;
	*w /= 2;
	return iso_conv(channels, 4, 2, 1, ISO_ACT_RELU);
}

typedef struct student {
	iso_net *net; /* owned */
	iso_ws *ws;   /* owned */
	size_t classes;
} student;

static void student_free(student *s)
{
	iso_ws_free(s->ws);
	iso_net_free(s->net);
}

static iso_status student_new(const iso_column *c, size_t classes, iso_key key, student *s,
			      iso_error *err)
{
	size_t h = c->height, w = c->width;
	const iso_layer_spec first = layer(16, &h, &w), second = layer(32, &h, &w);
	const iso_layer_spec spec[] = {first, second, iso_dense(64, ISO_ACT_RELU),
				       iso_dense(classes, ISO_ACT_LINEAR)};

	s->classes = classes;
	ISO_TRY(iso_net_new(spec, ISO_COUNT(spec), iso_image(c->height, c->width, c->channels),
			    &s->net, err));
	iso_net_randomize(s->net, ISO_INIT_HE, iso_key_child(key, "weights", 0));
	return iso_ws_new(s->net, BATCH, 0, &s->ws, err);
}

/* The next row in a shuffled epoch. */
typedef struct deck {
	iso_stream s;
	uint32_t *order; /* owned [n] */
	size_t n, at;
} deck;

static size_t next_row(deck *d)
{
	if (d->at == d->n) {
		iso_shuffle(&d->s, d->order, d->n);
		d->at = 0;
	}
	return d->order[d->at++];
}

static void step(student *s, iso_optim *opt, const iso_labelled *train, deck *d, float *x,
		 float *target)
{
	const size_t batch = train->n < BATCH ? train->n : BATCH, k = s->classes;

	memset(target, 0, batch * k * sizeof(*target));
	for (size_t i = 0; i < batch; i++) {
		const size_t r = next_row(d);

		memcpy(x + i * train->d, train->x + r * train->d, train->d * sizeof(*x));
		target[i * k + train->y[r]] = 1;
	}
	iso_net_forward(s->net, s->ws, x, train->d, batch, NULL);
	iso_loss_cross_entropy.eval(batch, k, iso_ws_out(s->ws), k, target, k, iso_ws_delta(s->ws),
				    k);
	iso_net_backward(s->net, s->ws, 0, NULL, 0);
	iso_net_weight_grad(s->net, s->ws, NULL, 0, iso_net_grad(s->net));
	iso_optim_step(opt, iso_net_theta(s->net), iso_net_grad(s->net), 1.0f / (float)batch);
}

static iso_status train_student(student *s, const iso_labelled *train, size_t steps, iso_key key,
				iso_error *err)
{
	deck d = {
		.s = iso_stream_new(iso_key_child(key, "order", 0)), .n = train->n, .at = train->n};
	float *x = iso_alloc(BATCH * train->d, sizeof(*x)),
	      *target = iso_alloc(BATCH * s->classes, sizeof(*target));
	iso_optim opt = {0};
	iso_status st = iso_optim_init(&opt, ISO_ADAM, 1e-3f, iso_net_params(s->net), err);

	d.order = iso_alloc(train->n, sizeof(*d.order));
	if (st == ISO_OK && (!x || !target || !d.order))
		st = iso_no_memory(err, "a student");
	for (size_t i = 0; st == ISO_OK && i < train->n; i++)
		d.order[i] = (uint32_t)i;
	for (size_t t = 0; st == ISO_OK && t < steps; t++)
		step(s, &opt, train, &d, x, target);
	iso_optim_deinit(&opt);
	iso_free(x);
	iso_free(target);
	iso_free(d.order);
	return st;
}

/* prob [n][classes] */
static void predict(student *s, const iso_labelled *test, double *prob)
{
	const size_t k = s->classes;

	for (size_t at = 0; at < test->n; at += BATCH) {
		const size_t n = test->n - at < BATCH ? test->n - at : BATCH;

		iso_net_forward(s->net, s->ws, test->x + at * test->d, test->d, n, NULL);
		for (size_t i = 0; i < n; i++) {
			const float *z = iso_ws_out(s->ws) + i * k;
			double most = -INFINITY, sum = 0, *p = prob + (at + i) * k;

			for (size_t c = 0; c < k; c++)
				most = fmax(most, (double)z[c]);
			for (size_t c = 0; c < k; c++)
				sum += p[c] = iso_exp((double)z[c] - most);
			for (size_t c = 0; c < k; c++)
				p[c] /= sum;
		}
	}
}

/* accuracy and area with their intervals */
static iso_status run(const opts *o, const iso_schema *schema, const iso_labelled *train,
		      const iso_labelled *test, iso_key key, double value[2][3], iso_error *err)
{
	const size_t classes = iso_schema_classes(schema);
	double *prob = iso_alloc(test->n * classes, sizeof(*prob));
	student s = {0};
	iso_assessment a;
	iso_status st = prob ? student_new(image_of(schema), classes, key, &s, err)
			     : iso_no_memory(err, "predictions");

	if (st == ISO_OK)
		st = train_student(&s, train, (size_t)o->steps, key, err);
	if (st == ISO_OK) {
		predict(&s, test, prob);
		st = iso_assess(prob, test->y, test->n, classes, iso_positive_class(schema), &a,
				err);
	}
	if (st == ISO_OK) {
		const double v[2][3] = {{a.accuracy, a.accuracy_low, a.accuracy_high},
					{a.auroc_macro, a.auroc_low, a.auroc_high}};
		memcpy(value, v, sizeof(v));
	}
	student_free(&s);
	iso_free(prob);
	return st;
}

static iso_status check(const iso_schema *s, const void *opt, iso_error *err)
{
	(void)opt;
	ISO_FAIL_IF(
		!image_of(s) || iso_schema_classes(s) < 2, err, ISO_E_UNSUPPORTED,
		"student-cnn (schema %s): it needs one column of type pixel and a label of classes",
		s->name);
	return ISO_OK;
}

static iso_status run_arm(const iso_metric_view *v, const opts *o, const iso_encoder *e,
			  const iso_labelled *test, int real, iso_measures *out, iso_error *err)
{
	const iso_key fixed = iso_key_new(0, "metrics/student-cnn");
	const iso_key key = real ? fixed : v->key;
	double value[2][3] = {{NAN, NAN, NAN}, {NAN, NAN, NAN}};
	char name[64];
	iso_labelled train;
	iso_status st;

	snprintf(name, sizeof(name), "student-cnn/1/%lld/%lld", (long long)o->max_rows,
		 (long long)o->steps);
	ISO_TRY(iso_labelled_new(e, real ? v->train : v->synthetic, (size_t)o->max_rows,
				 iso_key_child(key, "rows", 0), &train, err));
	const int ok = train.n && test->n;
	if (ok && !(real && v->cache_get && v->cache_get(v->cache_ctx, name, value[0], 6))) {
		ISO_TRY_OUT(run(o, v->schema, &train, test, key, value, err));
		if (real && v->cache_put)
			v->cache_put(v->cache_ctx, name, value[0], 6);
	}
	for (size_t k = 0; k < 2; k++)
		ISO_TRY_OUT(iso_put3(out, outputs[2 * (size_t)real + k].key, value[k],
				     ok ? "the test rows hold one class only"
					: "no labelled training or test rows",
				     err));
out:
	iso_labelled_free(&train);
	return st;
}

static iso_status measure(const iso_metric_view *v, const void *opt, iso_measures *out,
			  iso_error *err)
{
	const opts *o = opt;
	iso_labelled test = {0};
	iso_encoder *e = NULL;
	iso_status st;

	ISO_TRY(check(v->schema, opt, err));
	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES, &e, err));
	if (e->dim != v->schema->npixel) {
		st = iso_fail(err, ISO_E_UNSUPPORTED,
			      "student-cnn (schema %s): there are features beside the image",
			      v->schema->name);
		goto out;
	}
	ISO_TRY_OUT(iso_labelled_new(e, v->test, (size_t)o->max_rows,
				     iso_key_new(0, "metrics/student-cnn/test"), &test, err));
	ISO_TRY_OUT(run_arm(v, o, e, &test, 0, out, err));
	ISO_TRY_OUT(run_arm(v, o, e, &test, 1, out, err));
out:
	iso_encoder_free(e);
	iso_labelled_free(&test);
	return st;
}

const iso_metric iso_metric_student_cnn = {
	.abi = ISO_METRIC_ABI,
	.name = "student-cnn",
	.title = "Student network for images",
	.citation =
		"A. Triastcyn, B. Faltings: Generating Artificial Data for Private Deep Learning. "
		"PAL 2019. arXiv:1803.03148 (a student trained on generated images)",
	.card = "A small convolutional network (16 and 32 filters, 64 units, softmax) is trained "
		"for a "
		"fixed number of Adam steps on synthetic images and tested on real ones; the "
		"values "
		"with prefix real. come from the same network trained on the real training rows. "
		"Intervals: Wilson for the accuracy, DeLong for the area of two classes; they "
		"cover the "
		"test rows' sampling alone.",
	.inputs = ISO_IN_TRAIN | ISO_IN_TEST | ISO_IN_SYNTHETIC,
	.version = 1,
	.outputs = outputs,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.measure = measure,
};
