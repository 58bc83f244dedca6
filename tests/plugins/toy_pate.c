// SPDX-License-Identifier: Apache-2.0
/* toy-pate: ten nearest-centroid teachers on disjoint parts label public random points by a noisy
 * vote; the student keeps one centroid per class of those points.  A record's part depends on its
 * id alone. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"
#include "tests/plugins/toy.h"

#define TEACHERS 10
#define QUERIES 64 /* per round */
#define ROUNDS 3

typedef struct pate_options {
	int64_t bug;
} pate_options;

typedef struct student {
	iso_encoder *enc;
	size_t dim, classes;
	double *sum, *count; /* [classes][dim], [classes] */
} student;

static void destroy(void *m_)
{
	student *m = m_;

	if (!m)
		return;
	iso_encoder_free(m->enc);
	iso_free(m->sum);
	iso_free(m->count);
	iso_free(m);
}

typedef struct school {
	const iso_fit *f;
	toy_bug bug;
	student *m;
	float *x;		 /* [n][dim] encoded rows */
	double *centroid, *size; /* [TEACHERS][classes][dim], [TEACHERS][classes] */
	float *query;		 /* [QUERIES][dim] */
	double *votes;		 /* [QUERIES][classes] */
	uint32_t *label;	 /* [QUERIES] */
	size_t round;
} school;

static int belongs(const school *s, size_t row, size_t teacher)
{
	const iso_key key =
		iso_key_child(s->f->key, "part", s->bug == TOY_DEALT_ANEW ? s->round : 0);
	const uint64_t who = s->bug == TOY_PART_BY_POSITION ? row : s->f->train->id[row];
	const size_t part = (size_t)(iso_rand_u01(key, who, 0) * TEACHERS);
	const size_t other = (size_t)(iso_rand_u01(key, who, 1) * TEACHERS);

	if (s->bug == TOY_STALE_PART) /* two parts, so that the last one has rows enough */
		return part >= TEACHERS / 2;
	return s->bug == TOY_SHARED_TEACHER || part == teacher ||
	       (s->bug == TOY_OVERLAP && other == teacher);
}

static void teach(school *s)
{
	const size_t d = s->m->dim, c = s->m->classes;

	for (size_t t = 0; t < TEACHERS; t++)
		for (size_t r = 0; r < s->f->train->n; r++) {
			const size_t y = iso_table_label(s->f->train, r);
			double *at = s->centroid + (t * c + y) * d;

			if (y >= c || !belongs(s, r, t))
				continue;
			s->size[t * c + y] += 1;
			for (size_t i = 0; i < d; i++)
				at[i] += (s->x[r * d + i] - at[i]) / s->size[t * c + y];
		}
}

static size_t vote(const school *s, size_t teacher, const float *q)
{
	const size_t d = s->m->dim, c = s->m->classes;
	double nearest = INFINITY;
	size_t best = 0;

	for (size_t y = 0; y < c; y++) {
		const double *at = s->centroid + (teacher * c + y) * d;
		double dist = 0;

		for (size_t i = 0; i < d; i++)
			dist += (q[i] - at[i]) * (q[i] - at[i]);
		if (s->size[teacher * c + y] > 0 && dist < nearest) {
			nearest = dist;
			best = y;
		}
	}
	return best;
}

static double agreement(const school *s)
{
	const size_t c = s->m->classes;
	double sum = 0;

	for (size_t q = 0; q < QUERIES; q++) {
		double most = 0;

		for (size_t y = 0; y < c; y++)
			most = s->votes[q * c + y] > most ? s->votes[q * c + y] : most;
		sum += most / (TEACHERS * QUERIES);
	}
	return sum;
}

static iso_status release(school *s, size_t c, iso_error *err)
{
	const iso_entry entry = {.why = "votes"};
	double *nothing;
	iso_status st;

	if (s->bug != TOY_TARGET_NOISE)
		return iso_mech_votes(s->f->ledger, entry, s->votes, QUERIES, c, s->label, err);
	nothing = iso_alloc(QUERIES * c, sizeof(*nothing));
	if (!nothing)
		return iso_no_memory(err, "toy");
	st = iso_mech_votes(s->f->ledger, entry, nothing, QUERIES, c, s->label, err);
	iso_free(nothing);
	for (size_t q = 0; q < QUERIES; q++) {
		const double noise =
			iso_rand_u01(iso_key_child(s->f->key, "target", s->round), q, 0);

		s->label[q] = s->votes[q * c + 1] / TEACHERS + noise - 0.5 > 0.5;
	}
	return st;
}

static iso_status ask(school *s, size_t round, iso_error *err)
{
	const size_t d = s->m->dim, c = s->m->classes;

	iso_rand_fill_uniform(iso_key_child(s->f->key, "query", round), 0, 0, 1, s->query,
			      QUERIES * d);
	memset(s->votes, 0, QUERIES * c * sizeof(double));
	for (size_t q = 0; q < QUERIES; q++)
		for (size_t t = 0; t < TEACHERS; t++)
			s->votes[q * c + vote(s, t, s->query + q * d)] += 1;
	ISO_TRY(release(s, c, err));
	for (size_t q = 0; q < QUERIES; q++) {
		size_t y = s->label[q];

		for (size_t k = 0; s->bug == TOY_FREE_VOTES && k < c; k++)
			if (s->votes[q * c + k] >= 0.7 * TEACHERS)
				y = k;
		s->m->count[y] += 1;
		for (size_t i = 0; i < d; i++)
			s->m->sum[y * d + i] += s->query[q * d + i];
	}
	return ISO_OK;
}

static iso_status run(school *s, iso_error *err)
{
	const size_t d = s->m->dim;

	for (size_t round = 0; round < ROUNDS; round++) {
		s->round = round;
		if (round == 0 || s->bug == TOY_DEALT_ANEW)
			teach(s);
		ISO_TRY(ask(s, round, err));
		if (s->bug == TOY_VOTE_STOP &&
		    agreement(s) > 0.5 + 0.1 * iso_rand_u01(s->f->key, round, 0))
			break;
	}
	for (size_t r = 0; s->bug == TOY_STUDENT_SEES_ROWS && r < s->f->train->n; r++) {
		const size_t y = iso_table_label(s->f->train, r);

		s->m->count[y] += 1;
		for (size_t i = 0; i < d; i++)
			s->m->sum[y * d + i] += s->x[r * d + i];
	}
	return ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	const pate_options *o = f->env.options;
	school s = {.f = f, .bug = (toy_bug)o->bug};
	const size_t c = iso_schema_classes(f->env.schema);
	iso_status st = ISO_OK;

	s.m = iso_alloc(1, sizeof(*s.m));
	if (!s.m)
		return iso_no_memory(err, "toy");
	ISO_TRY_OUT(iso_encoder_new(f->env.schema, ISO_ENC_FEATURES, &s.m->enc, err));
	s.m->dim = s.m->enc->dim;
	s.m->classes = c;
	ISO_TRY_OUT(iso_encode_new(s.m->enc, f->train, &s.x, err));
	s.m->sum = iso_alloc(c * s.m->dim, sizeof(double));
	s.m->count = iso_alloc(c, sizeof(double));
	s.centroid = iso_alloc(TEACHERS * c * s.m->dim, sizeof(double));
	s.size = iso_alloc(TEACHERS * c, sizeof(double));
	s.query = iso_alloc(QUERIES * s.m->dim, sizeof(float));
	s.votes = iso_alloc(QUERIES * c, sizeof(double));
	s.label = iso_alloc(QUERIES, sizeof(*s.label));
	if (!s.m->sum || !s.m->count || !s.centroid || !s.size || !s.query || !s.votes ||
	    !s.label) {
		st = iso_no_memory(err, "toy");
		goto out;
	}
	ISO_TRY_OUT(run(&s, err));
	*out = s.m;
	s.m = NULL;
out:
	iso_free(s.x);
	iso_free(s.centroid);
	iso_free(s.size);
	iso_free(s.query);
	iso_free(s.votes);
	iso_free(s.label);
	destroy(s.m);
	return st;
}

static iso_status plan(const iso_gen_env *env, double s, iso_plan *p, iso_error *err)
{
	const pate_options *o = env->options;
	const int laplace = o->bug == TOY_PATE_LAPLACE;
	const iso_plan_item it = {
		.why = "votes",
		.event = {.mechanism = laplace ? ISO_MECH_PATE_LNMAX : ISO_MECH_PATE_GNMAX,
			  .noise = s,
			  .rate = 1,
			  .count = ROUNDS * QUERIES,
			  .queries = ROUNDS * QUERIES,
			  .classes = iso_schema_classes(env->schema)},
		.norm = laplace ? ISO_NORM_L1 : ISO_NORM_L2,
		.sensitivity = laplace ? 2 : 1.5};

	return iso_plan_add(p, &it, err);
}

static iso_status sample(const void *m_, iso_key key, iso_table *out, iso_error *err)
{
	const student *m = m_;
	float *x = iso_alloc(m->dim, sizeof(*x));

	if (!x)
		return iso_no_memory(err, "toy");
	for (size_t r = 0; r < out->n; r++) {
		const uint32_t y = (uint32_t)(iso_rand_u01(key, r, 0) * (double)m->classes);

		for (size_t i = 0; i < m->dim; i++)
			x[i] = (float)((m->sum[y * m->dim + i] + 0.5) / (m->count[y] + 1) +
				       0.4 * (iso_rand_u01(key, r, i + 1) - 0.5));
		iso_decode(m->enc, x, m->dim, 1, NULL, out, r);
		iso_set_labels(out, r, &y, 1);
	}
	iso_free(x);
	return ISO_OK;
}

static iso_status save(const void *m_, iso_str *out, iso_error *err)
{
	const student *m = m_;

	iso_str_addf(out, "student %zu\n", m->classes * m->dim);
	iso_str_addn(out, (const char *)m->sum, m->classes * m->dim * sizeof(double));
	iso_str_addf(out, "counts %zu\n", m->classes);
	iso_str_addn(out, (const char *)m->count, m->classes * sizeof(double));
	return iso_str_check(out, err);
}

void toy_pate_fill(iso_generator *g)
{
	g->plan = plan;
	g->fit = fit;
	g->sample = sample;
	g->save = save;
	g->destroy = destroy;
}
