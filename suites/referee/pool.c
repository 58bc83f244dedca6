// SPDX-License-Identifier: Apache-2.0
#include "suites/referee/pool.h"

#include <string.h>

#include "core/base/alloc.h"
#include "core/rand/rand.h"

struct iso_model {
	char hash[65]; /* of the rows */
	uint64_t ids;  /* hash of their identities, which key some methods' noise */
	uint64_t seed;
	iso_training training;
	const iso_schema *schema;
};

struct iso_pool {
	iso_training_request request;
	iso_model **model;
	size_t n, cap;
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

iso_status iso_pool_new(const iso_training_request *request, iso_pool **out, iso_error *err)
{
	iso_pool *p = iso_alloc(1, sizeof(*p));

	*out = NULL;
	if (!p)
		return iso_no_memory(err, "the pool of shadow models");
	p->request = *request;
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

static iso_status fit(const iso_pool *p, const iso_table *rows, iso_model *m, iso_error *err)
{
	iso_training_request r = p->request;
	size_t *counts = NULL;
	iso_status st;

	r.train = rows;
	r.n = 0;
	r.scale = 0; /* other rows, another plan */
	r.seed = iso_key_child(iso_key_new(m->seed, "pool/train"), m->hash, m->ids).k;
	r.progress = NULL;
	r.curve = NULL;
	r.replay = NULL;
	r.client_count = NULL;
	if (r.class_count) {
		ISO_TRY(count_classes(rows, &counts, err));
		r.class_count = counts;
	}
	st = iso_train(&r, &m->training, err);
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

iso_status iso_pool_train(iso_pool *p, const iso_table *rows, uint64_t seed, const iso_model **out,
			  iso_error *err)
{
	const uint64_t ids = hash_ids(rows);
	char hash[65];
	iso_model *m;
	iso_status st;

	*out = NULL;
	ISO_TRY(iso_table_hash(rows, hash, err));
	for (size_t i = 0; i < p->n; i++)
		if (p->model[i]->seed == seed && p->model[i]->ids == ids &&
		    strcmp(p->model[i]->hash, hash) == 0) {
			*out = p->model[i];
			return ISO_OK;
		}
	ISO_TRY(iso_grow(&p->model, &p->cap, p->n + 1, sizeof(*p->model), err));
	m = iso_alloc(1, sizeof(*m));
	if (!m)
		return iso_no_memory(err, "a shadow model");
	m->seed = seed;
	m->ids = ids;
	m->schema = p->request.train->schema;
	memcpy(m->hash, hash, sizeof(hash));
	st = fit(p, rows, m, err);
	if (st != ISO_OK) {
		iso_free(m);
		return st;
	}
	p->model[p->n++] = m;
	*out = m;
	return ISO_OK;
}

size_t iso_pool_trained(const iso_pool *p)
{
	return p ? p->n : 0;
}

const iso_models *iso_pool_models(iso_pool *p)
{
	return &p->view;
}
