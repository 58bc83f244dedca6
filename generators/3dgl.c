// SPDX-License-Identifier: Apache-2.0
/* 3dgl: every client trains a private generator of its own; the pool of them is shared (Lomurno et
 * al. 2022).
 *
 * ALGORITHM (paper section III.C, card "ddp-bvae-3dgl").  Client m = 1..M trains `inner` on its own
 * rows with the whole budget and sends the trained generator, once; the server collects the
 * generators and sends the pool to everyone.  Nothing else is exchanged.  A sample takes its rows
 * from the generators in turn, so that every longer sample begins with the shorter one; how many
 * rows a client uses, and what for, is its own business: the three scenarios of the paper are the
 * metric "three-scenarios".
 *
 * The clients are those of a column of role client or of the suite's "clients"; without either,
 * `clients` equal shares dealt by a keyed hash of each row's identity.
 *
 * PRIVACY ARGUMENT.  Neighbours: those of the inner generator, a record of one client.
 *  - Client m's releases stand in scope m + 1 of the ledger: the inner generator's own plan for its
 * public number of rows.  A record is at one client, so the scopes compose in parallel: epsilon is
 * the largest of the clients' (under replace-one, of two clients together).
 *  - The server and the pool are post-processing.  Digests of all messages are part of the saved
 * model ("messages"), so `verify` compares them.
 *  - Which client holds a record, and how many records it holds, is public.
 *
 * DEVIATIONS.  Any generator may stand inside; the paper's is ddp-bvae.  One noise scale for all
 * clients, so that the client who needs the most has exactly epsilon and the others less.  Of an
 * inner generator the whole saved model is sent; ddp-bvae keeps its decoders alone.
 *
 * COST.  M trainings of the inner generator on 1/M of the rows each.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/federation.h"
#include "generators/kit/inner.h"
#include "generators/kit/messages.h"

typedef struct opts {
	int64_t clients;
	char inner[ISO_OPT_TEXT_MAX], inner_set[ISO_OPT_TEXT_MAX];
} opts;

static const iso_option options[] = {
	ISO_OPT_INT(opts, clients, "10", 2, 4096,
		    "clients, when the data have no column of role client"),
	ISO_OPT_STRING(opts, inner, "ddp-bvae", "generator that each client trains"),
	ISO_OPT_STRING(opts, inner_set, "", "its options: \"key=value;key=value\""),
	{0},
};

static size_t clients_of(const iso_gen_env *env)
{
	return iso_federation_clients(env, (size_t)((const opts *)env->options)->clients);
}

static iso_status open_inner(const opts *o, iso_inner *in, iso_error *err)
{
	return iso_inner_open("3dgl", o->inner, o->inner_set, in, err);
}

/* What client k's generator may know. */
static iso_gen_env env_of(const iso_inner *in, const iso_gen_env *outer, size_t k)
{
	iso_gen_env env = iso_inner_env(in, outer);
	env.n = iso_federation_rows(outer, clients_of(outer), k);
	env.class_count = NULL;
	env.client_count = NULL;
	env.nclient = 0;
	return env;
}

static iso_status resolve(const iso_gen_env *env, void *out, iso_error *err)
{
	(void)err;
	((opts *)out)->clients = (int64_t)clients_of(env);
	return ISO_OK;
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	iso_inner in;
	iso_status st = ISO_OK;
	ISO_TRY(open_inner(env->options, &in, err));
	for (size_t k = 0; k < clients_of(env) && st == ISO_OK; k++) {
		const iso_gen_env inner = env_of(&in, env, k);
		st = iso_inner_check(&in, &inner, err);
		if (st != ISO_OK)
			st = iso_fail_context(err, "client %zu of 3dgl, %zu rows", k, inner.n);
	}
	iso_inner_close(&in);
	return st;
}

static iso_guarantee guarantee_of(const void *options_)
{
	iso_error err = {0};
	iso_inner in;
	if (open_inner(options_, &in, &err) != ISO_OK)
		return ISO_GUARANTEE_NONE; /* check refuses it */
	const iso_guarantee g = iso_generator_guarantee(in.g, in.options);
	iso_inner_close(&in);
	return g;
}

static iso_status plan_client(const iso_inner *in, const iso_gen_env *env, size_t k, double scale,
			      iso_plan *out, iso_error *err)
{
	const iso_gen_env inner = env_of(in, env, k);
	iso_plan p = {0};
	iso_status st = iso_inner_plan(in, &inner, scale, &p, err);
	if (st == ISO_OK)
		st = iso_plan_nest(out, &p, (int)k + 1, err);
	iso_plan_free(&p);
	return st;
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	iso_inner in;
	iso_status st = ISO_OK;
	ISO_TRY(open_inner(env->options, &in, err));
	for (size_t k = 0; k < clients_of(env) && st == ISO_OK; k++)
		st = plan_client(&in, env, k, scale, out, err);
	iso_inner_close(&in);
	return st;
}

/* ---- Pool ---- */

typedef struct model {
	iso_inner in;
	size_t clients;
	void **pool;  /* [clients] the inner generator's models; owned */
	iso_str sent; /* the log of messages */
} model;

static void destroy(void *model_)
{
	model *m = model_;
	if (!m)
		return;
	for (size_t k = 0; m->pool && k < m->clients; k++)
		if (m->pool[k])
			m->in.g->destroy(m->pool[k]);
	iso_free(m->pool);
	iso_str_free(&m->sent);
	iso_inner_close(&m->in);
	iso_free(m);
}

static iso_status model_new(const iso_gen_env *env, model **out, iso_error *err)
{
	iso_status st;
	model *m = iso_alloc(1, sizeof *m);
	if (!m)
		return iso_no_memory(err, "a pool of generators");
	m->clients = clients_of(env);
	m->pool = iso_alloc(m->clients, sizeof *m->pool);
	if (!m->pool) {
		st = iso_no_memory(err, "a pool of generators");
		goto out;
	}
	ISO_TRY_OUT(open_inner(env->options, &m->in, err));
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

/* Client k trains on its own rows, inside its own scope of the ledger. */
static iso_status train_client(const iso_fit *f, const iso_federation *d, size_t k, model *m,
			       iso_error *err)
{
	iso_table *rows = NULL;
	iso_fit inner = *f;
	iso_status st;
	inner.env = env_of(&m->in, &f->env, k);
	inner.key = iso_key_child(f->key, "client-model", k);
	inner.progress = NULL;
	inner.curve = NULL;
	ISO_TRY(iso_table_select(f->train, d->pos + d->first[k], d->first[k + 1] - d->first[k],
				 &rows, err));
	inner.train = rows;
	ISO_TRY_OUT(iso_ledger_scope(f->ledger, (int)k + 1, err));
	ISO_TRY_OUT(m->in.g->fit(&inner, &m->pool[k], err));
	st = iso_ledger_scope(f->ledger, 0, err);
out:
	iso_table_free(rows);
	return st;
}

enum { GENERATOR, POOL, KINDS };
static const char *const kinds[KINDS] = {"generator", "pool"};

/* Every client sends its generator, the server sends each of them to all clients. */
static iso_status exchange(model *m, iso_error *err)
{
	iso_messages *log = NULL;
	iso_status st = ISO_OK;
	ISO_TRY(iso_messages_new(m->clients + 1, kinds, KINDS, 0, &log, err));
	for (size_t k = 0; k < m->clients && st == ISO_OK; k++) {
		iso_str bytes = {0};
		st = m->in.g->save(m->pool[k], &bytes, err);
		if (st == ISO_OK) {
			iso_messages_add(log, k, GENERATOR, bytes.p, bytes.n);
			iso_messages_add(log, m->clients, POOL, bytes.p, bytes.n);
		}
		iso_str_free(&bytes);
	}
	if (st == ISO_OK)
		st = iso_messages_text(log, &m->sent, err);
	iso_messages_free(log);
	return st;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	iso_federation d = {0};
	model *m = NULL;
	iso_status st;
	ISO_TRY(model_new(&f->env, &m, err));
	ISO_TRY_OUT(iso_federation_deal(f, m->clients, &d, err));
	for (size_t k = 0; k < m->clients; k++) {
		ISO_TRY_OUT(train_client(f, &d, k, m, err));
		if (f->progress)
			iso_progress_update(f->progress, f->progress->total * (double)(k + 1) /
								 (double)m->clients);
	}
	ISO_TRY_OUT(exchange(m, err));
	*out = m;
	m = NULL;
out:
	iso_federation_free(&d);
	destroy(m);
	return st;
}

/* Row i is row i / M of generator i mod M. */
static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = model_;
	for (size_t k = 0; k < m->clients && k < out->n; k++) {
		const size_t n = (out->n - k + m->clients - 1) / m->clients;
		iso_table *part = NULL;
		iso_status st = iso_table_new(out->schema, n, &part, err);
		if (st == ISO_OK)
			st = m->in.g->sample(m->pool[k], iso_key_child(key, "client", k), part,
					     err);
		for (size_t i = 0; st == ISO_OK && i < n; i++)
			iso_table_copy_row(part, i, out, i * m->clients + k);
		iso_table_free(part);
		ISO_TRY(st);
	}
	return ISO_OK;
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;
	for (size_t k = 0; k < m->clients; k++) {
		iso_str bytes = {0};
		char name[32];
		const iso_status st = m->in.g->save(m->pool[k], &bytes, err);
		(void)snprintf(name, sizeof name, "client%zu", k);
		if (st == ISO_OK)
			iso_part_add(out, name, bytes.p, bytes.n);
		iso_str_free(&bytes);
		ISO_TRY(st);
	}
	iso_part_add(out, "messages", m->sent.p, m->sent.n);
	return iso_str_check(out, err);
}

static iso_status load_part(const iso_gen_env *env, iso_parts *in, size_t k, model *m,
			    iso_error *err)
{
	char name[32], want[32];
	const void *bytes;
	size_t n;
	(void)snprintf(want, sizeof want, k < m->clients ? "client%zu" : "messages", k);
	ISO_TRY(iso_part_next(in, name, sizeof name, &bytes, &n, err));
	ISO_FAIL_IF(strcmp(name, want) != 0, err, ISO_E_DATA,
		    "malformed model (3dgl): part %s where %s is expected; save it again", name,
		    want);
	if (k == m->clients) {
		iso_str_addn(&m->sent, bytes, n);
		return iso_str_check(&m->sent, err);
	}
	const iso_gen_env inner = env_of(&m->in, env, k);
	return m->in.g->load(&inner, bytes, n, &m->pool[k], err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	model *m = NULL;
	iso_status st = ISO_OK;
	ISO_TRY(model_new(env, &m, err));
	for (size_t k = 0; k <= m->clients; k++)
		ISO_TRY_OUT(load_part(env, &in, k, m, err));
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

const iso_generator iso_generator_3dgl = {
	.abi = ISO_GENERATOR_ABI,
	.name = "3dgl",
	.title = "3DGL: a pool of private generators, one from every client",
	.citation = "E. Lomurno, L. Di Perna, L. Cazzella, S. Samele, M. Matteucci, \"A Generative "
		    "Federated Learning Framework for Differential Privacy\", 2022",
	.card = "Every client trains a private generator (inner) on its own rows and sends it "
		"once; "
		"the pool of them is given to everyone, and samples take rows from each in turn.\n"
		"Privacy: that of the inner generator, in a scope of the ledger for each client; a "
		"record is at one client, so epsilon is the largest of theirs. Messages are "
		"logged: nothing but the finished generators is exchanged.\n"
		"Deviations: any inner generator; one noise scale for all clients.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL | ISO_ACCEPTS_PUBLIC |
		   ISO_ACCEPTS_CLIENTS,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.guarantee_of = guarantee_of,
	.resolve = resolve,
	.check = check,
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.save = save,
	.load = load,
};
