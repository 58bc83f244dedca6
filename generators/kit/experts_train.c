// SPDX-License-Identifier: Apache-2.0
/* Training experts (experts.h) by the private step. */
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/experts.h"

void iso_expert_rows_free(iso_expert_rows *v)
{
	iso_free(v->x);
	iso_free(v->id);
	iso_free(v->of);
	*v = (iso_expert_rows){0};
}

iso_status iso_expert_rows_new(size_t n, size_t dim, iso_expert_rows *v, iso_error *err)
{
	*v = (iso_expert_rows){.x = iso_alloc(n, dim * sizeof *v->x),
			       .id = iso_alloc(n, sizeof *v->id),
			       .of = iso_alloc(n, sizeof *v->of)};
	return v->x && v->id && v->of ? ISO_OK : iso_no_memory(err, "rows of a cluster");
}

iso_status iso_expert_rows_of(const iso_expert_rows *all, uint32_t c, size_t dim,
			      iso_expert_rows *v, iso_error *err)
{
	ISO_TRY(iso_expert_rows_new(all->n, dim, v, err));
	for (size_t r = 0; r < all->n; r++) {
		if (all->of[r] != c)
			continue;
		memcpy(v->x + v->n * dim, all->x + r * dim, dim * sizeof *v->x);
		v->id[v->n] = all->id[r];
		v->of[v->n++] = c;
	}
	return ISO_OK;
}

typedef struct trainer {
	const iso_expert_rows *v;
	iso_experts e;
	iso_grad_source source;
	iso_dpsgd dp;
} trainer;

static iso_status step_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step, iso_error *err)
{
	trainer *t = ctx;
	(void)err;
	iso_experts_rows(&t->e, t->v->x, t->v->id, t->v->of, rec, n, step);
	return ISO_OK;
}

static iso_status prepare(trainer *t, const iso_expert_job *job, double all, iso_error *err)
{
	const iso_fit *f = job->f;
	ISO_TRY(iso_experts_init(&t->e, &job->nets, job->lo, job->hi, job->bound, iso_chunk_of(all),
				 job->lr, iso_key_child(f->key, "experts", job->lo), err));
	t->source = iso_experts_source(&t->e);
	t->dp = (iso_dpsgd){.ledger = f->ledger,
			    .rate = job->pace.q,
			    .id = t->v->id,
			    .n = t->v->n,
			    .rows_per_record = 1,
			    .chunk = t->e.chunk,
			    .clip = 1,
			    .normaliser = 1,
			    .nparts = 1,
			    .part = {{.source = &t->source}}};
	ISO_TRY(iso_ledger_find(f->ledger, job->entry, &t->dp.handle, err));
	if (job->capped)
		ISO_TRY(iso_pace_spend(f->ledger, t->dp.handle,
				       iso_pace_order(f->env.epsilon, f->env.delta), job->pace,
				       err));
	return iso_dpsgd_init(&t->dp, err);
}

static iso_status run(trainer *t, const iso_expert_job *job, double all, iso_error *err)
{
	const iso_fit *f = job->f;
	const double from = (double)job->lo / (double)job->nets.k,
		     part = (double)(job->hi - job->lo) / (double)job->nets.k;
	for (uint64_t s = 0; s < job->pace.steps; s++) {
		ISO_FAIL_IF(s % 16 == 0 && f->cancelled && f->cancelled(f->cancelled_ctx), err,
			    ISO_E_CANCELLED, "cancelled: in expert %zu; start again", job->lo);
		ISO_TRY(iso_dpsgd_step(&t->dp, step_rows, t, err));
		iso_experts_update(&t->e, job->batch, all);
		if (f->progress && s % 64 == 0)
			iso_progress_update(
				f->progress,
				f->progress->total *
					(from + part * (double)s / (double)job->pace.steps));
	}
	return ISO_OK;
}

iso_status iso_experts_train(const iso_expert_job *job, iso_error *err)
{
	trainer t = {.v = job->rows};
	double all = 0;
	for (size_t c = job->lo; c < job->hi; c++)
		all += job->batch[c];
	iso_status st = prepare(&t, job, all, err);
	if (st == ISO_OK)
		st = run(&t, job, all, err);
	iso_dpsgd_deinit(&t.dp);
	iso_experts_deinit(&t.e);
	return st;
}

void iso_experts_deal(iso_key key, const double *law, size_t k, uint64_t all, uint64_t *steps)
{
	for (uint64_t s = 0; s < all; s++)
		steps[iso_law_draw(law, k, iso_rand_u01(key, s, 0))]++;
}
