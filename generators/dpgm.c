// SPDX-License-Identifier: Apache-2.0
/* dpgm: a mixture of small generative networks after private kernel k-means (Acs, Melis,
 * Castelluccia, De Cristofaro 2017).
 *
 * ALGORITHM.  (1) k-means on random Fourier features by noisy sums (kit/fourier_means.h); clusters
 * with few records are dropped; the released centres assign every record to one.  (2) A network per
 * cluster by DP-SGD, whose bound follows the released mean norm (kit/experts.h):
 *   scheme=joint   a step samples the whole table at rate B/n, a record goes to its own network,
 * and every network gets noise, also where no record fell scheme=apart   one network after the
 * other at rate B/n_j scheme=random  as apart; a network's number of steps is drawn in proportion
 * to n_j, as when a model is picked at random for every step (the paper) Sample: network by the
 * released sizes; decode N(0, I), or Gibbs sweeps (net=rbm).  The label is a column of the row.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - "k-means": a record adds (phi, 1) to its nearest centre's sum and count, blocks of bound 1
 *    released jointly; start and features know no data.
 *  - "expert-step".  joint: a record touches the block of one network, so the concatenated gradient
 *    is one Poisson-subsampled Gaussian of rate B/n a step.  apart, random: parts of group 1 under
 *    caps in RDP (kit/pace.h), as n_j is known only after k-means.  WHICH network moved is seen in
 *    the release, so picking it at random hides nothing: its steps count at rate B/n_j; counting
 * all steps at rate B/n would claim too small an epsilon.
 *  - The norms of the adaptive bound share sample and Gaussian with the gradient.
 *  - Assignment follows from released centres and the record: clusters are disjoint.  Under
 *    replace-one two of them change: only scheme=joint is offered.
 *
 * DEVIATIONS.  The paper's constants are not reachable; the bound of a step is the last step's
 * release; numbers have a learned deviation (vae) or are kept as probabilities (rbm).
 *
 * COST.  n (D d + k D) an iteration of k-means; steps as dp-vaegm's.
 */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/experts.h"
#include "generators/kit/fourier_means.h"

#define GROUP 1
enum { JOINT, APART, RANDOM };

typedef struct opts {
	int net, scheme, bound;
	int64_t clusters, features, iterations, hidden, latent, batch, epochs, sweeps;
	double gamma, share, clip, cap, lr;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, net, "vae", "vae|rbm", "networks of the clusters"),
	ISO_OPT_ENUM(opts, scheme, "joint", "joint|apart|random", "how steps are shared out"),
	ISO_OPT_INT(opts, clusters, "0", 0, 1000, "clusters; 0: 5, and 10 for images"),
	ISO_OPT_INT(opts, features, "200", 1, 100000, "random Fourier features D"),
	ISO_OPT_REAL(opts, gamma, "0", 0, 1e6, "width of the kernel; 0: sqrt(row's width) / 2"),
	ISO_OPT_INT(opts, iterations, "8", 1, 1000, "iterations of k-means, each one release"),
	ISO_OPT_REAL(opts, share, "0.15", 1e-6, 0.9, "share of the budget of k-means"),
	ISO_OPT_INT(opts, hidden, "0", 0, 8192, "hidden units; 0: 128, and 200 for images"),
	ISO_OPT_INT(opts, latent, "10", 1, 1024, "latent dimensions (net=vae)"),
	ISO_OPT_INT(opts, batch, "0", 0, 65536, "expected batch B; 0: 256, at most n/8"),
	ISO_OPT_INT(opts, epochs, "0", 0, 100000, "passes; 0: 50, but at least 2400 steps"),
	ISO_OPT_REAL(opts, lr, "0", 0, 100, "learning rate (Adam); 0: 4/steps within [1e-3, 1e-2]"),
	ISO_OPT_ENUM(opts, bound, "adaptive", "adaptive|fixed",
		     "bound of a record's gradient: the released mean norm, or clip"),
	ISO_OPT_REAL(opts, clip, "1", 1e-6, 1e6, "bound C; with bound=adaptive the first"),
	ISO_OPT_REAL(opts, cap, "10", 1e-6, 1e6, "cap G of the norms (bound=adaptive)"),
	ISO_OPT_INT(opts, sweeps, "100", 1, 100000, "Gibbs sweeps of a sample (net=rbm)"),
	{0},
};

typedef struct model {
	opts o;
	iso_latent_model *vae; /* networks, or the frame of the RBMs; law = cluster sizes; owned */
	iso_means km;
	iso_rbm *rbm; /* [k] owned; NULL with net=vae */
} model;

static void destroy(void *model_)
{
	model *m = model_;
	if (!m)
		return;
	iso_rbms_free(m->rbm, m->km.k);
	iso_means_free(&m->km);
	iso_latent_destroy(m->vae);
	iso_free(m);
}

static iso_status resolve(const iso_gen_env *env, void *options_, iso_error *err)
{
	opts *o = options_;
	size_t dim = 0;
	ISO_TRY(iso_rows_width(env->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL, &dim, err));
	const int image = dim >= 300;
	o->clusters = o->clusters ? o->clusters : image ? 10 : 5;
	o->hidden = o->hidden ? o->hidden : image ? 200 : 128;
	o->batch = (int64_t)iso_batch_of((size_t)o->batch, 256, env->n ? env->n : 1);
	const iso_pace p = iso_pace_of((size_t)o->batch, (size_t)o->epochs, env->n);
	o->lr = (double)iso_pace_lr(o->lr, p);
	o->gamma = o->gamma > 0 ? o->gamma : sqrt((double)dim) / 2;
	return ISO_OK;
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const opts *o = env->options;
	ISO_FAIL_IF(env->n == 0, err, ISO_E_DATA,
		    "no rows (dpgm): the training table is empty; give it at least one row");
	ISO_FAIL_IF(o->scheme != JOINT && env->adjacency == ISO_REPLACE_ONE, err, ISO_E_CONFIG,
		    "scheme (dpgm): a replaced record changes two clusters, which then do not "
		    "compose in parallel; use scheme=joint or add-remove adjacency");
	return ISO_OK;
}

static iso_status model_new(const iso_gen_env *env, iso_key key, int encoders, model **out,
			    iso_error *err)
{
	model *m = iso_alloc(1, sizeof *m);
	iso_status st;
	if (!m)
		return iso_no_memory(err, "a mixture of networks");
	m->o = *(const opts *)env->options;
	ISO_TRY_OUT(resolve(env, &m->o, err));
	const size_t k = (size_t)m->o.clusters;
	const int64_t units[] = {1, m->o.net ? 1 : m->o.hidden};
	const iso_latent_shape shape = {.who = "dpgm",
					.columns = ISO_ENC_FEATURES | ISO_ENC_LABEL,
					.experts = k,
					.mixture = 1,
					.prior = ISO_PRIOR_NORMAL,
					.latent = (size_t)m->o.latent,
					.decoder = {units, ISO_ACT_TANH},
					.encoder = {encoders ? units : NULL, ISO_ACT_TANH},
					.heads = ISO_HEADS_SOFTMAX,
					.spread = !m->o.net,
					.tau = 1,
					.recon = ISO_RECON_LIKELIHOOD};
	ISO_TRY_OUT(iso_latent_new(env, &shape, &m->vae, err));
	ISO_TRY_OUT(iso_means_new(m->vae->enc, k, (size_t)m->o.features, m->o.gamma,
				  iso_key_child(key, "k-means", 0), &m->km, err));
	if (m->o.net)
		ISO_TRY_OUT(iso_rbms_new(m->vae->enc, (size_t)m->o.hidden, key, k, &m->rbm, err));
	for (size_t c = 0; c < k; c++) {
		const iso_key own = iso_key_child(key, "init", c);
		iso_net_randomize(m->vae->decoder[c], ISO_INIT_GLOROT,
				  iso_key_child(own, "dec", 0));
		if (encoders)
			iso_net_randomize(m->vae->encoder[c], ISO_INIT_GLOROT,
					  iso_key_child(own, "enc", 0));
	}
	*out = m;
	return ISO_OK;
out:
	destroy(m);
	return st;
}

static iso_pace joint_pace(const opts *o, size_t n)
{
	return iso_pace_of((size_t)o->batch, (size_t)o->epochs, n);
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	opts o = *(const opts *)env->options;
	ISO_TRY(resolve(env, &o, err));
	const double order = iso_pace_order(env->epsilon, env->delta),
		     cap = iso_pace_cap(order, scale, 1 - o.share);
	const iso_pace p = joint_pace(&o, env->n);
	ISO_TRY(iso_plan_gaussian(out, (iso_entry){.why = "k-means"},
				  scale * sqrt((double)o.iterations / o.share), 1,
				  (uint64_t)o.iterations, 1, err));
	if (o.scheme == JOINT)
		return iso_plan_gaussian(out, (iso_entry){.why = "expert-step"},
					 iso_pace_noise(order, cap, p), p.q, p.steps, 1, err);
	for (int c = 0; c < (int)o.clusters; c++)
		ISO_TRY(iso_plan_adaptive_rdp(
			out, (iso_entry){.why = "expert-step", .group = GROUP, .part = c}, order,
			cap, 1, err));
	return ISO_OK;
}

/* Experts lo .. hi-1 on the rows of v, whose expected batches are batch [k]. */
static iso_status train(const iso_fit *f, model *m, const iso_expert_rows *v, size_t lo, size_t hi,
			iso_pace p, const double *batch, iso_error *err)
{
	const opts *o = &m->o;
	const int apart = o->scheme != JOINT;
	const iso_expert_job job = {
		.f = f,
		.nets = {m->rbm ? NULL : m->vae, m->rbm, m->km.k, 1},
		.rows = v,
		.lo = lo,
		.hi = hi,
		.bound = iso_bound_of(o->clip, o->bound ? 0 : o->cap, 0.01, 10),
		.pace = p,
		.lr = iso_pace_lr(o->lr, p),
		.batch = batch,
		.capped = apart,
		.entry = {.why = "expert-step",
			  .group = apart * GROUP,
			  .part = apart ? (int)lo : 0},
	};
	return iso_experts_train(&job, err);
}

static iso_status train_apart(const iso_fit *f, model *m, const iso_expert_rows *all, double *batch,
			      iso_error *err)
{
	const opts *o = &m->o;
	const size_t k = m->km.k;
	iso_status st = ISO_OK;
	uint64_t *steps = iso_alloc(k, sizeof *steps);
	if (!steps)
		return iso_no_memory(err, "steps of the networks");
	iso_experts_deal(iso_key_child(f->key, "steps", 0), m->vae->law, k,
			 joint_pace(o, f->env.n).steps, steps);
	for (size_t c = 0; st == ISO_OK && c < k; c++) {
		const size_t rows = m->km.count[c] > 1 ? (size_t)m->km.count[c] : 1;
		iso_pace p = iso_pace_of(iso_batch_of(0, (size_t)o->batch, rows), (size_t)o->epochs,
					 rows);
		p.steps = o->scheme == RANDOM ? steps[c] : p.steps;
		iso_expert_rows v = {0};
		if (!(m->km.count[c] > 0) || p.steps == 0)
			continue;
		batch[c] = p.q * m->km.count[c];
		st = iso_expert_rows_of(all, (uint32_t)c, m->vae->enc->dim, &v, err);
		if (st == ISO_OK)
			st = train(f, m, &v, c, c + 1, p, batch, err);
		iso_expert_rows_free(&v);
	}
	iso_free(steps);
	return st;
}

static iso_status learn(const iso_fit *f, model *m, const iso_expert_rows *all, double *batch,
			iso_error *err)
{
	const opts *o = &m->o;
	const size_t k = m->km.k;
	ISO_TRY(iso_means_fit(&m->km, all->id, all->x, all->n, f->ledger,
			      (iso_entry){.why = "k-means"}, (size_t)o->iterations, err));
	iso_means_drop(&m->km, fmin(5 * (double)o->batch, (double)f->env.n / (4 * (double)k)));
	ISO_TRY(iso_means_assign(&m->km, all->x, all->n, all->of, err));
	iso_law_from_counts(m->km.count, k, m->vae->law);
	if (o->scheme != JOINT)
		return train_apart(f, m, all, batch, err);
	double rows = 0;
	for (size_t c = 0; c < k; c++)
		rows += m->km.count[c];
	for (size_t c = 0; c < k; c++)
		batch[c] = (double)o->batch * m->km.count[c] / rows;
	return train(f, m, all, 0, k, joint_pace(o, f->env.n), batch, err);
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	model *m = NULL;
	iso_expert_rows all = {0};
	iso_status st;
	ISO_TRY(model_new(&f->env, f->key, ((const opts *)f->env.options)->net == 0, &m, err));
	double *batch = iso_alloc(m->km.k, sizeof *batch);
	if (!batch) {
		st = iso_no_memory(err, "batches of the networks");
		goto out;
	}
	ISO_TRY_OUT(iso_expert_rows_new(f->train->n, m->vae->enc->dim, &all, err));
	all.n = f->train->n;
	iso_encode(m->vae->enc, f->train, NULL, all.n, all.x, m->vae->enc->dim);
	memcpy(all.id, f->train->id, all.n * sizeof *all.id);
	ISO_TRY_OUT(learn(f, m, &all, batch, err));
	iso_latent_drop_encoders(m->vae);
	*out = m;
	m = NULL;
out:
	iso_free(batch);
	iso_expert_rows_free(&all);
	destroy(m);
	return st;
}

static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = model_;
	return m->rbm ? iso_rbm_sample(m->rbm, m->vae->law, m->km.k, (size_t)m->o.sweeps, key, out,
				       err)
		      : iso_latent_sample(m->vae, key, out, err);
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;
	iso_means_save(out, &m->km);
	iso_rbms_save(out, m->rbm, m->km.k);
	return iso_latent_save(m->vae, out, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	model *m = NULL;
	iso_status st;
	ISO_TRY(model_new(env, iso_key_new(0, "load"), 0, &m, err));
	ISO_TRY_OUT(iso_means_take(&in, &m->km, err));
	ISO_TRY_OUT(iso_rbms_take(&in, m->rbm, m->km.k, err));
	ISO_TRY_OUT(iso_latent_take(&in, m->vae, err));
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

static iso_status describe(const void *model_, cJSON *out, iso_error *err)
{
	const model *m = model_;
	cJSON *rows = cJSON_CreateDoubleArray(m->km.count, (int)m->km.k);
	if (!rows || !cJSON_AddItemToObject(out, "cluster_rows", rows))
		return iso_no_memory(err, "description of clusters");
	return iso_latent_describe(m->vae, out, err);
}

const iso_generator iso_generator_dpgm = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dpgm",
	.title = "DPGM: mixture of generative networks after private kernel k-means",
	.citation = "G. Acs, L. Melis, C. Castelluccia, E. De Cristofaro, \"Differentially Private "
		    "Mixture of Generative Neural Networks\", ICDM 2017, arXiv:1709.04514",
	.card = "Clusters the records by k-means on random Fourier features with noisy sums, then "
		"trains one small network per cluster by DP-SGD with a bound that follows the "
		"noisy "
		"mean norm.\n"
		"Privacy: Gaussians of joint sensitivity 1 for k-means; Poisson-subsampled "
		"Gaussians "
		"for the networks, as one block vector (joint) or as parallel parts under caps.\n"
		"Deviations: the paper's constants are not reachable; see the head of "
		"generators/dpgm.c.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.resolve = resolve,
	.check = check,
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.save = save,
	.load = load,
	.describe = describe,
};
