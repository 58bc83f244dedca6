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
#include "generators/kit/answers_train.h"
#include "generators/kit/pace.h"
#include "generators/kit/parts.h"

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
	iso_answers_trainer t;
	iso_average mean;
} trainer;

static void trainer_free(trainer *t)
{
	iso_answers_trainer_free(&t->t);
	iso_average_finish(&t->mean, NULL);
}

static iso_status trainer_init(trainer *t, const iso_fit *f, iso_error *err)
{
	const opts *o = f->env.options;
	const iso_pace p = pace_of(&f->env);
	ISO_TRY(iso_average_init(&t->mean, t->m->net, o->average, p.steps, err));
	return iso_answers_trainer_init(&t->t, t->m, f->train,
					&(iso_answers_pace){.ledger = f->ledger,
							    .entry = {.why = "step"},
							    .rate = p.q,
							    .n = (double)f->env.n,
							    .clip = (float)o->clip,
							    .lr = (float)o->lr,
							    .rule = ISO_ADAM},
					err);
}

static iso_status loop(trainer *t, const iso_fit *f, iso_error *err)
{
	const uint64_t steps = pace_of(&f->env).steps;
	for (uint64_t i = 0; i < steps; i++) {
		ISO_FAIL_IF(i % 16 == 0 && f->cancelled && f->cancelled(f->cancelled_ctx), err,
			    ISO_E_CANCELLED, "cancelled (direct): at step %llu; start again",
			    (unsigned long long)i);
		ISO_TRY(iso_answers_step(&t->t, err));
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
