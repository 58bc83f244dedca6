// SPDX-License-Identifier: Apache-2.0
/* Discriminators, their private steps, and what clients do with them.
 *
 *   SERIAL   one D and one G travel from client to client
 *   AVERAGE  in every round each client trains a copy of both on its own rows; the server averages
 *            the copies by the clients' sizes (McMahan et al. 2017)
 *   SITES    one D per client, which stays there; the server's G makes fakes for the clients'
 *            conditions and gets back dLoss/dfakes (Chang et al. 2020)
 */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"
#include "generators/kit/gan_trainer.h"

/* Kinds of message, by schedule. */
static const char *const models[] = {"model"};
static const char *const of_sites[] = {"conditions", "fakes", "gradient"};
enum { MODEL = 0, CONDITIONS = 0, FAKES, GRADIENT };

static int has_sites(const iso_gan_trainer *t)
{
	return t->s->clients > 0 && t->s->schedule == ISO_SCHEDULE_SITES;
}

static iso_entry entry_of(const iso_gan_trainer *t, const char *why, size_t part)
{
	const int parts = t->s->clients > 0 || t->choice;
	return (iso_entry){.why = why,
			   .group = parts && t->f->env.adjacency == ISO_ADD_REMOVE,
			   .part = (int)part};
}

/* ---- One discriminator ---- */

static iso_status site_net(iso_gan_trainer *t, iso_gan_site *site, size_t k, iso_error *err)
{
	const iso_gan_spec *const s = t->s;
	site->net = t->m->scorer;
	if (has_sites(t)) {
		const iso_net_form f = iso_latent_scorer_form(
			t->m, s->o.net == ISO_NET_CONV ? s->o.channels : s->o.hidden, s->act_d);
		ISO_TRY(iso_scorer_net(&site->net, &f, t->m->outputs, err));
		site->owned = 1;
	}
	iso_net_randomize(site->net, s->init, iso_key_child(t->f->key, "init-d", k));
	ISO_TRY(iso_optim_init(&site->opt, s->rule_d, (float)s->o.lr_d, iso_net_params(site->net),
			       err));
	if (s->rule_d == ISO_ADAM)
		site->opt.beta1 = (float)s->o.beta1;
	return ISO_OK;
}

/* The private step of a discriminator, without the rows it draws from. */
static iso_status site_step(iso_gan_trainer *t, iso_gan_site *site, iso_error *err)
{
	const iso_gan_spec *const s = t->s;
	const iso_fit *const f = t->f;
	const size_t rows = t->chunk * t->per;
	if (!t->slots)
		ISO_TRY(iso_ws_new(site->net, rows,
				   (s->is_private || s->measures ? ISO_WS_NORMS : 0) |
					   (t->per > 2 ? ISO_WS_TANGENT : 0),
				   &site->real, err));
	site->dp = (iso_dpsgd){
		.ledger = s->is_private ? f->ledger : NULL,
		.batch_key = iso_key_child(f->key, "batch", (uint64_t)(site - t->site)),
		.rate = iso_rate_of(t->batch, iso_choice_training_rows(&s->choice, f->env.n)),
		.id = f->train->id,
		.n = f->train->n,
		.rows_per_record = t->slots ? 1 : t->per,
		.chunk = t->chunk,
		.clip = (float)iso_gan_sensitivity(s),
		.normaliser = (float)t->batch,
		.nparts = 1,
	};
	if (t->slots) {
		site->dp.part[0].source = iso_gan_slots_source(t);
		return ISO_OK;
	}
	if (s->o.cluster != ISO_CLUSTER_NONE) {
		ISO_TRY(iso_gan_group_init(t, err));
		site->dp.part[0].source = iso_gan_group_source(t);
		return ISO_OK;
	}
	site->dp.part[0] = (iso_dpsgd_part){.net = site->net, .ws = site->real, .opt = &site->opt};
	site->dp.public_grad[0] = iso_gan_paired(t) ? NULL : t->sum;
	return ISO_OK;
}

/* The rows of part k of a partition are those that the steps of t->at draw from. */
static iso_status draw_from(iso_gan_trainer *t, const iso_federation *d, size_t k, double rate,
			    iso_error *err)
{
	iso_dpsgd *const dp = &t->at->dp;
	t->pos = d->pos + d->first[k];
	dp->id = d->id + d->first[k];
	dp->n = d->first[k + 1] - d->first[k];
	dp->rate = rate;
	return t->s->is_private ? iso_ledger_find(t->f->ledger, entry_of(t, "disc-step", k),
						  &dp->handle, err)
				: ISO_OK;
}

iso_status iso_gan_hand_over(iso_gan_trainer *t, size_t k, iso_error *err)
{
	const size_t rows = iso_federation_rows(&t->f->env, t->s->clients, k);
	if (has_sites(t))
		t->at = &t->site[k];
	return draw_from(t, &t->fed, k, iso_rate_of(t->batch, rows), err);
}

static iso_status first_rows(iso_gan_trainer *t, iso_error *err)
{
	if (t->s->clients > 0)
		return iso_gan_hand_over(t, (size_t)(t->at - t->site), err);
	if (t->choice)
		return draw_from(t, &t->choice->parts, 0, t->at->dp.rate, err);
	return t->s->is_private ? iso_ledger_find(t->f->ledger, entry_of(t, "disc-step", 0),
						  &t->at->dp.handle, err)
				: ISO_OK;
}

/* Networks come first: workspaces of the trainer are made for them. */
iso_status iso_gan_sites_nets(iso_gan_trainer *t, iso_error *err)
{
	const size_t n = has_sites(t) ? t->s->clients : 1;
	t->site = iso_alloc(n, sizeof *t->site);
	if (!t->site)
		return iso_no_memory(err, "discriminators");
	t->nsite = n;
	t->at = t->site;
	for (size_t k = 0; k < t->nsite; k++)
		ISO_TRY(site_net(t, &t->site[k], k, err));
	return ISO_OK;
}

iso_status iso_gan_sites_init(iso_gan_trainer *t, iso_error *err)
{
	if (t->s->clients > 0)
		ISO_TRY(iso_federation_deal(t->f, t->s->clients, &t->fed, err));
	for (size_t k = 0; k < t->nsite; k++) {
		t->at = &t->site[k];
		ISO_TRY(site_step(t, t->at, err));
		ISO_TRY(first_rows(t, err));
		const size_t n = t->at->dp.n;
		t->at->dp.n = t->f->train->n; /* room for the largest client */
		ISO_TRY(iso_dpsgd_init(&t->at->dp, err));
		t->at->dp.n = n;
	}
	t->at = t->site;
	if (t->s->clients == 0)
		return ISO_OK;
	return has_sites(t) ? iso_messages_new(t->s->clients + 1, of_sites, ISO_COUNT(of_sites),
					       t->s->o.log == 1, &t->log, err)
			    : iso_messages_new(t->s->clients + 1, models, ISO_COUNT(models),
					       t->s->o.log == 1, &t->log, err);
}

void iso_gan_sites_free(iso_gan_trainer *t)
{
	for (size_t k = 0; k < t->nsite; k++) {
		iso_gan_site *const site = &t->site[k];
		iso_dpsgd_deinit(&site->dp);
		iso_optim_deinit(&site->opt);
		iso_ws_free(site->real);
		if (site->owned)
			iso_net_free(site->net);
		iso_free(site->law);
		iso_free(site->count);
	}
	iso_free(t->site);
	iso_federation_free(&t->fed);
	iso_messages_free(t->log);
}

/* ---- Labels of the sites ---- */

/* PRIVATE in: labels of client k's rows; out: a noisy histogram, exact counts, the public counts of
 * all clients, or ones. */
static iso_status site_counts(iso_gan_trainer *t, size_t k, double *count, iso_error *err)
{
	const size_t classes = t->m->classes, first = t->fed.first[k],
		     n = t->fed.first[k + 1] - first;
	const int exact = t->s->o.labels == ISO_LABELS_EXACT;
	const size_t *const open =
		t->s->o.labels == ISO_LABELS_PUBLIC ? t->f->env.class_count : NULL;
	iso_status st = ISO_OK;
	for (size_t c = 0; c <= classes; c++)
		count[c] = open && c < classes ? (double)open[c] : !exact;
	if (!exact && t->s->o.labels != ISO_LABELS_HISTOGRAM)
		return ISO_OK;
	uint32_t *cell = iso_alloc(n + 1, sizeof *cell);
	if (!cell)
		return iso_no_memory(err, "labels of a client");
	for (size_t r = 0; r < n; r++) {
		const size_t y = iso_table_label(t->f->train, t->fed.pos[first + r]);
		cell[r] = (uint32_t)(y < classes ? y : classes);
		count[cell[r]] += exact;
	}
	if (!exact)
		st = iso_mech_histogram(t->f->ledger, entry_of(t, "label-histogram", k), cell, n, 1,
					classes + 1, count, err);
	iso_free(cell);
	return st;
}

iso_status iso_gan_site_labels(iso_gan_trainer *t, iso_error *err)
{
	const size_t classes = t->m->classes;
	double *all = iso_alloc(classes + 1, sizeof *all);
	iso_status st = ISO_OK;
	if (!all)
		return iso_no_memory(err, "label law");
	for (size_t k = 0; k < t->nsite; k++) {
		iso_gan_site *const site = &t->site[k];
		site->law = iso_alloc(classes + 1, sizeof *site->law);
		site->count = iso_alloc(classes + 1, sizeof *site->count);
		if (!site->law || !site->count) {
			st = iso_no_memory(err, "label law");
			goto out;
		}
		ISO_TRY_OUT(site_counts(t, k, site->count, err));
		for (size_t c = 0; c < classes; c++) {
			site->count[c] = site->count[c] > 0 ? site->count[c] : 0;
			all[c] += site->count[c];
		}
		iso_law_from_counts(site->count, classes, site->law);
	}
	iso_law_from_counts(all, classes, t->m->law);
	if (t->s->o.labels == ISO_LABELS_EXACT && t->s->is_private)
		st = iso_ledger_uncharged(t->f->ledger, "label-histogram", err);
out:
	iso_free(all);
	return st;
}

/* ---- Serial hand-over ---- */

static void send_model(iso_gan_trainer *t, size_t from)
{
	iso_messages_add(t->log, from, MODEL, iso_net_theta(t->at->net),
			 iso_net_params(t->at->net) * sizeof(float));
	iso_messages_add(t->log, from, MODEL, iso_net_theta(t->m->decoder[0]),
			 iso_net_params(t->m->decoder[0]) * sizeof(float));
}

static iso_status serial(iso_gan_trainer *t, iso_error *err)
{
	const uint64_t each = (uint64_t)t->s->o.steps / t->s->clients;
	double loss_g = NAN, loss_fake = NAN;
	uint64_t step = 0;
	send_model(t, t->s->clients);
	for (size_t k = 0; k < t->s->clients; k++) {
		ISO_TRY(iso_gan_hand_over(t, k, err));
		for (uint64_t i = 0; i < each; i++, step++) {
			ISO_TRY(iso_gan_tick(t, step, err));
			ISO_TRY(iso_gan_disc_step(t, step, &loss_fake, err));
			iso_gan_after(t, step, &loss_g);
			iso_gan_show(t, step, loss_g, loss_fake);
		}
		send_model(t, k);
	}
	return ISO_OK;
}

/* ---- Averages ---- */

static void forget(iso_optim *o)
{
	o->step = 0;
	if (o->m)
		memset(o->m, 0, o->n * sizeof *o->m);
	if (o->v)
		memset(o->v, 0, o->n * sizeof *o->v);
}

typedef struct averaged {
	iso_net *net;
	float *start; /* [P] as the round began */
	double *sum;  /* [P] weighted sum of the clients' copies */
} averaged;

static iso_status averaged_init(averaged *a, iso_net *net, iso_error *err)
{
	const size_t n = iso_net_params(net);
	*a = (averaged){.net = net,
			.start = iso_alloc(n, sizeof(float)),
			.sum = iso_alloc(n, sizeof(double))};
	return a->start && a->sum ? ISO_OK : iso_no_memory(err, "federated averages");
}

static void averaged_begin(averaged *a)
{
	const size_t n = iso_net_params(a->net);
	memcpy(a->start, iso_net_theta(a->net), n * sizeof(float));
	memset(a->sum, 0, n * sizeof(double));
}

static void averaged_add(averaged *a, double weight)
{
	float *const theta = iso_net_theta(a->net);
	for (size_t k = 0, n = iso_net_params(a->net); k < n; k++)
		a->sum[k] += weight * (double)theta[k];
	memcpy(theta, a->start, iso_net_params(a->net) * sizeof(float));
}

static void averaged_end(averaged *a)
{
	float *const theta = iso_net_theta(a->net);
	for (size_t k = 0, n = iso_net_params(a->net); k < n; k++)
		theta[k] = (float)a->sum[k];
}

static void averaged_free(averaged *a)
{
	iso_free(a->start);
	iso_free(a->sum);
}

/* Local steps of client k from the round's model. */
static iso_status local_steps(iso_gan_trainer *t, size_t k, uint64_t n, uint64_t *step,
			      iso_error *err)
{
	double loss_g = NAN, loss_fake = NAN;
	ISO_TRY(iso_gan_hand_over(t, k, err));
	forget(&t->at->opt);
	forget(&t->opt_g);
	t->since = 0;
	for (uint64_t i = 0; i < n; i++, ++*step) {
		ISO_TRY(iso_gan_tick(t, *step, err));
		ISO_TRY(iso_gan_disc_step(t, *step, &loss_fake, err));
		iso_gan_after(t, *step, &loss_g);
		iso_gan_show(t, *step, loss_g, loss_fake);
	}
	return ISO_OK;
}

static iso_status averages(iso_gan_trainer *t, iso_error *err)
{
	const size_t clients = t->s->clients;
	const uint64_t each = (uint64_t)t->s->o.steps / clients,
		       rounds = (uint64_t)t->s->o.rounds < each ? (uint64_t)t->s->o.rounds : each;
	averaged d = {0}, g = {0};
	double rows = 0;
	uint64_t step = 0;
	iso_status st;
	for (size_t k = 0; k < clients; k++)
		rows += (double)iso_federation_rows(&t->f->env, clients, k);
	ISO_TRY_OUT(averaged_init(&d, t->at->net, err));
	ISO_TRY_OUT(averaged_init(&g, t->m->decoder[0], err));
	for (uint64_t r = 0; r < rounds; r++) {
		const uint64_t n = each * (r + 1) / rounds - each * r / rounds;
		averaged_begin(&d);
		averaged_begin(&g);
		send_model(t, clients);
		for (size_t k = 0; k < clients; k++) {
			const double w = (double)iso_federation_rows(&t->f->env, clients, k) / rows;
			ISO_TRY_OUT(local_steps(t, k, n, &step, err));
			send_model(t, k);
			averaged_add(&d, w);
			averaged_add(&g, w);
		}
		averaged_end(&d);
		averaged_end(&g);
	}
	st = ISO_OK;
out:
	averaged_free(&d);
	averaged_free(&g);
	return st;
}

/* ---- Sites ---- */

/* d += lambda sign(G - x), the L1 term of the published code: it shows the real row. */
static void add_l1(const iso_gan_trainer *t, size_t n)
{
	const size_t w = t->m->width;
	for (size_t r = 0; r < n; r++)
		for (size_t k = 0; k < t->dim; k++) {
			const float gap = t->fx[r * w + k] - t->x[r * w + k];
			t->dx[r * w + k] += (float)t->s->o.l1 * (float)((gap > 0) - (gap < 0));
		}
}

/* Conditions and fakes as they travel: k made the first n rows of fx. */
static void log_fakes(iso_gan_trainer *t, const iso_fakes *k, size_t n)
{
	const size_t site = (size_t)(t->at - t->site);
	if (n == 0)
		return;
	iso_messages_add(t->log, site, CONDITIONS, k->y, n * sizeof *k->y);
	iso_messages_add(t->log, t->s->clients, FAKES, t->fx, n * t->m->width * sizeof *t->fx);
}

/* Client k: `steps` steps of its discriminator, then its share of G's gradient. */
static iso_status site_round(iso_gan_trainer *t, size_t k, uint64_t step, uint64_t steps,
			     double *loss, iso_error *err)
{
	const int shares = t->s->private_generator_step; /* labels of its own rows */
	iso_fakes *const fakes = shares ? &t->rec : &t->pub;
	double unused;
	ISO_TRY(iso_gan_hand_over(t, k, err));
	for (uint64_t i = 0; i < steps; i++) {
		ISO_TRY(iso_gan_disc_step(t, step + i, &unused, err));
		log_fakes(t, fakes, shares ? t->shared : t->batch);
	}
	const size_t n = shares ? t->shared : t->batch;
	if (!shares) {
		iso_gan_public_fakes(t, n, t->fx, t->m->width);
		log_fakes(t, fakes, n);
	}
	if (n == 0)
		return ISO_OK;
	*loss += (double)t->at->weight / (double)n *
		 iso_gan_fool(t, fakes, t->fx, t->m->width, n, t->at->weight / (float)n, 1);
	return ISO_OK;
}

void iso_gan_feedback(iso_gan_trainer *t, size_t n)
{
	if (!has_sites(t))
		return;
	if (t->s->o.l1 > 0)
		add_l1(t, n);
	iso_messages_add(t->log, (size_t)(t->at - t->site), GRADIENT, t->dx,
			 n * t->m->width * sizeof *t->dx);
}

static iso_status sites(iso_gan_trainer *t, iso_error *err)
{
	iso_net *const g = t->m->decoder[0];
	double rows = 0;
	for (size_t k = 0; k < t->nsite; k++)
		rows += (double)iso_federation_rows(&t->f->env, t->nsite, k);
	for (size_t k = 0; k < t->nsite; k++)
		t->site[k].weight =
			(float)((double)iso_federation_rows(&t->f->env, t->nsite, k) / rows);
	for (uint64_t step = 0, n = 0, all = (uint64_t)t->s->o.steps; step < all; step += n) {
		double loss = 0;
		n = t->n_d < all - step ? t->n_d : all - step;
		ISO_TRY(iso_gan_tick(t, step, err));
		memset(iso_net_grad(g), 0, iso_net_params(g) * sizeof(float));
		for (size_t k = 0; k < t->nsite; k++)
			ISO_TRY(site_round(t, k, step, n, &loss, err));
		iso_optim_step(&t->opt_g, iso_net_theta(g), iso_net_grad(g), 1);
		iso_gan_adapt(t, loss);
		iso_average_step(&t->mean, g, step);
		iso_gan_show(t, step, loss, NAN);
	}
	return ISO_OK;
}

iso_status iso_gan_rounds(iso_gan_trainer *t, iso_error *err)
{
	ISO_TRY(t->s->schedule == ISO_SCHEDULE_SITES	 ? sites(t, err)
		: t->s->schedule == ISO_SCHEDULE_AVERAGE ? averages(t, err)
							 : serial(t, err));
	iso_messages *const log = t->log;
	t->log = NULL;
	return iso_messages_finish(log, t->m, err);
}
