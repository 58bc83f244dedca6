// SPDX-License-Identifier: Apache-2.0
/* direct: a classifier trained on the private rows by DP-SGD, without synthetic rows (Abadi et al.
 * 2016).  What synthetic data have to be compared with when a classifier is all that is wanted.
 *
 * ALGORITHM.  Features as encoded by the public schema, in [0,1]; model=lr: multinomial logistic
 * regression from weights of 0; mlp: tanh layers.  T times, on a Poisson sample of rate q = B/n:
 *   g = sum_i clip_C(grad CE(f(x_i), y_i)) + N(0, (s C)^2 I);  Adam on g / B
 * The running average of the weights is released.  `classify` gives its probabilities of real rows;
 * `sample` gives uniform rows of the public domain with labels drawn from them, which no
 * distribution metric can like.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.  "step": T Poisson-subsampled Gaussians
 * of sensitivity C, nothing else touches the rows; everything behind them is post-processing.
 *
 * DEVIATIONS.  Adam and an average of the weights in place of plain SGD; no private PCA.
 *
 * COST.  T B forward and backward passes of a small network.
 */
#include <string.h>

#include "core/base/alloc.h"
#include "core/nn/dpsgd.h"
#include "core/nn/loss.h"
#include "core/nn/optim.h"
#include "generators/kit/answers.h"
#include "generators/kit/pace.h"
#include "generators/kit/parts.h"
#include "generators/kit/rows.h"

enum { LR, MLP };

typedef struct opts {
	int model;
	int64_t hidden[ISO_OPT_LIST_MAX + 1];
	int64_t batch, epochs;
	double lr, clip, average;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, model, "lr", "lr|mlp", "logistic regression, or a network"),
	ISO_OPT_INTS(opts, hidden, "64", 1, 8192, "hidden layers (model=mlp)"),
	ISO_OPT_INT(opts, batch, "0", 0, 65536, "expected batch; 0: 256, at most n/8"),
	ISO_OPT_INT(opts, epochs, "30", 0, 100000, "passes; 0: 50, but at least 2400 steps"),
	ISO_OPT_REAL(opts, lr, "1e-2", 0, 100, "learning rate (Adam)"),
	ISO_OPT_REAL(opts, clip, "1", 1e-6, 1e6, "L2 bound C of a record's gradient"),
	ISO_OPT_REAL(opts, average, "0.2", 0, 1,
		     "horizon of the average of the weights as a share of the steps; 0: none"),
	{0},
};

static iso_pace pace_of(const iso_gen_env *env)
{
	const opts *o = env->options;
	const size_t n = env->n ? env->n : 1;
	return iso_pace_of(iso_batch_of((size_t)o->batch, 256, n), (size_t)o->epochs, n);
}

static iso_status resolve(const iso_gen_env *env, void *out, iso_error *err)
{
	opts *o = out;
	(void)err;
	o->batch = (int64_t)iso_batch_of((size_t)o->batch, 256, env->n ? env->n : 1);
	if (o->model == LR)
		o->hidden[0] = 0;
	return ISO_OK;
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const opts *o = env->options;
	ISO_FAIL_IF(env->n == 0, err, ISO_E_DATA,
		    "no rows (direct): the training table is empty; give it at least one row");
	ISO_FAIL_IF(o->model == MLP && o->hidden[0] == 0, err, ISO_E_CONFIG,
		    "hidden (direct): model=mlp needs at least one hidden layer; list one");
	return ISO_OK;
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const iso_pace p = pace_of(env);
	return iso_plan_gaussian(out, (iso_entry){.why = "step"}, scale, p.q, p.steps,
				 (float)((const opts *)env->options)->clip, err);
}

/* ---- Training ---- */

typedef struct trainer {
	iso_answers *m;
	iso_rows rows; /* PRIVATE */
	iso_ws *ws;
	iso_optim opt;
	iso_average mean;
	iso_dpsgd dp;
	float *x, *want; /* PRIVATE [chunk][dim], [chunk][classes]; owned */
} trainer;

static void trainer_free(trainer *t)
{
	iso_rows_close(&t->rows);
	iso_ws_free(t->ws);
	iso_optim_deinit(&t->opt);
	iso_average_finish(&t->mean, NULL);
	iso_dpsgd_deinit(&t->dp);
	iso_free(t->x);
	iso_free(t->want);
}

static iso_status errors(void *ctx, const uint32_t *rec, size_t n, uint64_t step, iso_error *err)
{
	trainer *t = ctx;
	const size_t dim = t->m->enc->dim, classes = t->m->classes;
	(void)step;
	(void)err;
	iso_rows_get(&t->rows, rec, n, t->x, dim);
	for (size_t r = 0; r < n; r++)
		iso_one_hot(t->rows.label[rec[r]], classes, t->want + r * classes);
	iso_net_forward(t->m->net, t->ws, t->x, dim, n, NULL);
	iso_loss_cross_entropy.eval(n, classes, iso_ws_out(t->ws), classes, t->want, classes,
				    iso_ws_delta(t->ws), classes);
	iso_net_backward(t->m->net, t->ws, 0, NULL, 0);
	return ISO_OK;
}

static iso_status trainer_init(trainer *t, const iso_fit *f, iso_error *err)
{
	const opts *o = f->env.options;
	const iso_pace p = pace_of(&f->env);
	const double batch = p.q * (double)f->env.n;
	const size_t chunk = iso_chunk_of(batch);
	iso_net *const net = t->m->net;
	t->x = iso_alloc(chunk * t->m->enc->dim, sizeof *t->x);
	t->want = iso_alloc(chunk * t->m->classes, sizeof *t->want);
	if (!t->x || !t->want)
		return iso_no_memory(err, "batches of a classifier");
	ISO_TRY(iso_rows_open(&t->rows, f->train, t->m->enc, ISO_ROWS_KEEP, err));
	ISO_TRY(iso_ws_new(net, chunk, ISO_WS_NORMS, &t->ws, err));
	ISO_TRY(iso_optim_init(&t->opt, ISO_ADAM, (float)o->lr, iso_net_params(net), err));
	ISO_TRY(iso_average_init(&t->mean, net, o->average, p.steps, err));
	t->dp = (iso_dpsgd){.ledger = f->ledger,
			    .rate = p.q,
			    .id = f->train->id,
			    .n = f->train->n,
			    .rows_per_record = 1,
			    .chunk = chunk,
			    .clip = (float)o->clip,
			    .normaliser = batch > 1 ? (float)batch : 1,
			    .nparts = 1,
			    .part = {{.net = net, .ws = t->ws, .opt = &t->opt}}};
	ISO_TRY(iso_ledger_find(f->ledger, (iso_entry){.why = "step"}, &t->dp.handle, err));
	return iso_dpsgd_init(&t->dp, err);
}

static iso_status loop(trainer *t, const iso_fit *f, iso_error *err)
{
	const uint64_t steps = pace_of(&f->env).steps;
	for (uint64_t i = 0; i < steps; i++) {
		ISO_FAIL_IF(i % 16 == 0 && f->cancelled && f->cancelled(f->cancelled_ctx), err,
			    ISO_E_CANCELLED, "cancelled (direct): at step %llu; start again",
			    (unsigned long long)i);
		ISO_TRY(iso_dpsgd_step(&t->dp, errors, t, err));
		iso_average_step(&t->mean, t->m->net, i);
		if (f->progress && i % 64 == 0)
			iso_progress_update(f->progress,
					    f->progress->total * (double)i / (double)steps);
	}
	iso_average_finish(&t->mean, t->m->net);
	return ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	opts o = *(const opts *)f->env.options;
	trainer t = {0};
	iso_status st;
	ISO_TRY(resolve(&f->env, &o, err));
	ISO_TRY(iso_answers_new(&f->env, o.hidden, f->key, &t.m, err));
	ISO_TRY_OUT(trainer_init(&t, f, err));
	ISO_TRY_OUT(loop(&t, f, err));
	*out = t.m;
	t.m = NULL;
out:
	trainer_free(&t);
	iso_answers_destroy(t.m);
	return st;
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	opts o = *(const opts *)env->options;
	ISO_TRY(resolve(env, &o, err));
	return iso_answers_load(env, o.hidden, bytes, n, out, err);
}

const iso_generator iso_generator_direct = {
	.abi = ISO_GENERATOR_ABI,
	.name = "direct",
	.title = "A classifier by DP-SGD on the private rows, without synthetic rows",
	.citation = "M. Abadi, A. Chu, I. Goodfellow, H. B. McMahan, I. Mironov, K. Talwar, L. "
		    "Zhang, \"Deep Learning with Differential Privacy\", CCS 2016, "
		    "arXiv:1607.00133",
	.card = "Trains logistic regression or a small network on the private rows; the metric "
		"\"own-classifier\" judges it on test rows.\n"
		"Privacy: Poisson-subsampled Gaussians, the same ledger as the generators. The "
		"sample are uniform rows of the public domain with labels of the classifier.\n"
		"Deviations: Adam and averaged weights in place of SGD.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_CLASSES,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.resolve = resolve,
	.check = check,
	.plan = plan,
	.fit = fit,
	.load = load,
	ISO_ANSWERS_SLOTS,
};
