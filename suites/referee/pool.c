// SPDX-License-Identifier: Apache-2.0
#include "suites/referee/pool.h"

#include <string.h>

#include "core/base/alloc.h"
#include "core/io/jsonw.h"
#include "core/rand/rand.h"
#include "results/artefact.h"
#include "results/record.h"

struct iso_model {
	char hash[65]; /* of the rows */
	uint64_t ids;  /* hash of their identities, which key some methods' noise */
	uint64_t seed;
	size_t rows;
	iso_training training;
	const iso_schema *schema;
};

struct iso_pool {
	iso_training_request request;
	const iso_pool_store *store; /* borrowed, or NULL */
	char public_rows[65];	     /* their hash; "" without any */
	iso_model **model;
	size_t n, cap, taken;
	iso_models view;
};

static iso_status pool_train(void *ctx, const iso_table *rows, uint64_t seed, const iso_model **out,
			     iso_error *err)
{
	return iso_pool_train(ctx, rows, seed, out, err);
}

static iso_status pool_draw(const iso_model *m, uint64_t stream, size_t n, iso_table **out,
			    iso_error *err)
{
	return iso_training_sample(
		&m->training, m->schema,
		iso_key_child(iso_key_new(m->seed, "pool/draw"), "stream", stream).k, n, out, err);
}

static iso_status pool_score(const iso_model *m, const iso_table *rows, double *out, iso_error *err)
{
	return iso_training_score(&m->training, rows, out, err);
}

iso_status iso_pool_new(const iso_training_request *request, const iso_pool_store *store,
			iso_pool **out, iso_error *err)
{
	const iso_generator *g = request->generator;
	iso_pool *p = iso_alloc(1, sizeof(*p));
	iso_status st = ISO_OK;

	*out = NULL;
	if (!p)
		return iso_no_memory(err, "the pool of shadow models");
	p->request = *request;
	p->store = g->save && g->load ? store : NULL;
	if (p->store && request->public_rows)
		st = iso_table_hash(request->public_rows, p->public_rows, err);
	if (st != ISO_OK) {
		iso_free(p);
		return st;
	}
	p->view =
		(iso_models){.ctx = p, .train = pool_train, .draw = pool_draw, .score = pool_score};
	*out = p;
	return ISO_OK;
}

static void model_free(iso_model *m)
{
	if (m)
		iso_training_free(&m->training);
	iso_free(m);
}

void iso_pool_free(iso_pool *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		model_free(p->model[i]);
	iso_free(p->model);
	iso_free(p);
}

/* The rows per class of these very rows, when the victim was told its own. */
static iso_status count_classes(const iso_table *t, size_t **out, iso_error *err)
{
	const size_t classes = iso_schema_classes(t->schema);

	*out = iso_alloc(classes, sizeof(**out));
	if (!*out)
		return iso_no_memory(err, "a shadow training");
	for (size_t r = 0; r < t->n; r++) {
		size_t c = iso_table_label(t, r);

		if (c < classes)
			(*out)[c]++;
	}
	return ISO_OK;
}

/* The request of one shadow; *counts owned by the caller. */
static iso_status request_of(const iso_pool *p, const iso_table *rows, const iso_model *m,
			     iso_training_request *r, size_t **counts, iso_error *err)
{
	*counts = NULL;
	*r = p->request;
	r->train = rows;
	r->n = 0;
	r->scale = 0; /* other rows, another plan */
	r->seed = iso_key_child(iso_key_new(m->seed, "pool/train"), m->hash, m->ids).k;
	r->progress = NULL;
	r->curve = NULL;
	r->replay = NULL;
	r->client_count = NULL;
	if (!r->class_count)
		return ISO_OK;
	ISO_TRY(count_classes(rows, counts, err));
	r->class_count = *counts;
	return ISO_OK;
}

/* ------------------------------------------------------------------ the store */

static iso_status key_of(const iso_pool *p, const iso_model *m, char key[33], iso_error *err)
{
	iso_str text = {0};
	iso_status st;

	iso_str_addf(&text, "shadow\n%s\n%s\n%s\n%016llx %016llx", p->store->method, p->public_rows,
		     m->hash, (unsigned long long)m->ids, (unsigned long long)m->seed);
	st = iso_str_check(&text, err);
	if (st == ISO_OK)
		st = iso_key_of(text.p, text.n, key, err);
	iso_str_free(&text);
	return st;
}

/* m->training.model stays NULL when there is no usable file. */
static iso_status take(iso_pool *p, const iso_training_request *r, const char *key, iso_model *m,
		       iso_error *err)
{
	iso_artefact a = {0};
	iso_error why = {0};
	iso_status st;

	ISO_TRY(iso_artefact_read(p->store->dir, "shadows", key, &a, err));
	if (!a.facts)
		return ISO_OK;
	st = iso_training_load(r, a.bytes, a.n, &m->training, &why);
	iso_artefact_free(&a);
	p->taken += st == ISO_OK;
	return st == ISO_E_NOMEM ? iso_fail(err, st, "%s", why.text) : ISO_OK;
}

static iso_status keep(const iso_pool *p, const char *key, const iso_model *m, iso_error *err)
{
	iso_jsonw w = {0};
	cJSON *facts = iso_jsonw_object(&w, NULL, NULL);
	iso_str bytes = {0};
	iso_status st = ISO_OK;

	iso_jsonw_text(&w, facts, "shadow", m->hash);
	iso_jsonw_number(&w, facts, "rows", (double)m->rows);
	ISO_TRY_OUT(iso_jsonw_check(&w, "a shadow model", err));
	ISO_TRY_OUT(p->request.generator->save(m->training.model, &bytes, err));
	ISO_TRY_OUT(iso_str_check(&bytes, err));
	st = iso_artefact_write(p->store->dir, "shadows", key, facts, bytes.p ? bytes.p : "",
				bytes.n, p->store->private, err);
out:
	cJSON_Delete(facts);
	iso_str_free(&bytes);
	return st;
}

/* With an insider (or `anew`) nothing is taken from the store or kept there. */
static iso_status make(iso_pool *p, const iso_table *rows, int anew, const iso_insider *insider,
		       iso_model *m, iso_error *err)
{
	const iso_pool_store *store = anew ? NULL : p->store;
	iso_training_request r;
	size_t *counts = NULL;
	char key[33] = "";
	iso_status st;

	ISO_TRY_OUT(request_of(p, rows, m, &r, &counts, err));
	r.insider = insider;
	if (store) {
		ISO_TRY_OUT(key_of(p, m, key, err));
		ISO_TRY_OUT(take(p, &r, key, m, err));
	}
	if (!m->training.model) {
		ISO_TRY_OUT(iso_train(&r, &m->training, err));
		if (store)
			st = keep(p, key, m, err);
	}
out:
	iso_free(counts);
	return st;
}

/* FNV-1a. */
static uint64_t hash_ids(const iso_table *t)
{
	uint64_t h = 14695981039346656037u;

	for (size_t r = 0; r < t->n; r++)
		for (int i = 0; i < 8; i++)
			h = (h ^ (t->id[r] >> (8 * i) & 255)) * 1099511628211u;
	return h;
}

static iso_status add(iso_pool *p, const iso_table *rows, uint64_t seed, int anew,
		      const iso_insider *insider, const iso_model **out, iso_error *err)
{
	iso_model *m;
	iso_status st;

	ISO_TRY(iso_grow(&p->model, &p->cap, p->n + 1, sizeof(*p->model), err));
	m = iso_alloc(1, sizeof(*m));
	if (!m)
		return iso_no_memory(err, "a shadow model");
	m->seed = seed;
	m->ids = hash_ids(rows);
	m->schema = p->request.train->schema;
	m->rows = rows->n;
	st = iso_table_hash(rows, m->hash, err);
	if (st == ISO_OK)
		st = make(p, rows, anew, insider, m, err);
	if (st != ISO_OK) {
		model_free(m);
		return st;
	}
	if (anew)
		m->hash[0] = 0; /* nobody else finds it */
	p->model[p->n++] = m;
	*out = m;
	return ISO_OK;
}

iso_status iso_pool_train(iso_pool *p, const iso_table *rows, uint64_t seed, const iso_model **out,
			  iso_error *err)
{
	const uint64_t ids = hash_ids(rows);
	char hash[65];

	*out = NULL;
	ISO_TRY(iso_table_hash(rows, hash, err));
	for (size_t i = 0; i < p->n; i++)
		if (p->model[i]->seed == seed && p->model[i]->ids == ids &&
		    strcmp(p->model[i]->hash, hash) == 0) {
			*out = p->model[i];
			return ISO_OK;
		}
	return add(p, rows, seed, 0, NULL, out, err);
}

iso_status iso_pool_train_with(iso_pool *p, const iso_table *rows, uint64_t seed,
			       const iso_insider *insider, const iso_model **out, iso_error *err)
{
	*out = NULL;
	return add(p, rows, seed, 1, insider, out, err);
}

size_t iso_pool_trained(const iso_pool *p)
{
	return p ? p->n : 0;
}

size_t iso_pool_taken(const iso_pool *p)
{
	return p ? p->taken : 0;
}

const iso_models *iso_pool_models(iso_pool *p)
{
	return &p->view;
}
