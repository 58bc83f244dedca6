// SPDX-License-Identifier: Apache-2.0
/* The private step against a naive oracle: every record's gradient from a batch of one, clipped in
 * double, summed. */
#include "core/nn/dpsgd.h"

#include <string.h>

#include "core/privacy/release_key.h"
#include "core/privacy/replay.h"
#include "tests/support/testkit.h"

enum { N = 60, MAX_M = 2, IN = 24, MAX_P = 16000 };
#define TINY 1e-7 /* noise multiplier that hides nothing */

/* Two networks side by side on the same rows, squared loss against a target per row. */
typedef struct world {
	iso_net *net[2];
	iso_ws *ws[2];
	iso_optim opt[2];
	size_t nets, m, chunk;
	float x[N * MAX_M][IN], target[N * MAX_M], rows[N * MAX_M][IN];
	uint64_t id[N];
	size_t n, calls, seen;
	iso_plan plan;
	iso_ledger *ledger;
	iso_dpsgd s;
} world;

/* Sizes: P of part 0 odd (so that part 1 starts at an odd index) or even; part 0 is longer than one
 * piece. */
static void world_nets(world *w, size_t nets, int odd, size_t m, size_t chunk)
{
	iso_error err = {0};
	const size_t a[] = {IN, 190, odd ? 3 : 4, 1}, b[] = {IN, 7, 1};
	const iso_act act_a[] = {ISO_ACT_LRELU, ISO_ACT_TANH, ISO_ACT_LINEAR},
		      act_b[] = {ISO_ACT_RELU, ISO_ACT_LINEAR};
	memset(w, 0, sizeof(*w));
	w->nets = nets;
	w->m = m;
	w->chunk = chunk;
	w->n = N;
	for (size_t k = 0; k < nets; k++) {
		tk_ok(iso_net_new_dense(k ? 2 : 3, k ? b : a, k ? act_b : act_a, &w->net[k], &err));
		iso_net_randomize(w->net[k], ISO_INIT_GLOROT, iso_key_new(k, "init"));
		tk_ok(iso_ws_new(w->net[k], chunk * m, 1, &w->ws[k], &err));
		tk_ok(iso_optim_init(&w->opt[k], ISO_ADAM, 0.01f, iso_net_params(w->net[k]), &err));
	}
	const iso_key data = iso_key_new(9, "data");
	for (uint64_t i = 0; i < N * MAX_M; i++)
		iso_rand_fill_normal(data, i, 0, 1, w->x[i], IN);
	iso_rand_fill_normal(data, 1000, 0, 3, w->target, N * MAX_M);
	for (uint64_t i = 0; i < N; i++)
		w->id[i] = 100 + 3 * i;
}

static void world_step(world *w, double noise, double rate, uint64_t count, float clip)
{
	iso_error err = {0};
	iso_release_key key;
	tk_ok(iso_plan_gaussian(&w->plan, (iso_entry){.why = "step"}, noise, rate, count, clip,
				&err));
	tk_ok(iso_release_key_plain(5, "test", 0, &key, &err));
	tk_ok(iso_ledger_new(&w->plan, "test", ISO_ADD_REMOVE, &key, &w->ledger, &err));
	w->s = (iso_dpsgd){
		.ledger = w->ledger,
		.rate = rate,
		.id = w->id,
		.n = w->n,
		.rows_per_record = w->m,
		.chunk = w->chunk,
		.clip = clip,
		.normaliser = 10,
		.nparts = w->nets,
	};
	tk_ok(iso_ledger_find(w->ledger, (iso_entry){.why = "step"}, &w->s.handle, &err));
	for (size_t k = 0; k < w->nets; k++)
		w->s.part[k] = (iso_dpsgd_part){w->net[k], w->ws[k], NULL};
}

static void world_end(world *w)
{
	iso_dpsgd_deinit(&w->s);
	iso_ledger_free(w->ledger);
	iso_plan_free(&w->plan);
	for (size_t k = 0; k < w->nets; k++) {
		iso_optim_deinit(&w->opt[k]);
		iso_ws_free(w->ws[k]);
		iso_net_free(w->net[k]);
	}
}

/* Data row j of the record at a position: found by identity, so that removal moves nothing. */
static size_t row_of(const world *w, uint32_t position, size_t j)
{
	return (size_t)(w->id[position] - 100) / 3 * MAX_M + j;
}

static iso_status rows_fn(void *ctx, const uint32_t *rec, size_t n, uint64_t step, iso_error *err)
{
	world *const w = ctx;
	(void)step;
	(void)err;
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < w->m; j++)
			memcpy(w->rows[r * w->m + j], w->x[row_of(w, rec[r], j)],
			       sizeof(w->rows[0]));
	for (size_t k = 0; k < w->nets; k++) {
		iso_net_forward(w->net[k], w->ws[k], w->rows[0], IN, n * w->m, NULL);
		for (size_t r = 0; r < n; r++)
			for (size_t j = 0; j < w->m; j++)
				iso_ws_delta(w->ws[k])[r * w->m + j] =
					iso_ws_out(w->ws[k])[r * w->m + j] -
					w->target[row_of(w, rec[r], j)];
		iso_net_backward(w->net[k], w->ws[k], 0, NULL, 0);
	}
	w->calls++;
	w->seen += n;
	return ISO_OK;
}

/* Gradient of one record over all parts, alone, unclipped. */
static double record_gradient(world *w, uint32_t position, double *g)
{
	iso_error err = {0};
	double norm2 = 0;
	size_t at = 0;
	ck_assert_int_eq(rows_fn(w, &position, 1, 0, &err), ISO_OK);
	for (size_t k = 0; k < w->nets; k++) {
		iso_net_weight_grad(w->net[k], w->ws[k], NULL, 0, iso_net_grad(w->net[k]));
		for (size_t p = 0; p < iso_net_params(w->net[k]); p++, at++) {
			g[at] = iso_net_grad(w->net[k])[p];
			norm2 += g[at] * g[at];
		}
	}
	return sqrt(norm2);
}

static size_t concatenated(const world *w, float *out)
{
	size_t at = 0;
	for (size_t k = 0; k < w->nets; k++) {
		memcpy(out + at, iso_net_grad(w->net[k]),
		       iso_net_params(w->net[k]) * sizeof(float));
		at += iso_net_params(w->net[k]);
	}
	return at;
}

static float sum[MAX_P], other[MAX_P];
static double want[MAX_P], g[MAX_P];

/* Half of the records lie above. */
static float median_norm(world *w)
{
	double norm[N];
	for (uint32_t i = 0; i < N; i++) {
		norm[i] = record_gradient(w, i, g);
		for (uint32_t k = i; k > 0 && norm[k] < norm[k - 1]; k--) {
			const double swap = norm[k];
			norm[k] = norm[k - 1];
			norm[k - 1] = swap;
		}
	}
	return (float)(0.5 * (norm[N / 2 - 1] + norm[N / 2]));
}

static const struct form {
	size_t nets, m, chunk;
	int odd;
	double rate;
} forms[] = {{1, 1, N, 0, 1}, {1, 1, 7, 0, 1}, {2, 1, N, 0, 1},	  {2, 1, 11, 1, 1},
	     {1, 2, N, 0, 1}, {2, 2, 9, 1, 1}, {2, 2, 5, 0, 0.4}, {1, 1, 4, 1, 0.3}};

START_TEST(test_against_oracle)
{
	const struct form *const f = &forms[_i];
	iso_error err = {0};
	static world w;
	world_nets(&w, f->nets, f->odd, f->m, f->chunk);
	const float clip = median_norm(&w);
	w.calls = w.seen = 0;
	world_step(&w, TINY, f->rate, 1, clip);
	tk_ok(iso_dpsgd_init(&w.s, &err));
	const uint64_t before = iso_alloc_count();
	tk_ok(iso_dpsgd_step(&w.s, rows_fn, &w, &err));
	ck_assert(iso_alloc_count() == before);
	ck_assert_uint_eq(w.seen, w.s.last_batch);
	ck_assert_uint_eq(w.calls, (w.s.last_batch + f->chunk - 1) / f->chunk);
	ck_assert(f->rate == 1 ? w.s.last_batch == N : w.s.last_batch > 0 && w.s.last_batch < N);
	const size_t total = concatenated(&w, sum);
	ck_assert_uint_lt(total, MAX_P);
	memset(want, 0, sizeof(want));
	size_t clipped = 0;
	for (size_t k = 0; k < w.s.last_batch; k++) {
		const double norm = record_gradient(&w, w.s.batch[k], g);
		for (size_t p = 0; p < total; p++)
			want[p] += g[p] * fmin(1, clip / norm);
		clipped += norm > clip;
	}
	ck_assert_msg(clipped > 0 && clipped < w.s.last_batch,
		      "the clip bound sorts nothing: %zu of %zu", clipped, w.s.last_batch);
	tk_assert_close(w.s.clipped_share, (double)clipped / (double)w.s.last_batch, 1e-9, 0);
	double far = 0;
	for (size_t p = 0; p < total; p++)
		far += (sum[p] - want[p]) * (sum[p] - want[p]);
	ck_assert_double_lt(sqrt(far), 1e-4 * clip);
	ck_assert(iso_ledger_items(w.ledger)->v[w.s.handle].used == 1);
	world_end(&w);
}
END_TEST

/* Chunks are only a matter of memory: the same bits. */
START_TEST(test_chunks_same_bits)
{
	iso_error err = {0};
	static world w;
	for (size_t chunk = 1; chunk <= N; chunk = chunk * 3 + 1) {
		world_nets(&w, 2, 1, 2, chunk);
		world_step(&w, 1, 0.5, 1, 2);
		tk_ok(iso_dpsgd_init(&w.s, &err));
		tk_ok(iso_dpsgd_step(&w.s, rows_fn, &w, &err));
		const size_t total = concatenated(&w, chunk == 1 ? sum : other);
		ck_assert(chunk == 1 || memcmp(sum, other, total * sizeof(float)) == 0);
		world_end(&w);
	}
}
END_TEST

/* A record 100 times too large is cut to C, not to a little more; one far too large for fp32
 * squares disappears. */
START_TEST(test_clip_bound)
{
	iso_error err = {0};
	static world w;
	static const float wrong[] = {3, 30, 3e3f, 3e6f, 3e12f, 3e25f};
	for (size_t k = 0; k < ISO_COUNT(wrong); k++) {
		world_nets(&w, 2, 0, 1, N);
		w.n = 1;
		w.target[0] = wrong[k];
		const double norm = record_gradient(&w, 0, g);
		const float clip = (float)(norm < 1e15 ? norm / 100 : 1e3);
		world_step(&w, 1e-9, 1, 1, clip);
		tk_ok(iso_dpsgd_init(&w.s, &err));
		tk_ok(iso_dpsgd_step(&w.s, rows_fn, &w, &err));
		const size_t total = concatenated(&w, sum);
		double norm2 = 0;
		for (size_t p = 0; p < total; p++)
			norm2 += (double)sum[p] * sum[p];
		ck_assert_double_le(sqrt(norm2), clip * (1 + 1e-6));
		ck_assert_double_ge(sqrt(norm2), norm < 1e15 ? clip * (1 - 1e-4) : 0);
		world_end(&w);
	}
}
END_TEST

/* Records with NaN, infinite or overflowing gradients leave no trace: the release equals the one
 * without them. */
START_TEST(test_poisoned_records)
{
	iso_error err = {0};
	static world w;
	for (int poisoned = 0; poisoned < 2; poisoned++) {
		world_nets(&w, 2, 1, 1, 13);
		w.x[5 * MAX_M][3] = NAN;
		w.x[20 * MAX_M][0] = INFINITY;
		w.target[40 * MAX_M] = NAN;
		w.target[41 * MAX_M] = -INFINITY;
		w.target[59 * MAX_M] = 1e38f;
		if (!poisoned) {
			size_t n = 0;
			for (size_t i = 0; i < N; i++)
				if (i != 5 && i != 20 && i != 40 && i != 41 && i != 59)
					w.id[n++] = 100 + 3 * i;
			w.n = n;
		}
		world_step(&w, 1, 1, 1, 2);
		tk_ok(iso_dpsgd_init(&w.s, &err));
		tk_ok(iso_dpsgd_step(&w.s, rows_fn, &w, &err));
		ck_assert_uint_eq(w.s.last_batch, poisoned ? N : N - 5);
		const size_t total = concatenated(&w, poisoned ? other : sum);
		if (poisoned)
			ck_assert(memcmp(sum, other, total * sizeof(float)) == 0);
		for (size_t p = 0; p < total; p++)
			if (!isfinite(sum[p]))
				ck_abort_msg("parameter %zu of the release is %g", p, sum[p]);
		world_end(&w);
	}
}
END_TEST

/* One record less: the others are drawn as before, and their factors have the same bits. */
START_TEST(test_neighbours)
{
	iso_error err = {0};
	static world w;
	static float factor[2][N];
	size_t total = 0;
	uint8_t in[2][N] = {{0}};
	enum { GONE = 19 };
	for (int without = 0; without < 2; without++) {
		world_nets(&w, 1, 0, 1, N);
		for (size_t i = GONE; without && i + 1 < N; i++)
			w.id[i] = w.id[i + 1];
		w.n = N - (size_t)without;
		world_step(&w, TINY, 0.6, 1, 4);
		tk_ok(iso_dpsgd_init(&w.s, &err));
		tk_ok(iso_dpsgd_step(&w.s, rows_fn, &w, &err));
		for (size_t k = 0; k < w.s.last_batch; k++) {
			const size_t i = (size_t)(w.id[w.s.batch[k]] - 100) / 3;
			in[without][i] = 1;
			factor[without][i] = w.s.scale[k];
		}
		total = concatenated(&w, without ? other : sum);
		if (!without)
			ck_assert_double_gt(record_gradient(&w, GONE, g), 0);
		world_end(&w);
	}
	ck_assert(in[0][GONE] && !in[1][GONE]);
	double moved = 0, along = 0, norm2 = 0;
	for (size_t i = 0; i < N; i++)
		if (i != GONE)
			ck_assert(in[0][i] == in[1][i] && factor[0][i] == factor[1][i]);
	for (size_t p = 0; p < total; p++) {
		const double d = (double)sum[p] - other[p];
		moved += d * d;
		along += d * g[p];
		norm2 += g[p] * g[p];
	}
	ck_assert_double_le(sqrt(moved), 4 * (1 + 1e-4));
	tk_assert_close(along / sqrt(moved * norm2), 1, 1e-4,
			0); /* what is missing is that record's gradient */
}
END_TEST

/* Noise of the planned size also on an empty batch, never the same twice; then the budget is spent.
 */
START_TEST(test_empty_batch_and_budget)
{
	iso_error err = {0};
	static world w;
	world_nets(&w, 1, 0, 1, 8);
	w.n = 0;
	world_step(&w, 1.5, 0.01, 2, 2);
	tk_ok(iso_dpsgd_init(&w.s, &err));
	size_t total = 0;
	for (int t = 0; t < 2; t++) {
		tk_ok(iso_dpsgd_step(&w.s, rows_fn, &w, &err));
		ck_assert(w.s.last_batch == 0 && w.calls == 0);
		total = concatenated(&w, t ? other : sum);
		double m2 = 0;
		for (size_t p = 0; p < total; p++)
			m2 += (double)iso_net_grad(w.net[0])[p] * iso_net_grad(w.net[0])[p];
		/* sd 3; total about 5500: five standard errors are 5 % */
		tk_assert_close(sqrt(m2 / (double)total), 3, 0.05, 0);
	}
	ck_assert(memcmp(sum, other, total * sizeof(float)) != 0);
	ck_assert(iso_ledger_items(w.ledger)->v[w.s.handle].used == 2);
	tk_fails(iso_dpsgd_step(&w.s, rows_fn, &w, &err), ISO_E_BUDGET, "budget");
	ck_assert_uint_eq(w.calls, 0);
	iso_ledger_close(w.ledger);
	tk_fails(iso_dpsgd_step(&w.s, rows_fn, &w, &err), ISO_E_BUDGET, "");
	world_end(&w);
}
END_TEST

/* The size of a drawn batch is private: the update is lr * released sum / normaliser whatever it
 * was.  Dividing by the batch instead would show in every step whose batch is not 10. */
START_TEST(test_normaliser_is_public)
{
	static const double rates[] = {0.05, 0.5, 1};
	iso_error err = {0};
	static world w;
	static float before[MAX_P];

	for (size_t k = 0; k < ISO_COUNT(rates); k++) {
		iso_optim sgd;

		world_nets(&w, 1, 0, 1, N);
		world_step(&w, 0.7, rates[k], 1, 2);
		const size_t total = iso_net_params(w.net[0]);
		tk_ok(iso_optim_init(&sgd, ISO_SGD, 0.5f, total, &err));
		w.s.part[0].opt = &sgd;
		w.s.normaliser = 7.5f;
		memcpy(before, iso_net_theta(w.net[0]), total * sizeof(float));
		tk_ok(iso_dpsgd_init(&w.s, &err));
		tk_ok(iso_dpsgd_step(&w.s, rows_fn, &w, &err));
		/* a divisor of batch, batch + 1 or max(batch, 1) is another number here */
		ck_assert(w.s.last_batch != 7 && w.s.last_batch != 8 && w.s.last_batch != 6);
		ck_assert(rates[k] < 1 || w.s.last_batch == N);
		for (size_t p = 0; p < total; p++)
			tk_assert_close(iso_net_theta(w.net[0])[p],
					before[p] - 0.5 * iso_net_grad(w.net[0])[p] / 7.5, 1e-5,
					1e-6);
		iso_optim_deinit(&sgd);
		world_end(&w);
	}
}
END_TEST

/* Trains five steps; parameters to out. */
static size_t train(world *w, const struct form *f, int recorded, int with_public, float *out)
{
	iso_error err = {0};
	iso_replay *r = NULL;
	static float public_grad[MAX_P];
	world_nets(w, f->nets, f->odd, f->m, f->chunk);
	world_step(w, 0.8, f->rate, 5, 2);
	if (recorded) {
		tk_ok(iso_replay_new(&r, &err));
		iso_ledger_set_replay(w->ledger, r);
	}
	iso_rand_fill_normal(iso_key_new(4, "public"), 0, 0, 20, public_grad, MAX_P);
	for (size_t k = 0; k < f->nets; k++) {
		w->s.part[k].opt = &w->opt[k];
		w->s.public_grad[k] = with_public ? public_grad : NULL;
	}
	tk_ok(iso_dpsgd_init(&w->s, &err));
	for (int t = 0; t < 5; t++)
		tk_ok(iso_dpsgd_step(&w->s, rows_fn, w, &err));
	tk_ok(iso_ledger_settled(w->ledger, &err));
	size_t at = 0;
	for (size_t k = 0; k < f->nets; k++) {
		memcpy(out + at, iso_net_theta(w->net[k]),
		       iso_net_params(w->net[k]) * sizeof(float));
		at += iso_net_params(w->net[k]);
	}
	world_end(w);
	iso_replay_free(r);
	return at;
}

/* Noise and update piece by piece, or all at once under record/replay: the same bits; so on every
 * instruction set. */
START_TEST(test_fused_same_bits)
{
	const struct form *const f = &forms[_i];
	static world w;
	const iso_isa best = iso_isa_active();
	const size_t total = train(&w, f, 0, 1, sum);
	train(&w, f, 1, 1, other);
	ck_assert(memcmp(sum, other, total * sizeof(float)) == 0);
	for (iso_isa isa = ISO_ISA_PORTABLE; isa <= ISO_ISA_AVX512; isa++) {
		if (!iso_isa_force(isa))
			continue;
		train(&w, f, 0, 1, other);
		ck_assert(memcmp(sum, other, total * sizeof(float)) == 0);
	}
	iso_isa_force(best);
	train(&w, f, 0, 0, other);
	ck_assert(memcmp(sum, other, total * sizeof(float)) != 0); /* the public gradient counts */
}
END_TEST

/* Without a ledger: the whole gradient of a Poisson batch, no clip, no noise. */
START_TEST(test_not_private)
{
	iso_error err = {0};
	static world w;
	world_nets(&w, 1, 0, 1, 16);
	world_step(&w, TINY, 0.5, 1, 1e-3f);
	w.s.ledger = NULL;
	w.s.batch_key = iso_key_new(3, "batch");
	tk_ok(iso_dpsgd_init(&w.s, &err));
	for (uint64_t t = 0; t < 3; t++) {
		tk_ok(iso_dpsgd_step(&w.s, rows_fn, &w, &err));
		const size_t params = concatenated(&w, sum);
		static uint32_t batch[N];
		ck_assert_uint_eq(iso_rand_poisson(w.s.batch_key, t, w.id, N, 0.5, batch),
				  w.s.last_batch);
		ck_assert(memcmp(batch, w.s.batch, w.s.last_batch * sizeof(*batch)) == 0);
		memset(want, 0, sizeof(want));
		for (size_t k = 0; k < w.s.last_batch; k++) {
			record_gradient(&w, batch[k], g);
			for (size_t p = 0; p < params; p++)
				want[p] += g[p];
		}
		for (size_t p = 0; p < params; p++)
			if (!tk_close(sum[p], want[p], 1e-4, 1e-3))
				ck_abort_msg("parameter %zu: %g, want %g", p, sum[p], want[p]);
	}
	ck_assert(iso_ledger_items(w.ledger)->v[0].used == 0);
	/* and a private step with a bound above every norm gives the same sum, to rounding */
	world_end(&w);
	size_t total = 0;
	for (int private = 0; private < 2; private ++) {
		world_nets(&w, 1, 0, 1, N);
		world_step(&w, 1e-9, 1, 1, 1e4f);
		if (!private)
			w.s.ledger = NULL;
		tk_ok(iso_dpsgd_init(&w.s, &err));
		tk_ok(iso_dpsgd_step(&w.s, rows_fn, &w, &err));
		total = concatenated(&w, private ? other : sum);
		ck_assert(w.s.clipped_share == 0);
		world_end(&w);
	}
	for (size_t p = 0; p < total; p++)
		if (!tk_close(sum[p], other[p], 0, 1e-4))
			ck_abort_msg("parameter %zu: %g and %g", p, sum[p], other[p]);
}
END_TEST

static iso_status short_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step,
			     iso_error *err)
{
	world *const w = ctx;
	ISO_TRY(rows_fn(ctx, rec, n, step, err));
	iso_net_forward(w->net[0], w->ws[0], w->rows[0], IN, n * w->m - 1, NULL);
	return ISO_OK;
}

static iso_status failing_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step,
			       iso_error *err)
{
	(void)ctx, (void)rec, (void)n, (void)step;
	return iso_fail(err, ISO_E_DATA, "a row failed");
}

START_TEST(test_refusals)
{
	iso_error err = {0};
	static world w;
	world_nets(&w, 1, 0, 1, N);
	world_step(&w, 1, 0.5, 3, 1);
	const iso_dpsgd good = w.s;
#define REFUSED(change, status, part) \
	w.s = good; \
	change; \
	tk_fails(iso_dpsgd_init(&w.s, &err), status, part)
	REFUSED(w.s.rate = 0.4, ISO_E_BUDGET, "planned");
	REFUSED(w.s.rate = NAN, ISO_E_CONFIG, "rate");
	REFUSED(w.s.clip = NAN, ISO_E_CONFIG, "clip");
	REFUSED(w.s.clip = 0, ISO_E_CONFIG, "clip");
	REFUSED(w.s.clip = INFINITY, ISO_E_CONFIG, "clip");
	REFUSED(w.s.handle = 7, ISO_E_BUDGET, "entry");
	REFUSED(w.s.handle = -1, ISO_E_BUDGET, "entry");
	REFUSED(w.s.normaliser = 0, ISO_E_CONFIG, "normaliser");
	REFUSED(w.s.nparts = 0, ISO_E_USAGE, "parts");
	REFUSED(w.s.nparts = 2, ISO_E_USAGE, "part 1");
	REFUSED(w.s.chunk = N + 1, ISO_E_USAGE, "workspace");
	REFUSED(w.s.chunk = 0, ISO_E_USAGE, "chunk");
	REFUSED(w.s.id = NULL, ISO_E_USAGE, "identities");
	REFUSED(w.s.rows_per_record = 2, ISO_E_USAGE, "workspace");
	for (uint64_t k = 1; k <= 2; k++) {
		REFUSED(iso_alloc_fail_after(k), ISO_E_NOMEM, "");
	}
	w.s = good;
	tk_ok(iso_dpsgd_init(&w.s, &err));
	w.s.clip = 1.5f; /* above what was planned */
	tk_fails(iso_dpsgd_step(&w.s, rows_fn, &w, &err), ISO_E_BUDGET, "sensitivity");
	ck_assert_uint_eq(w.calls, 0);
	w.s.clip = 1;
	tk_fails(iso_dpsgd_step(&w.s, short_rows, &w, &err), ISO_E_PLUGIN, "rows");
	world_end(&w);
	world_nets(&w, 1, 0, 1, N);
	world_step(&w, 1, 0.5, 3, 1);
	tk_ok(iso_dpsgd_init(&w.s, &err));
	tk_fails(iso_dpsgd_step(&w.s, failing_rows, &w, &err), ISO_E_DATA, "a row failed");
	world_end(&w);
}
END_TEST

/* A logistic model that is no network: gradient (p - y) x per record. */
typedef struct logistic {
	const world *w;
	float theta[IN], grad[IN], residual[N];
	uint32_t rec[N];
	size_t n, m;
} logistic;

static size_t logistic_count(const void *self)
{
	return ((const logistic *)self)->n * ((const logistic *)self)->m;
}

static const float *logistic_row(const logistic *l, size_t i)
{
	return l->w->x[row_of(l->w, l->rec[i / l->m], i % l->m)];
}

static void logistic_norms2(void *self, size_t m, int beta, float *norm2)
{
	const logistic *const l = self;
	for (size_t r = 0; r < l->n; r++) {
		double total = beta ? norm2[r] : 0;
		for (size_t k = 0; k < IN; k++) {
			double v = 0;
			for (size_t j = 0; j < m; j++)
				v += (double)l->residual[r * m + j] * logistic_row(l, r * m + j)[k];
			total += v * v;
		}
		norm2[r] = (float)(total * (1 + 1e-5));
	}
}

static void logistic_grad(void *self, const float *scale, int beta, float *grad)
{
	const logistic *const l = self;
	for (size_t k = 0; !beta && k < IN; k++)
		grad[k] = 0;
	for (size_t i = 0; i < l->n * l->m; i++)
		for (size_t k = 0; (!scale || scale[i] != 0) && k < IN; k++)
			grad[k] += (scale ? scale[i] : 1) * l->residual[i] * logistic_row(l, i)[k];
}

static iso_status logistic_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step,
				iso_error *e)
{
	logistic *const l = ctx;
	(void)step, (void)e;
	l->n = n;
	memcpy(l->rec, rec, n * sizeof(*rec));
	for (size_t i = 0; i < n * l->m; i++)
		l->residual[i] = l->w->target[row_of(l->w, rec[i / l->m], i % l->m)] +
				 0.1f * l->theta[i % IN];
	return ISO_OK;
}

/* _i + 1 rows a record, in pieces of 7 records; half of them clipped; then the optimiser moves. */
START_TEST(test_gradient_source)
{
	iso_error err = {0};
	static world w;
	static logistic l;
	iso_optim opt;
	world_nets(&w, 1, 0, (size_t)_i + 1, 7);
	const float clip = 6;
	world_step(&w, TINY, 0.7, 2, clip);
	memset(&l, 0, sizeof(l));
	l.w = &w;
	l.m = (size_t)_i + 1;
	const iso_grad_source source = {.self = &l,
					.nparam = IN,
					.theta = l.theta,
					.grad = l.grad,
					.rows = logistic_count,
					.norms2 = logistic_norms2,
					.weighted_grad = logistic_grad};
	w.s.part[0] = (iso_dpsgd_part){.source = &source};
	tk_ok(iso_dpsgd_init(&w.s, &err));
	tk_ok(iso_dpsgd_step(&w.s, logistic_rows, &l, &err));
	double sum64[IN] = {0};
	size_t clipped = 0;
	for (size_t k = 0; k < w.s.last_batch; k++) {
		double v[IN] = {0}, norm2 = 0;
		for (size_t j = 0; j < l.m; j++) {
			const size_t row = row_of(&w, w.s.batch[k], j);
			for (size_t i = 0; i < IN; i++)
				v[i] += (double)w.target[row] * w.x[row][i];
		}
		for (size_t i = 0; i < IN; i++)
			norm2 += v[i] * v[i];
		clipped += sqrt(norm2) > clip;
		for (size_t i = 0; i < IN; i++)
			sum64[i] += v[i] * fmin(1, clip / sqrt(norm2));
	}
	ck_assert(clipped > 0 && clipped < w.s.last_batch);
	for (size_t i = 0; i < IN; i++)
		tk_assert_close(l.grad[i], sum64[i], 1e-4, 1e-3);
	iso_dpsgd_deinit(&w.s);
	tk_ok(iso_optim_init(&opt, ISO_SGD, 1, IN, &err));
	w.s.part[0].opt = &opt;
	tk_ok(iso_dpsgd_init(&w.s, &err));
	tk_ok(iso_dpsgd_step(&w.s, logistic_rows, &l, &err));
	for (size_t i = 0; i < IN; i++)
		tk_assert_close(l.theta[i], -l.grad[i] / 10, 1e-6, 0);
	iso_optim_deinit(&opt);
	iso_dpsgd_deinit(&w.s);
	const iso_dpsgd good = w.s;
	iso_grad_source broken = source;
	broken.norms2 = NULL;
	w.s.part[0] = (iso_dpsgd_part){.source = &broken};
	tk_fails(iso_dpsgd_init(&w.s, &err), ISO_E_USAGE, "gradient source");
	w.s = good;
	w.s.part[0] = (iso_dpsgd_part){.source = &source, .net = w.net[0]};
	tk_fails(iso_dpsgd_init(&w.s, &err), ISO_E_USAGE, "gradient source");
	w.s = good;
	w.s.part[0].opt = NULL;
	tk_ok(iso_dpsgd_init(&w.s, &err));
	world_end(&w);
}
END_TEST

/* ---- A term of the whole batch (Takahashi et al. 2020) ---- */

#define TERM_C2 0.25f
static float term_size; /* h = term_size * (1, 1, ..., 1) / sqrt(P) */
static size_t term_batch;

static iso_status term_fn(void *ctx, const uint32_t *rec, size_t n, uint64_t step, float *out,
			  iso_error *err)
{
	const size_t params = iso_net_params(((world *)ctx)->net[1]);
	(void)rec, (void)step, (void)err;
	term_batch = n;
	for (size_t i = 0; i < params; i++)
		out[i] = (float)(term_size / sqrt((double)params));
	return ISO_OK;
}

/* A step of both parts with a term on the second; returns the total of parameters. */
static size_t term_step(world *w, double noise, double share, float size)
{
	iso_error err = {0};
	world_nets(w, 2, 1, 1, N);
	world_step(w, noise, 1, 1, 2);
	w->s.term = (iso_batch_term){.grad = term_fn, .part = 1, .clip = TERM_C2, .share = share};
	term_size = size;
	tk_ok(iso_dpsgd_init(&w->s, &err));
	tk_ok(iso_dpsgd_step(&w->s, rows_fn, w, &err));
	ck_assert_uint_eq(term_batch, N);
	return concatenated(w, sum);
}

/* The optimiser's gradient is G + normaliser * clip(h, C2): as without the term, and the term
 * itself.  One that is not finite counts as nothing. */
START_TEST(test_term_is_added)
{
	static const float size[] = {0, 0.1f, 0.25f, 7, 1e30f, INFINITY, NAN};
	static world w;
	for (size_t k = 0; k < ISO_COUNT(size); k++) {
		const size_t total = term_step(&w, TINY, 0.3, size[k]);
		const size_t second = iso_net_params(w.net[1]);
		const double clipped = isfinite(size[k]) ? fmin(size[k], TERM_C2) : 0,
			     each = 10 * clipped / sqrt((double)second);
		if (k == 0)
			memcpy(other, sum, total * sizeof(*sum));
		for (size_t p = 0; p < total; p++)
			tk_assert_close(sum[p] - (double)other[p], p < total - second ? 0 : each,
					1e-3, 1e-4);
		world_end(&w);
	}
}
END_TEST

/* Noise of G: s C / sqrt(1 - f) on every parameter; of normaliser * h: 10 s 2 C2 / sqrt(f) more on
 * those of the second part.  The sample deviations of P > 200 normals lie within 6 / sqrt(2 P). */
START_TEST(test_term_noise)
{
	static const double shares[] = {0.2, 0.5, 0.9};
	static world w;
	const double s = 30, f = shares[_i];
	const size_t total = term_step(&w, TINY, f, 0), second = iso_net_params(w.net[1]),
		     first = total - second;
	memcpy(other, sum, total * sizeof(*sum));
	world_end(&w);
	ck_assert_uint_eq(term_step(&w, s, f, 0), total);
	double var[2] = {0, 0};
	for (size_t p = 0; p < total; p++)
		var[p >= first] +=
			pow(sum[p] - (double)other[p], 2) / (double)(p < first ? first : second);
	const double of_g = s * 2 / sqrt(1 - f), of_h = 10 * s * 2 * TERM_C2 / sqrt(f);
	tk_assert_close(sqrt(var[0]), of_g, 6 / sqrt(2.0 * (double)first), 0);
	tk_assert_close(sqrt(var[1]), sqrt(of_g * of_g + of_h * of_h),
			6 / sqrt(2.0 * (double)second), 0);
	ck_assert_uint_eq(iso_ledger_items(w.ledger)->n, 1);
	ck_assert(iso_ledger_items(w.ledger)->v[0].used == 1);
	world_end(&w);
	/* least at the share that is offered, where the two deviations add up: s (C/B + 2 C2) */
	const double best = iso_batch_term_share(2, 10, TERM_C2),
		     least = 4.0 / 100 / (1 - best) + 4.0 * TERM_C2 * TERM_C2 / best;
	tk_assert_close(sqrt(least), 2.0 / 10 + 2 * TERM_C2, 1e-6, 0);
	for (double share = 0.05; share < 1; share += 0.05)
		ck_assert_double_ge(4.0 / 100 / (1 - share) + 4.0 * TERM_C2 * TERM_C2 / share,
				    least * (1 - 1e-6));
}
END_TEST

/* Opposite terms are 2 C2 apart, which is sqrt(share) of what the step declares; with a record of
 * norm >= C less, all of it, and no more. */
START_TEST(test_term_sensitivity)
{
	static const double want_ratio[] = {0.6, 1};
	iso_error err = {0};
	static world w;
	for (size_t less = 0; less < 2; less++) {
		iso_replay *r;
		tk_ok(iso_replay_new(&r, &err));
		for (int pass = 0; pass < 2; pass++) {
			world_nets(&w, 2, 1, 1, N);
			w.n = N - (pass ? less : 0);
			world_step(&w, 1, 1, 1, 1e-3f);
			w.s.term = (iso_batch_term){
				.grad = term_fn, .part = 1, .clip = TERM_C2, .share = 0.36};
			term_size = pass ? -9 : 9;
			iso_ledger_set_replay(w.ledger, r);
			if (pass)
				iso_replay_rewind(r);
			tk_ok(iso_dpsgd_init(&w.s, &err));
			tk_ok(iso_dpsgd_step(&w.s, rows_fn, &w, &err));
			world_end(&w);
		}
		iso_replay_end(r);
		ck_assert_int_eq(iso_replay_finding(r)->kind, ISO_FINDING_NONE);
		tk_assert_close(iso_replay_worst_ratio(r), want_ratio[less], 1e-4, 0);
		iso_replay_free(r);
	}
}
END_TEST

/* M coupled records: 2 M C is declared, the batch ends at M, and the noise has that scale. */
START_TEST(test_coupled_records)
{
	iso_error err = {0};
	static world w;
	double var = 0;
	for (int noisy = 0; noisy < 2; noisy++) {
		world_nets(&w, 1, 0, 1, N);
		world_step(&w, noisy ? 5 : TINY, 1, 1, 2 * 20 * 0.5f);
		w.s.clip = 0.5f;
		w.s.coupled = 20;
		ck_assert(iso_dpsgd_sensitivity(&w.s) == 20);
		w.calls = w.seen = 0;
		tk_ok(iso_dpsgd_init(&w.s, &err));
		tk_ok(iso_dpsgd_step(&w.s, rows_fn, &w, &err));
		ck_assert_uint_eq(w.seen, 20);
		ck_assert_uint_eq(w.calls, 1);
		ck_assert_uint_eq(w.s.last_batch, 20);
		const size_t total = concatenated(&w, noisy ? sum : other);
		for (size_t p = 0; noisy && p < total; p++)
			var += pow(sum[p] - (double)other[p], 2) / (double)total;
		if (noisy)
			tk_assert_close(sqrt(var), 5 * 20, 6 / sqrt(2.0 * (double)total), 0);
		world_end(&w);
	}
	/* beyond the plan, or in pieces: refused */
	world_nets(&w, 1, 0, 1, N);
	world_step(&w, 1, 1, 1, 1);
	w.s.coupled = 20;
	tk_ok(iso_dpsgd_init(&w.s, &err));
	tk_fails(iso_dpsgd_step(&w.s, rows_fn, &w, &err), ISO_E_BUDGET, "sensitivity");
	iso_dpsgd_deinit(&w.s);
	w.s.coupled = N + 1;
	tk_fails(iso_dpsgd_init(&w.s, &err), ISO_E_USAGE, "coupled");
	w.s.coupled = 0;
	w.s.term = (iso_batch_term){.grad = term_fn, .part = 1, .clip = 1, .share = 0.5};
	tk_fails(iso_dpsgd_init(&w.s, &err), ISO_E_CONFIG, "batch term");
	w.s.term = (iso_batch_term){.grad = term_fn, .part = 0, .clip = 1, .share = 1};
	tk_fails(iso_dpsgd_init(&w.s, &err), ISO_E_CONFIG, "batch term");
	world_end(&w);
}
END_TEST

int main(void)
{
	const int n = (int)ISO_COUNT(forms);
	Suite *s = suite_create("nn/dpsgd");
	TCase *c = tcase_create("step");
	tcase_add_loop_test(c, test_against_oracle, 0, n);
	tcase_add_test(c, test_chunks_same_bits);
	tcase_add_test(c, test_clip_bound);
	tcase_add_test(c, test_poisoned_records);
	tcase_add_test(c, test_neighbours);
	tcase_add_test(c, test_empty_batch_and_budget);
	tcase_add_test(c, test_normaliser_is_public);
	tcase_add_loop_test(c, test_fused_same_bits, 0, n);
	tcase_add_test(c, test_not_private);
	tcase_add_loop_test(c, test_gradient_source, 0, 2);
	tcase_add_test(c, test_term_is_added);
	tcase_add_loop_test(c, test_term_noise, 0, 3);
	tcase_add_test(c, test_term_sensitivity);
	tcase_add_test(c, test_coupled_records);
	tcase_add_test(c, test_refusals);
	suite_add_tcase(s, c);
	return tk_run(s);
}
