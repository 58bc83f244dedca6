// SPDX-License-Identifier: Apache-2.0
/* dp-merf: a generator trained on one noisy mean embedding (Harder, Adamczewski, Park 2021).
 *
 * WHAT.  The data are looked at once: per class the sum of random features of its rows is released.
 * A generator is then trained to have the same mean features, at no further cost.
 *
 * ALGORITHM (method card "dp-merf"; paper sections 4.1 to 4.3).  e(x): kit/features.h; c classes.
 *     n_y = rows of class y + noise            S_y = sum of e(x) over them + noise
 *     m_y = S_y / max(n_y, 1)
 *     G minimises  sum_y |m_y - mean e(G(z, y))|^2,   z ~ N(0, I), labels taking turns
 * Dividing by n_y makes every class count the same: the labels' weights of the paper.  The square
 * is estimated without bias, each fake against the mean of the others.  Sampled labels follow n_y.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  "label-histogram" a record adds 1 to one count.
 *  "embedding"       one Gaussian sum over [class][feature]: a record adds e(x), of norm sqrt 2
 *                    (numbers and categories) or 1, to one class; iso_mech_sum clips to that.
 *  W comes from the key, the length scale from the schema or an option, so the features are public.
 *  Training G is post-processing.
 *
 * DEVIATIONS.  Sums instead of means with n; categories are one-hot (the released script feeds
 * integer codes, whose embedding is not bounded); the length scale is sqrt of the number of numeric
 * columns (or given) instead of a median of private distances, which the script does not charge;
 * layer widths and steps are options; no batch norm.
 *
 * COST.  One pass over the rows of n D cosines, memory c D doubles; training steps x batch x D. */
#include <math.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"
#include "generators/kit/features.h"
#include "generators/kit/labels.h"
#include "generators/kit/latent_model.h"

#define PIECE 64 /* private rows that are embedded at a time */

typedef struct opts {
	int labels, categories;
	int64_t features, steps, batch, z_dim, hidden[ISO_OPT_LIST_MAX + 1];
	double length, label_share, lr, average;
} opts;

static const iso_option options[] = {
	ISO_OPT_INT(opts, features, "1000", 2, 100000, "random Fourier features D, an even number"),
	ISO_OPT_REAL(opts, length, "0", 0, 1e6,
		     "length scale of the kernel on [0,1]; 0: sqrt(number of numeric columns) / 4"),
	ISO_OPT_INT(opts, steps, "2000", 1, 1000000, "steps of the generator (free)"),
	ISO_OPT_INT(opts, batch, "200", 2, 65536, "fakes per step"),
	ISO_OPT_INTS(opts, hidden, "100,100", 1, 8192, "hidden layers"),
	ISO_OPT_INT(opts, z_dim, "10", 1, 4096, "latent dimensions"),
	ISO_OPT_REAL(opts, lr, "5e-3", 0, 10, "learning rate (Adam), falling to a tenth"),
	ISO_OPT_REAL(opts, average, "0.1", 0, 1,
		     "horizon of the average of the weights as a share of the steps"),
	ISO_OPT_ENUM(opts, labels, "histogram", ISO_LABEL_CHOICES,
		     "law of the labels: a noisy histogram, uniform, or public class counts"),
	ISO_OPT_REAL(opts, label_share, "0.05", 1e-6, 0.9,
		     "share of the budget of the label histogram"),
	ISO_OPT_ENUM(opts, categories, "draw", "draw|argmax", "categories of a sample"),
	{0},
};

static iso_latent_shape shape_of(const iso_gen_env *env, const opts *o)
{
	const int labelled = iso_schema_classes(env->schema) > 0;
	return (iso_latent_shape){.who = "dp-merf",
				  .columns = ISO_ENC_FEATURES | (labelled ? 0 : ISO_ENC_LABEL),
				  .experts = 1,
				  .conditional = labelled,
				  .prior = ISO_PRIOR_NORMAL,
				  .latent = (size_t)o->z_dim,
				  .decoder = {o->hidden, ISO_ACT_RELU},
				  .heads = ISO_HEADS_SOFTMAX,
				  .tau = 1,
				  .argmax = o->categories};
}

static int source_of(const iso_gen_env *env, const opts *o)
{
	return iso_schema_classes(env->schema) > 0 ? o->labels : ISO_LABELS_COLUMN;
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const opts *o = env->options;
	ISO_FAIL_IF((size_t)o->hidden[0] > ISO_KIT_LAYERS, err, ISO_E_CONFIG,
		    "hidden (dp-merf): more than %d layers; shorten the list", ISO_KIT_LAYERS);
	return iso_labels_check(env, source_of(env, o), "dp-merf", err);
}

static double length_of(const opts *o, const iso_encoder *enc)
{
	size_t numbers = 0;
	for (size_t b = 0; b < enc->nblock; b++)
		numbers += enc->block[b].kind == ISO_BLOCK_ONEHOT ? 0 : enc->block[b].width;
	return o->length > 0 ? o->length : sqrt((double)numbers) / 4;
}

/* The public features of a schema. */
static iso_status features_of(const iso_gen_env *env, const iso_encoder *enc, iso_key key,
			      iso_features *out, iso_error *err)
{
	const opts *o = env->options;
	return iso_features_new(enc, (size_t)o->features, length_of(o, enc), key, out, err);
}

static iso_status resolve(const iso_gen_env *env, void *options_, iso_error *err)
{
	opts *o = options_;
	iso_encoder *enc = NULL;
	ISO_TRY(iso_encoder_new(env->schema, shape_of(env, o).columns, &enc, err));
	o->length = length_of(o, enc);
	iso_encoder_free(enc);
	return ISO_OK;
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts *o = env->options;
	const iso_latent_shape s = shape_of(env, o);
	const int source = source_of(env, o);
	iso_encoder *enc = NULL;
	iso_features f;
	ISO_TRY(iso_encoder_new(env->schema, s.columns, &enc, err));
	const iso_status st = features_of(env, enc, (iso_key){0}, &f, err);
	iso_encoder_free(enc);
	ISO_TRY(st);
	const double norm = f.norm, share = source == ISO_LABELS_HISTOGRAM ? o->label_share : 0;
	iso_features_free(&f);
	ISO_TRY(iso_plan_gaussian(out, (iso_entry){.why = "embedding"}, scale / sqrt(1 - share), 1,
				  1, norm, err));
	return share > 0 ? iso_labels_plan(env, source, scale / sqrt(share), 0, out, err) : ISO_OK;
}

/* ------------------------------------------------------------------ the one look */

typedef struct trainer {
	const iso_fit *f;
	const opts *o;
	iso_latent_model *m;
	iso_features feat;
	size_t classes; /* at least 1 */
	double *mean;	/* [classes][dim] released; owned */
	iso_ws *ws;
	iso_optim opt;
	iso_average average;
	float *z, *x, *dx, *e, *de, *scratch, *sum; /* of a batch; owned */
} trainer;

/* PRIVATE: e(x) of every row into its class's part of the sum. */
static iso_status add_rows(trainer *t, iso_sum_stream *s, iso_error *err)
{
	const iso_table *train = t->f->train;
	const size_t dim = t->feat.dim, classes = iso_schema_classes(t->f->env.schema);
	double *row = iso_alloc(t->classes * dim, sizeof *row);
	iso_status st = row ? ISO_OK : iso_no_memory(err, "an embedding");
	for (size_t at = 0; at < train->n && st == ISO_OK; at += PIECE) {
		const size_t n = train->n - at < PIECE ? train->n - at : PIECE;
		uint32_t pick[PIECE];
		for (size_t r = 0; r < n; r++)
			pick[r] = (uint32_t)(at + r);
		iso_encode(t->m->enc, train, pick, n, t->x, t->m->enc->dim);
		iso_features_embed(&t->feat, t->x, t->m->enc->dim, n, t->scratch, t->e);
		for (size_t r = 0; r < n && st == ISO_OK; r++) {
			const size_t y = classes ? iso_table_label(train, at + r) : 0;
			for (size_t i = 0; i < t->classes * dim; i++)
				row[i] = 0;
			for (size_t i = 0; i < dim && y < t->classes; i++)
				row[y * dim + i] = t->e[r * dim + i];
			st = iso_mech_sum_add(s, (uint32_t)(at + r), row, err);
		}
	}
	iso_free(row);
	return st;
}

static iso_status release(trainer *t, iso_error *err)
{
	const iso_sum_block block = {
		.dim = t->classes * t->feat.dim, .clip = t->feat.norm, .norm = ISO_NORM_L2};
	double *count = iso_alloc(t->classes, sizeof *count);
	iso_sum_stream *s = NULL;
	iso_status st;
	if (!count)
		return iso_no_memory(err, "counts of classes");
	ISO_TRY_OUT(iso_mech_sum_begin(t->f->ledger, (iso_entry){.why = "embedding"},
				       t->f->train->id, t->f->train->n, &block, 1, &s, err));
	st = add_rows(t, s, err);
	if (st != ISO_OK) {
		iso_mech_sum_cancel(s);
		goto out;
	}
	ISO_TRY_OUT(iso_mech_sum_finish(s, t->mean, err));
	count[0] = (double)t->f->env.n;
	if (iso_schema_classes(t->f->env.schema)) {
		ISO_TRY_OUT(iso_labels_counts(t->f, t->o->labels, t->f->ledger, count, err));
		iso_law_from_counts(count, t->classes, t->m->law);
	}
	for (size_t y = 0; y < t->classes; y++) {
		/* uniform labels tell no counts */
		const double n = t->o->labels == ISO_LABELS_UNIFORM && t->classes > 1
					 ? (double)t->f->env.n / (double)t->classes
					 : count[y];
		for (size_t i = 0; i < t->feat.dim; i++)
			t->mean[y * t->feat.dim + i] /= fmax(n, 1);
	}
out:
	iso_free(count);
	return st;
}

/* ------------------------------------------------------------------ training, data-free */

static size_t label_of(const trainer *t, size_t j)
{
	return j % t->classes;
}

/* de of sum_y |m_y - mean e|^2, every fake against the mean of the others of its class; the loss.
 */
static double embedding_loss(trainer *t, size_t n)
{
	const size_t dim = t->feat.dim;
	double loss = 0;
	for (size_t i = 0; i < t->classes * dim; i++)
		t->sum[i] = 0;
	for (size_t j = 0; j < n; j++)
		for (size_t i = 0; i < dim; i++)
			t->sum[label_of(t, j) * dim + i] += t->e[j * dim + i];
	for (size_t j = 0; j < n; j++) {
		const size_t y = label_of(t, j);
		const float b = (float)((n - y + t->classes - 1) / t->classes);
		const float *sum = t->sum + y * dim, *e = t->e + j * dim;
		for (size_t i = 0; i < dim; i++) {
			const float others = b > 1 ? (sum[i] - e[i]) / (b - 1) : e[i];
			const float miss = others - (float)t->mean[y * dim + i];
			t->de[j * dim + i] = 2 * miss / b;
			loss += (double)(miss * miss) / (double)b;
		}
	}
	return loss;
}

static double step(trainer *t, uint64_t at)
{
	iso_latent_model *m = t->m;
	iso_net *net = m->decoder[0];
	const size_t n = (size_t)t->o->batch, dim = m->enc->dim;
	iso_latent_draw_z(m, iso_key_child(t->f->key, "z", 0), at * n, n, t->z);
	for (size_t j = 0; j < n && m->zw > m->shape.latent; j++)
		iso_one_hot(label_of(t, j), t->classes, t->z + j * m->zw + m->shape.latent);
	iso_net_forward(net, t->ws, t->z, m->zw, n, NULL);
	iso_heads_forward(&m->heads, iso_ws_out(t->ws), n, NULL, t->x, dim);
	iso_features_embed(&t->feat, t->x, dim, n, t->scratch, t->e);
	const double loss = embedding_loss(t, n);
	iso_features_backward(&t->feat, t->e, t->de, n, t->scratch, t->dx, dim);
	iso_heads_backward(&m->heads, t->x, dim, t->dx, dim, n, 0, iso_ws_delta(t->ws));
	iso_net_backward(net, t->ws, 0, NULL, 0);
	iso_net_weight_grad(net, t->ws, NULL, 0, iso_net_grad(net));
	t->opt.lr = (float)(t->o->lr * (1 - 0.9 * (double)at / (double)t->o->steps));
	iso_optim_step(&t->opt, iso_net_theta(net), iso_net_grad(net), 1);
	iso_average_step(&t->average, net, at);
	return loss;
}

static iso_status trainer_init(trainer *t, iso_error *err)
{
	iso_latent_model *m = t->m;
	const size_t n = (size_t)(t->o->batch > PIECE ? t->o->batch : PIECE), dim = m->enc->dim;
	const size_t classes = iso_schema_classes(t->f->env.schema);
	t->classes = classes ? classes : 1;
	ISO_TRY(features_of(&t->f->env, m->enc, iso_key_child(t->f->key, "features", 0), &t->feat,
			    err));
	const size_t wide = t->feat.dim, inner = t->feat.nnum + t->feat.freq;
	t->mean = iso_alloc(t->classes * wide, sizeof *t->mean);
	t->sum = iso_alloc(t->classes * wide, sizeof *t->sum);
	t->z = iso_alloc(n * m->zw, sizeof *t->z);
	t->x = iso_alloc(n * dim, sizeof *t->x);
	t->dx = iso_alloc(n * dim, sizeof *t->dx);
	t->e = iso_alloc(n * wide, sizeof *t->e);
	t->de = iso_alloc(n * wide, sizeof *t->de);
	t->scratch = iso_alloc(n * inner, sizeof *t->scratch);
	if (!t->mean || !t->sum || !t->z || !t->x || !t->dx || !t->e || !t->de || !t->scratch)
		return iso_no_memory(err, "workspaces of DP-MERF");
	iso_net_randomize(m->decoder[0], ISO_INIT_HE, iso_key_child(t->f->key, "init", 0));
	ISO_TRY(iso_ws_new(m->decoder[0], n, 0, &t->ws, err));
	ISO_TRY(iso_average_init(&t->average, m->decoder[0], t->o->average, (uint64_t)t->o->steps,
				 err));
	return iso_optim_init(&t->opt, ISO_ADAM, (float)t->o->lr, iso_net_params(m->decoder[0]),
			      err);
}

static void trainer_free(trainer *t)
{
	void *const v[] = {t->mean, t->sum, t->z, t->x, t->dx, t->e, t->de, t->scratch};
	for (size_t i = 0; i < ISO_COUNT(v); i++)
		iso_free(v[i]);
	iso_features_free(&t->feat);
	iso_ws_free(t->ws);
	iso_optim_deinit(&t->opt);
	iso_average_finish(&t->average, NULL);
	iso_latent_destroy(t->m);
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	trainer t = {.f = f, .o = f->env.options};
	const iso_latent_shape shape = shape_of(&f->env, t.o);
	iso_status st;
	ISO_TRY(iso_latent_new(&f->env, &shape, &t.m, err));
	ISO_TRY_OUT(trainer_init(&t, err));
	ISO_TRY_OUT(release(&t, err));
	for (uint64_t at = 0; at < (uint64_t)t.o->steps; at++) {
		const double loss = step(&t, at);
		if (f->curve && at % 100 == 0)
			f->curve(f->curve_ctx, (double)at, "embedding-distance", loss);
		if (f->cancelled && f->cancelled(f->cancelled_ctx)) {
			st = iso_fail(err, ISO_E_CANCELLED, "dp-merf: cancelled");
			goto out;
		}
	}
	iso_average_finish(&t.average, t.m->decoder[0]);
	*out = t.m;
	t.m = NULL;
out:
	trainer_free(&t);
	return st;
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	const iso_latent_shape shape = shape_of(env, env->options);
	return iso_latent_load(env, &shape, bytes, n, out, err);
}

const iso_generator iso_generator_dp_merf = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dp-merf",
	.title = "DP-MERF: a generator trained on one noisy mean embedding",
	.citation = "F. Harder, K. Adamczewski, M. Park, \"DP-MERF: Differentially Private Mean "
		    "Embeddings with Random Features for Practical Privacy-Preserving Data "
		    "Generation\", AISTATS 2021, arXiv:2002.11603",
	.card = "Releases, per class, the noisy sum of random Fourier features of its rows, and "
		"trains a generator to have the same mean features.\n"
		"Privacy: one histogram of the labels and one Gaussian sum whose rows have norm 1 "
		"or sqrt 2; training is post-processing and costs nothing.\n"
		"Deviations: sums instead of means, one-hot categories, a public length scale, an "
		"unbiased estimate of the distance, no batch norm.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.check = check,
	.resolve = resolve,
	.plan = plan,
	.fit = fit,
	.load = load,
	ISO_LATENT_SLOTS,
};
