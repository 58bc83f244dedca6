// SPDX-License-Identifier: Apache-2.0
/* fedavg: a classifier trained by several clients together, without synthetic rows: federated
 * averaging (McMahan et al. 2017) and selective SGD (Shokri and Shmatikov 2015).  What a pool of
 * generators (3dgl) has to be compared with.
 *
 * ALGORITHM.  Features as encoded by the public schema, in [0,1]; model=lr: multinomial logistic
 * regression from weights of 0; mlp: tanh layers.  In each of `rounds` rounds
 *   schedule=average  every client k trains a copy of the shared weights w by its local steps on
 *                     its own rows and sends the change d_k;  w <- w + sum_k (N_k / N) d_k
 *   schedule=turns    one client after the other: it takes w, trains, and sends the share `upload`
 *                     of the coordinates of d_k that are largest, at once;  w <- w + those
 * A local step, on a Poisson sample of rate q_k = B / N_k of the client's rows:
 *   g = sum_i clip_C(grad CE(f(x_i), y_i)) + N(0, (s C)^2 I);  Adam on g / B, afresh in each round
 * `classify` gives the shared classifier's probabilities; `sample` is that of direct.
 *
 * The clients are those of a column of role client or of the suite's "clients"; without either,
 * `clients` equal shares dealt by a keyed hash of each row's identity.
 *
 * PRIVACY ARGUMENT (mode=sound).  Record level.  Neighbours: add or remove one record.
 *  - "step", part k: T Poisson-subsampled Gaussians of sensitivity C on client k's rows.  A record
 * is at one client, and everything that is sent or added up follows from those releases, so the
 * parts compose in parallel: epsilon is the largest epsilon_k.  Under replace-one, of two clients
 * together.
 *  - Which client holds a record, and how many each holds, is public.
 *  - Digests of all messages are part of the saved model ("messages"), so `verify` compares them.
 *
 * MODE=PAPER (guarantee "none", epsilon infinite).  As published: no clipping, no noise.  The noise
 * of the 2015 paper, epsilon for each uploaded coordinate, is not offered.
 *
 * DEVIATIONS.  Adam for the local steps; every client in every round; schedule=turns downloads all
 * coordinates.
 *
 * COST.  As direct.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/vmath.h"
#include "generators/kit/answers_train.h"
#include "generators/kit/federation.h"
#include "generators/kit/messages.h"
#include "generators/kit/pace.h"

enum { LR, MLP };
enum { AVERAGE, TURNS };

typedef struct opts {
	int mode, model, schedule;
	int64_t hidden[ISO_OPT_LIST_MAX + 1];
	int64_t clients, rounds, batch, epochs;
	double lr, clip, upload;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, mode, "sound", "sound|paper",
		     "paper: as published, no clipping and no noise; not private"),
	ISO_OPT_ENUM(opts, schedule, "average", "average|turns",
		     "average: FedAvg; turns: selective SGD, one client after the other"),
	ISO_OPT_REAL(opts, upload, "0.1", 1e-4, 1,
		     "share of the coordinates that a client sends (schedule=turns)"),
	ISO_OPT_ENUM(opts, model, "lr", "lr|mlp", "logistic regression, or a network"),
	ISO_OPT_INTS(opts, hidden, "64", 1, 8192, "hidden layers (model=mlp)"),
	ISO_OPT_INT(opts, clients, "10", 2, 4096,
		    "clients, when the data have no column of role client"),
	ISO_OPT_INT(opts, rounds, "20", 1, 100000, "rounds"),
	ISO_OPT_INT(opts, batch, "0", 0, 65536, "expected batch of a client; 0: 64, at most N_k/8"),
	ISO_OPT_INT(opts, epochs, "30", 0, 100000,
		    "passes over a client's rows; 0: 50, but at least 2400 steps"),
	ISO_OPT_REAL(opts, lr, "1e-2", 0, 100, "learning rate (Adam)"),
	ISO_OPT_REAL(opts, clip, "1", 1e-6, 1e6, "L2 bound C of a record's gradient"),
	{0},
};

static size_t clients_of(const iso_gen_env *env)
{
	return iso_federation_clients(env, (size_t)((const opts *)env->options)->clients);
}

/* Of client k; the steps are a multiple of the rounds. */
static iso_pace pace_of(const iso_gen_env *env, size_t k)
{
	const opts *o = env->options;
	const size_t n = iso_federation_rows(env, clients_of(env), k);
	iso_pace p = iso_pace_of(iso_batch_of((size_t)o->batch, 64, n), (size_t)o->epochs, n);
	const uint64_t rounds = (uint64_t)o->rounds;
	p.steps = (p.steps + rounds - 1) / rounds * rounds;
	return p;
}

static iso_status resolve(const iso_gen_env *env, void *out, iso_error *err)
{
	opts *o = out;
	(void)err;
	o->clients = (int64_t)clients_of(env);
	if (o->schedule == AVERAGE)
		o->upload = 1;
	if (o->model == LR)
		o->hidden[0] = 0;
	return ISO_OK;
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const opts *o = env->options;
	ISO_FAIL_IF(env->n == 0, err, ISO_E_DATA,
		    "no rows (fedavg): the training table is empty; give it at least one row");
	ISO_FAIL_IF(o->model == MLP && o->hidden[0] == 0, err, ISO_E_CONFIG,
		    "hidden (fedavg): model=mlp needs at least one hidden layer; list one");
	return ISO_OK;
}

static iso_guarantee guarantee_of(const void *o)
{
	return ((const opts *)o)->mode == 1 ? ISO_GUARANTEE_NONE : ISO_GUARANTEE_DP;
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	const opts *o = env->options;
	for (size_t k = 0; o->mode == 0 && k < clients_of(env); k++) {
		const iso_pace p = pace_of(env, k);
		ISO_TRY(iso_plan_gaussian(out,
					  (iso_entry){.why = "step", .group = 1, .part = (int)k},
					  scale, p.q, p.steps, (float)o->clip, err));
	}
	return ISO_OK;
}

/* ---- Training ---- */

typedef struct client {
	iso_table *rows; /* PRIVATE; owned */
	iso_answers_trainer t;
	iso_pace pace;
	double share; /* N_k / N */
} client;

typedef struct server {
	const iso_fit *f;
	const opts *o;
	iso_answers *m; /* the shared classifier */
	size_t clients, n;
	client *v;
	float *w, *sum, *order; /* [n] shared weights, sum of changes, scratch */
	iso_messages *log;
} server;

enum { CHANGE, WEIGHTS, KINDS };
static const char *const kinds[KINDS] = {"change", "weights"};

static void server_free(server *s)
{
	for (size_t k = 0; s->v && k < s->clients; k++) {
		iso_answers_trainer_free(&s->v[k].t);
		iso_table_free(s->v[k].rows);
	}
	iso_free(s->v);
	iso_free(s->w);
	iso_free(s->sum);
	iso_free(s->order);
	iso_messages_free(s->log);
}

static iso_status open_trainer(const server *s, size_t k, const iso_table *rows, iso_error *err)
{
	client *c = &s->v[k];
	return iso_answers_trainer_init(
		&c->t, s->m, rows,
		&(iso_answers_pace){.ledger = s->o->mode == 0 ? s->f->ledger : NULL,
				    .entry = {.why = "step", .group = 1, .part = (int)k},
				    .key = iso_key_child(s->f->key, "batch", k),
				    .rate = c->pace.q,
				    .n = (double)iso_federation_rows(&s->f->env, s->clients, k),
				    .clip = (float)s->o->clip,
				    .lr = (float)s->o->lr,
				    .rule = ISO_ADAM},
		err);
}

static iso_status server_init(server *s, iso_error *err)
{
	iso_federation d = {0};
	iso_status st;
	double total = 0;
	s->n = iso_net_params(s->m->net);
	s->v = iso_alloc(s->clients, sizeof *s->v);
	s->w = iso_alloc(s->n, sizeof *s->w);
	s->sum = iso_alloc(s->n, sizeof *s->sum);
	s->order = iso_alloc(s->n, sizeof *s->order);
	if (!s->v || !s->w || !s->sum || !s->order)
		return iso_no_memory(err, "a federated classifier");
	ISO_TRY(iso_messages_new(s->clients + 1, kinds, KINDS, 0, &s->log, err));
	ISO_TRY(iso_federation_deal(s->f, s->clients, &d, err));
	for (size_t k = 0; k < s->clients; k++) {
		client *c = &s->v[k];
		c->pace = pace_of(&s->f->env, k);
		c->share = (double)iso_federation_rows(&s->f->env, s->clients, k);
		total += c->share;
		ISO_TRY_OUT(iso_table_select(s->f->train, d.pos + d.first[k],
					     d.first[k + 1] - d.first[k], &c->rows, err));
		ISO_TRY_OUT(open_trainer(s, k, c->rows, err));
	}
	for (size_t k = 0; k < s->clients; k++)
		s->v[k].share /= total;
	st = ISO_OK;
out:
	iso_federation_free(&d);
	return st;
}

/* What an insider is told of the shared classifier. */
static iso_status answer(void *ctx, const float *x, size_t n, size_t of, double *value,
			 float *slope, iso_error *err)
{
	return iso_answers_slope(((server *)ctx)->m, x, n, of, value, slope, err);
}

/* The rows that client k trains on in this round: its own, or what the insider brings; *brought is
 * the caller's to free. */
static iso_status let_in(server *s, size_t k, size_t round, iso_table **brought, iso_error *err)
{
	const iso_insider *in = s->f->insider;
	const iso_shared shared = {.enc = s->m->enc,
				   .classes = s->m->classes,
				   .round = round,
				   .rounds = (size_t)s->o->rounds,
				   .own = s->v[k].rows,
				   .ctx = s,
				   .answer = answer};
	if (!in || in->client != k)
		return ISO_OK;
	ISO_TRY(in->join(in->ctx, &shared, brought, err));
	if (!*brought)
		return ISO_OK;
	iso_answers_trainer_free(&s->v[k].t);
	s->v[k].t = (iso_answers_trainer){0};
	return open_trainer(s, k, *brought, err);
}

static int by_size(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;
	return (x < y) - (x > y);
}

/* Keeps the share of the coordinates of d that are largest. */
static void select_largest(server *s, float *d)
{
	const size_t keep = (size_t)ceil(s->o->upload * (double)s->n);
	if (keep >= s->n)
		return;
	for (size_t i = 0; i < s->n; i++)
		s->order[i] = fabsf(d[i]);
	qsort(s->order, s->n, sizeof *s->order, by_size);
	const float least = s->order[keep - 1];
	size_t kept = 0;
	for (size_t i = 0; i < s->n; i++) {
		const int mine = fabsf(d[i]) >= least && kept < keep;
		kept += (size_t)mine;
		d[i] = mine ? d[i] : 0;
	}
}

/* Client k's local steps from the shared weights; what it sends goes to s->sum. */
static iso_status local(server *s, size_t k, size_t round, iso_error *err)
{
	client *c = &s->v[k];
	float *const theta = iso_net_theta(s->m->net);
	iso_table *brought = NULL;
	iso_status st;
	memcpy(theta, s->w, s->n * sizeof *theta);
	ISO_TRY_OUT(let_in(s, k, round, &brought, err));
	iso_optim_deinit(&c->t.opt);
	ISO_TRY_OUT(iso_optim_init(&c->t.opt, ISO_ADAM, (float)s->o->lr, s->n, err));
	for (uint64_t i = 0; i < c->pace.steps / (uint64_t)s->o->rounds; i++)
		ISO_TRY_OUT(iso_answers_step(&c->t, err));
	for (size_t i = 0; i < s->n; i++)
		theta[i] -= s->w[i];
	if (s->o->schedule == TURNS)
		select_largest(s, theta);
	iso_messages_add(s->log, k, CHANGE, theta, s->n * sizeof *theta);
	const float weight = s->o->schedule == TURNS ? 1 : (float)c->share;
	for (size_t i = 0; i < s->n; i++)
		s->sum[i] += weight * theta[i];
	if (brought) /* back to its own rows */
		iso_answers_trainer_free(&c->t);
	if (brought) {
		c->t = (iso_answers_trainer){0};
		st = open_trainer(s, k, c->rows, err);
	}
out:
	iso_table_free(brought);
	return st;
}

static void apply(server *s)
{
	for (size_t i = 0; i < s->n; i++) {
		s->w[i] += s->sum[i];
		s->sum[i] = 0;
	}
	iso_messages_add(s->log, s->clients, WEIGHTS, s->w, s->n * sizeof *s->w);
}

static iso_status train(server *s, iso_error *err)
{
	const size_t rounds = (size_t)s->o->rounds;
	memcpy(s->w, iso_net_theta(s->m->net), s->n * sizeof *s->w);
	for (size_t r = 0; r < rounds; r++) {
		ISO_FAIL_IF(s->f->cancelled && s->f->cancelled(s->f->cancelled_ctx), err,
			    ISO_E_CANCELLED, "cancelled (fedavg): in round %zu; start again", r);
		for (size_t k = 0; k < s->clients; k++) {
			ISO_TRY(local(s, k, r, err));
			if (s->o->schedule == TURNS)
				apply(s);
		}
		if (s->o->schedule == AVERAGE)
			apply(s);
		if (s->f->progress)
			iso_progress_update(s->f->progress, s->f->progress->total *
								    (double)(r + 1) /
								    (double)rounds);
	}
	memcpy(iso_net_theta(s->m->net), s->w, s->n * sizeof *s->w);
	return iso_messages_text(s->log, &s->m->note, err);
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	opts o = *(const opts *)f->env.options;
	server s = {.f = f, .o = &o, .clients = clients_of(&f->env)};
	iso_status st;
	ISO_TRY(resolve(&f->env, &o, err));
	ISO_TRY(iso_answers_new(&f->env, o.hidden, f->key, &s.m, err));
	ISO_TRY_OUT(server_init(&s, err));
	ISO_TRY_OUT(train(&s, err));
	*out = s.m;
	s.m = NULL;
out:
	server_free(&s);
	iso_answers_destroy(s.m);
	return st;
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	opts o = *(const opts *)env->options;
	ISO_TRY(resolve(env, &o, err));
	return iso_answers_load(env, o.hidden, bytes, n, out, err);
}

const iso_generator iso_generator_fedavg = {
	.abi = ISO_GENERATOR_ABI,
	.name = "fedavg",
	.title = "FedAvg and selective SGD: a classifier by several clients, no synthetic rows",
	.citation =
		"B. McMahan, E. Moore, D. Ramage, S. Hampson, B. Aguera y Arcas, "
		"\"Communication-Efficient Learning of Deep Networks from Decentralized Data\", "
		"AISTATS 2017, arXiv:1602.05629; R. Shokri, V. Shmatikov, \"Privacy-Preserving "
		"Deep Learning\", CCS 2015, doi 10.1145/2810103.2813687 (schedule=turns)",
	.card = "Clients train copies of a shared classifier on their own rows and a server adds "
		"up "
		"their changes; the metric \"own-classifier\" judges it on test rows. "
		"schedule=turns is selective SGD: one client after the other sends the largest "
		"coordinates of its change.\n"
		"Privacy (sound): record level, local steps by DP-SGD; clients compose in "
		"parallel. mode=paper has no noise.\n"
		"Deviations: Adam for the local steps, every client in every round.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_CLASSES | ISO_ACCEPTS_CLIENTS,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.guarantee_of = guarantee_of,
	.resolve = resolve,
	.check = check,
	.plan = plan,
	.fit = fit,
	.load = load,
	ISO_ANSWERS_SLOTS,
};
