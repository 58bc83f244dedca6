// SPDX-License-Identifier: Apache-2.0
/* Record/replay.  The recording is private; only findings leave. */
#include "core/privacy/replay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/release_key.h"

/* Rounding of a sum in fp32 whose terms are the same and whose grouping is not: a share of the
 * sensitivity, and units in the last place of a large sum, which may not hide more than MOST. */
#define ROUNDING 1e-4
#define PLACES 64
#define MOST 1e-2

typedef struct draw_log {
	iso_replay_draw d;
	uint64_t *id; /* [d.batch] who was drawn; owned */
} draw_log;

typedef struct moved_part {
	int scope, group, part;
} moved_part;

struct iso_replay {
	iso_release_key key; /* of the first run */
	int has_key;
	iso_replay_mode mode;
	iso_replay_call *call; /* [ncall] with owned copies */
	size_t ncall, cap;
	draw_log *draw;
	size_t ndraw, draw_cap;
	size_t at;	/* next call to compare */
	size_t draw_at; /* next draw to look up */
	int lost;	/* control flow differs: nothing further can be compared */
	uint64_t watch[2];
	size_t nwatch;
	int factor;
	uint64_t canary;
	int has_canary;
	/* the last draw of a replay, and whether it or its recorded twin held a watched record */
	int hit_handle, hit;
	uint32_t hit_call;
	moved_part moved[8]; /* different ones that moved in this replay, the first kept */
	size_t nmoved;
	iso_finding_kind first;
	iso_finding finding[ISO_FINDING_KINDS]; /* by kind */
	double worst;
	double likelihood; /* of the last replay */
};

const char *iso_finding_name(iso_finding_kind k)
{
	static const char *const name[] = {
		[ISO_FINDING_NONE] = "none",
		[ISO_FINDING_SENSITIVITY] = "sensitivity",
		[ISO_FINDING_CONTROL_FLOW] = "control flow",
		[ISO_FINDING_OUTPUT] = "output",
		[ISO_FINDING_INCLUSION] = "inclusion",
		[ISO_FINDING_PARTITION] = "partition",
	};

	return name[k];
}

iso_status iso_replay_new(iso_replay **out, iso_error *err)
{
	*out = iso_alloc(1, sizeof(**out));
	if (!*out)
		return iso_no_memory(err, "a recording");
	(*out)->factor = 1;
	return ISO_OK;
}

void iso_replay_free(iso_replay *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->ncall; i++) {
		iso_free((void *)(uintptr_t)r->call[i].aggregate);
		iso_free((void *)(uintptr_t)r->call[i].release);
	}
	for (size_t i = 0; i < r->ndraw; i++)
		iso_free(r->draw[i].id);
	iso_free(r->call);
	iso_free(r->draw);
	iso_free(r);
}

void iso_replay_rewind(iso_replay *r)
{
	r->mode = ISO_REPLAY_REPLAY;
	r->at = r->draw_at = 0;
	r->lost = 0;
	r->hit = 0;
	r->hit_handle = -1;
	r->nmoved = 0;
	r->likelihood = 0;
	r->first = ISO_FINDING_NONE;
	memset(r->finding, 0, sizeof(r->finding));
}

void iso_replay_blind(iso_replay *r)
{
	iso_replay_rewind(r);
	r->mode = ISO_REPLAY_BLIND;
}

void iso_replay_watch(iso_replay *r, const uint64_t *ids, size_t n, int factor)
{
	r->nwatch = n < 2 ? n : 2;
	for (size_t i = 0; i < r->nwatch; i++)
		r->watch[i] = ids[i];
	r->factor = factor;
}

void iso_replay_canary(iso_replay *r, uint64_t id)
{
	r->canary = id;
	r->has_canary = 1;
}

int iso_replay_canary_of(const iso_replay *r, uint64_t *id)
{
	*id = r->canary;
	return r->has_canary;
}

void iso_replay_pin_key(iso_replay *r, iso_release_key *key)
{
	if (r->has_key)
		*key = r->key;
	r->key = *key;
	r->has_key = 1;
}

const iso_finding *iso_replay_finding(const iso_replay *r)
{
	return &r->finding[r->first];
}

const iso_finding *iso_replay_finding_of(const iso_replay *r, iso_finding_kind k)
{
	return &r->finding[k];
}

size_t iso_replay_calls(const iso_replay *r)
{
	return r->ncall;
}

double iso_replay_likelihood(const iso_replay *r)
{
	return r->likelihood;
}

double iso_replay_worst_ratio(const iso_replay *r)
{
	return r->worst;
}

iso_replay_call iso_replay_at(const iso_replay *r, size_t i)
{
	return r->call[i];
}

size_t iso_replay_draws(const iso_replay *r)
{
	return r->ndraw;
}

iso_replay_draw iso_replay_draw_at(const iso_replay *r, size_t i)
{
	return r->draw[i].d;
}

iso_replay_mode iso_replay_mode_of(const iso_replay *r)
{
	return r->mode;
}

/* ------------------------------------------------------------------ record */

static size_t bytes_of(const iso_replay_call *c)
{
	return c->n * (c->is_float ? sizeof(float) : sizeof(double));
}

static iso_status copy_vector(const iso_replay_call *c, const void *from, const void **to,
			      iso_error *err)
{
	void *p = iso_alloc(c->n, c->is_float ? sizeof(float) : sizeof(double));

	if (!p)
		return iso_no_memory(err, "a recorded release");
	memcpy(p, from, bytes_of(c));
	*to = p;
	return ISO_OK;
}

iso_status iso_replay_put(iso_replay *r, const iso_replay_call *c, iso_error *err)
{
	iso_replay_call *slot;

	if (c->release) /* second half of the call begun last */
		return copy_vector(c, c->release, &r->call[r->ncall - 1].release, err);
	ISO_TRY(iso_grow(&r->call, &r->cap, r->ncall + 1, sizeof(*r->call), err));
	slot = &r->call[r->ncall];
	*slot = *c;
	slot->aggregate = NULL;
	ISO_TRY(copy_vector(c, c->aggregate, &slot->aggregate, err));
	r->ncall++;
	return ISO_OK;
}

static int by_id(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static iso_status count_distinct(const uint64_t *id, size_t n, size_t *distinct, iso_error *err)
{
	uint64_t *copy = iso_alloc(n + 1, sizeof(*copy));

	if (!copy)
		return iso_no_memory(err, "the ids of a batch");
	if (n)
		memcpy(copy, id, n * sizeof(*copy));
	qsort(copy, n, sizeof(*copy), by_id);
	*distinct = n > 0;
	for (size_t i = 1; i < n; i++)
		*distinct += copy[i] != copy[i - 1];
	iso_free(copy);
	return ISO_OK;
}

static iso_status log_draw(iso_replay *r, const iso_replay_draw *d, const uint64_t *id,
			   const uint32_t *batch, iso_error *err)
{
	draw_log *slot;

	ISO_TRY(iso_grow(&r->draw, &r->draw_cap, r->ndraw + 1, sizeof(*r->draw), err));
	slot = &r->draw[r->ndraw];
	*slot = (draw_log){.d = *d};
	ISO_TRY(count_distinct(id, d->n, &slot->d.distinct, err));
	slot->id = iso_alloc(d->batch + 1, sizeof(*slot->id));
	if (!slot->id)
		return iso_no_memory(err, "a recorded batch");
	for (size_t i = 0; i < d->batch; i++)
		slot->id[i] = id[batch[i]];
	r->ndraw++;
	return ISO_OK;
}

static int watched(const iso_replay *r, uint64_t id)
{
	for (size_t w = 0; w < r->nwatch; w++)
		if (id == r->watch[w])
			return 1;
	return 0;
}

/* Whether the recorded batch of this call held a watched record: an added record is seen in the
 * replay's batch only, a removed one in the recorded batch only. */
static int recorded_hit(iso_replay *r, int handle, uint32_t call)
{
	for (size_t k = 0; k < r->ndraw; k++) {
		const draw_log *log = &r->draw[(r->draw_at + k) % r->ndraw];

		if (log->d.handle != handle || log->d.call != call)
			continue;
		r->draw_at = (r->draw_at + k + 1) % r->ndraw;
		for (size_t i = 0; i < log->d.batch; i++)
			if (watched(r, log->id[i]))
				return 1;
		return 0;
	}
	return 0;
}

iso_status iso_replay_drawn(iso_replay *r, int handle, uint32_t call, double rate,
			    const uint64_t *id, size_t n, const uint32_t *batch, size_t nbatch,
			    iso_error *err)
{
	const iso_replay_draw d = {
		.handle = handle, .call = call, .rate = rate, .n = n, .batch = nbatch};

	if (r->mode == ISO_REPLAY_RECORD)
		return log_draw(r, &d, id, batch, err);
	r->hit_handle = handle;
	r->hit_call = call;
	r->hit = r->mode == ISO_REPLAY_REPLAY && recorded_hit(r, handle, call);
	for (size_t i = 0; i < nbatch && !r->hit; i++)
		r->hit = watched(r, id[batch[i]]);
	return ISO_OK;
}

/* ------------------------------------------------------------------ replay */

static double number(const iso_replay_call *c, size_t i)
{
	return c->is_float ? ((const float *)c->aggregate)[i] : ((const double *)c->aggregate)[i];
}

typedef enum measure { BY_L1, BY_L2, BY_MAX, BY_COUNT } measure;

/* Largest distance over the call's queries; NaN if anything is not a number on one side only. */
static double distance(const iso_replay_call *a, const iso_replay_call *b, measure how)
{
	double worst = 0;

	if (memcmp(a->aggregate, b->aggregate, bytes_of(a)) ==
	    0) /* most calls: the record was not in the batch */
		return 0;
	for (size_t first = 0; first < a->n; first += a->block) {
		double s = 0;

		for (size_t i = first; i < first + a->block && i < a->n; i++) {
			const double x = number(a, i), y = number(b, i);
			/* the same infinity on both sides has not moved */
			const double d = x == y || (isnan(x) && isnan(y)) ? 0 : fabs(x - y);

			if (isnan(d))
				return NAN;
			if (how == BY_COUNT)
				s += d > 0;
			else if (how == BY_MAX)
				s = d > s ? d : s;
			else
				s += how == BY_L1 ? d : d * d;
		}
		if (how == BY_L2)
			s = sqrt(s);
		worst = s > worst ? s : worst;
	}
	return worst;
}

/* What rounding may move in a sum of this size, whose terms come in another order. */
static double rounding(const iso_replay_call *c, double bound)
{
	const double unit = c->is_float ? 0x1p-24 : 0x1p-53;
	double s = 0, slack;

	for (size_t i = 0; i < c->n; i++)
		s += number(c, i) * number(c, i);
	slack = PLACES * unit * sqrt(s);
	if (!(slack <= MOST * bound))
		slack = MOST * bound;
	return slack > ROUNDING * bound ? slack : ROUNDING * bound;
}

static iso_finding *found(iso_replay *r, iso_finding_kind kind, const iso_plan_item *item,
			  uint32_t call, const char *text)
{
	iso_finding *f = &r->finding[kind];

	if (f->kind != ISO_FINDING_NONE)
		return NULL;
	if (r->first == ISO_FINDING_NONE)
		r->first = kind;
	f->kind = kind;
	snprintf(f->what, sizeof(f->what), "call %u of %s (part %d): %s", (unsigned)call, item->why,
		 item->part, text);
	return f;
}

/* Two scopes are two parts of one group, two groups of one scope share their records. */
static void check_partition(iso_replay *r, const iso_plan_item *item, uint32_t call)
{
	const moved_part now = {item->scope, item->group, item->group ? item->part : 0};
	size_t others = 0;

	for (size_t i = 0; i < r->nmoved; i++) {
		const moved_part *m = &r->moved[i];

		if (m->scope == now.scope && m->group == now.group && m->part == now.part)
			return;
		if (m->scope != now.scope ? m->scope && now.scope : m->group == now.group)
			others++;
	}
	if (r->nmoved < ISO_COUNT(r->moved))
		r->moved[r->nmoved++] = now;
	if (r->nwatch > 0 && others >= (size_t)r->factor)
		(void)found(r, ISO_FINDING_PARTITION, item, call,
			    "a second part of its parallel group moved, the parts share a record");
}

/* Sensitivity, inclusion and partition of one call. */
static void judge(iso_replay *r, const iso_plan_item *item, const iso_replay_call *now,
		  const iso_replay_call *then)
{
	const iso_mech m = now->event.mechanism;
	const int votes = m == ISO_MECH_PATE_LNMAX || m == ISO_MECH_PATE_GNMAX;
	const measure how = votes					   ? BY_L1
			    : now->choice				   ? BY_MAX
			    : m == ISO_MECH_RANDOMIZED_RESPONSE		   ? BY_COUNT
			    : m == ISO_MECH_GAUSSIAN || m == ISO_MECH_ZCDP ? BY_L2
									   : BY_L1;
	const double bound = votes ? 2 : now->sensitivity;
	/* a replaced record's report is one report */
	const double allowed = how == BY_COUNT ? bound : bound * r->factor;
	const double moved = distance(now, then, how);
	const double slack = moved == 0 ? 0 : rounding(then, bound);
	const int hit = r->hit && r->hit_handle == now->handle && r->hit_call == now->call;
	iso_finding *f = NULL;

	if (!(moved <= allowed + r->factor * slack))
		f = found(r, ISO_FINDING_SENSITIVITY, item, now->call,
			  "its aggregate moved further than declared");
	if (f) {
		f->moved = moved;
		f->allowed = allowed;
	}
	if (allowed > 0 && moved / allowed > r->worst)
		r->worst = moved / allowed;
	if (moved <= slack)
		return;
	if (r->nwatch > 0 && now->event.sampling == ISO_SAMPLING_POISSON && !hit)
		(void)found(r, ISO_FINDING_INCLUSION, item, now->call,
			    "it moved though the differing record is not in its batch");
	if (item->group > 0 || item->scope > 0)
		check_partition(r, item, now->call);
}

static double value_at(const iso_replay_call *c, const void *v, size_t i)
{
	return c->is_float ? ((const float *)v)[i] : ((const double *)v)[i];
}

/* log p(release | now) - log p(release | then). */
static double log_ratio(const iso_replay_call *now, const iso_replay_call *then)
{
	const iso_event *e = &now->event;
	const iso_mech m = e->mechanism;
	const int laplace = m == ISO_MECH_LAPLACE || m == ISO_MECH_PATE_LNMAX;
	const int votes = m == ISO_MECH_PATE_LNMAX || m == ISO_MECH_PATE_GNMAX;
	const double scale = m == ISO_MECH_ZCDP ? now->unit * now->sensitivity / sqrt(2 * e->rho)
						: e->noise * (votes ? 1 : now->sensitivity);
	double s = 0;

	if ((!laplace && !votes && m != ISO_MECH_GAUSSIAN && m != ISO_MECH_ZCDP) || !(scale > 0) ||
	    (e->sampling != ISO_SAMPLING_NONE && e->rate < 1))
		return 0;
	for (size_t i = 0; i < now->n; i++) {
		const double x = value_at(then, then->release, i);
		const double a = (x - number(then, i)) / scale, b = (x - number(now, i)) / scale;

		s += laplace ? fabs(a) - fabs(b) : (a * a - b * b) / 2;
	}
	return s;
}

/* The event and the sensitivity of a call are public: a function of what was released. */
static int same_price(const iso_replay_call *a, const iso_replay_call *b)
{
	const iso_event *e = &a->event, *f = &b->event;

	return e->mechanism == f->mechanism && e->noise == f->noise && e->epsilon == f->epsilon &&
	       e->delta == f->delta && e->rho == f->rho && e->sampling == f->sampling &&
	       e->rate == f->rate && e->count == f->count && a->sensitivity == b->sensitivity;
}

void iso_replay_compare(iso_replay *r, const iso_plan_item *item, const iso_replay_call *c, void *x,
			int *known)
{
	const iso_replay_call *then = r->at < r->ncall ? &r->call[r->at] : NULL;

	*known = 0;
	if (r->lost)
		return;
	if (!then || then->handle != c->handle || then->call != c->call || then->n != c->n ||
	    then->is_float != c->is_float || then->block != c->block || !then->release) {
		r->lost = 1;
		(void)found(r, ISO_FINDING_CONTROL_FLOW, item, c->call,
			    then ? "another call was recorded in its place"
				 : "fewer calls were recorded");
		return;
	}
	if (!same_price(then, c)) {
		r->lost = 1;
		(void)found(r, ISO_FINDING_CONTROL_FLOW, item, c->call,
			    "its noise, rate or sensitivity differs from the recorded call's");
		return;
	}
	r->at++;
	judge(r, item, c, then);
	r->likelihood += log_ratio(c, then);
	memcpy(x, then->release, bytes_of(c));
	*known = 1;
}

void iso_replay_end(iso_replay *r)
{
	iso_finding *f = &r->finding[ISO_FINDING_CONTROL_FLOW];

	if (r->mode != ISO_REPLAY_REPLAY || r->lost || r->at == r->ncall)
		return;
	f->kind = ISO_FINDING_CONTROL_FLOW;
	snprintf(f->what, sizeof(f->what), "%zu calls were recorded, %zu were made", r->ncall,
		 r->at);
	if (r->first == ISO_FINDING_NONE)
		r->first = ISO_FINDING_CONTROL_FLOW;
}

/* ------------------------------------------------------------------ to another process */

static void put(iso_str *s, const void *p, size_t n)
{
	iso_str_addn(s, p, n);
}

void iso_replay_pack(const iso_replay *r, iso_str *out)
{
	put(out, &r->ncall, sizeof(r->ncall));
	put(out, &r->ndraw, sizeof(r->ndraw));
	put(out, &r->has_key, sizeof(r->has_key));
	put(out, &r->key, sizeof(r->key));
	for (size_t i = 0; i < r->ncall; i++) {
		const iso_replay_call *c = &r->call[i];
		const int whole = c->release != NULL;

		put(out, c, sizeof(*c));
		put(out, &whole, sizeof(whole));
		put(out, c->aggregate, bytes_of(c));
		if (whole)
			put(out, c->release, bytes_of(c));
	}
	for (size_t i = 0; i < r->ndraw; i++) {
		put(out, &r->draw[i].d, sizeof(r->draw[i].d));
		put(out, r->draw[i].id, r->draw[i].d.batch * sizeof(uint64_t));
	}
}

typedef struct reader {
	const char *p;
	size_t left;
} reader;

/* The next n bytes, or NULL. */
static const void *take(reader *f, size_t n)
{
	const char *p = f->p;

	if (n > f->left)
		return NULL;
	f->p += n;
	f->left -= n;
	return p;
}

static int take_into(reader *f, void *x, size_t n)
{
	const void *p = take(f, n);

	if (p)
		memcpy(x, p, n);
	return p != NULL;
}

static iso_status malformed(iso_error *err)
{
	return iso_fail(err, ISO_E_DATA, "malformed recording: it ends early; record again");
}

static iso_status unpack_call(reader *f, iso_replay *r, iso_error *err)
{
	iso_replay_call c;
	int whole;

	if (!take_into(f, &c, sizeof(c)) || !take_into(f, &whole, sizeof(whole)) || c.n > f->left)
		return malformed(err);
	c.release = NULL;
	c.aggregate = take(f, bytes_of(&c));
	if (!c.aggregate)
		return malformed(err);
	ISO_TRY(iso_replay_put(r, &c, err));
	if (!whole)
		return ISO_OK;
	c.release = take(f, bytes_of(&c));
	return c.release ? iso_replay_put(r, &c, err) : malformed(err);
}

static iso_status unpack_draw(reader *f, iso_replay *r, iso_error *err)
{
	draw_log *slot;
	const void *id;

	ISO_TRY(iso_grow(&r->draw, &r->draw_cap, r->ndraw + 1, sizeof(*r->draw), err));
	slot = &r->draw[r->ndraw];
	*slot = (draw_log){0};
	if (!take_into(f, &slot->d, sizeof(slot->d)) || slot->d.batch > f->left)
		return malformed(err);
	id = take(f, slot->d.batch * sizeof(uint64_t));
	if (!id)
		return malformed(err);
	slot->id = iso_alloc(slot->d.batch + 1, sizeof(*slot->id));
	if (!slot->id)
		return iso_no_memory(err, "a recorded batch");
	memcpy(slot->id, id, slot->d.batch * sizeof(uint64_t));
	r->ndraw++;
	return ISO_OK;
}

iso_status iso_replay_unpack(const char *bytes, size_t n, iso_replay **out, iso_error *err)
{
	reader f = {.p = bytes, .left = n};
	size_t ncall = 0, ndraw = 0;
	iso_status st;

	ISO_TRY(iso_replay_new(out, err));
	if (!take_into(&f, &ncall, sizeof(ncall)) || !take_into(&f, &ndraw, sizeof(ndraw)) ||
	    !take_into(&f, &(*out)->has_key, sizeof((*out)->has_key)) ||
	    !take_into(&f, &(*out)->key, sizeof((*out)->key)))
		ISO_TRY_OUT(malformed(err));
	for (size_t i = 0; i < ncall; i++)
		ISO_TRY_OUT(unpack_call(&f, *out, err));
	for (size_t i = 0; i < ndraw; i++)
		ISO_TRY_OUT(unpack_draw(&f, *out, err));
	return ISO_OK;
out:
	iso_replay_free(*out);
	*out = NULL;
	return st;
}
