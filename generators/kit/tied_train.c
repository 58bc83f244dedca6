// SPDX-License-Identifier: Apache-2.0
/* Training a tied auto-encoder by the private step. */
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/rows.h"
#include "generators/kit/tied_train.h"

typedef struct trainer {
	const iso_tied_job *job;
	iso_tied_ws ws;
	iso_grad_source source;
	iso_optim opt;
	iso_average mean;
	iso_dpsgd dp;
} trainer;

static iso_status tied_rows(void *ctx, const uint32_t *rec, size_t n, uint64_t step, iso_error *err)
{
	trainer *t = ctx;
	const size_t dim = t->job->net->size[0];
	(void)step;
	(void)err;
	for (size_t r = 0; r < n; r++)
		memcpy(t->ws.h[0] + r * dim, t->job->x + rec[r] * dim, dim * sizeof(float));
	iso_tied_backward(&t->ws, t->ws.h[0], n, NULL);
	return ISO_OK;
}

static iso_status prepare(trainer *t, iso_error *err)
{
	const iso_tied_job *j = t->job;
	const iso_fit *f = j->f;
	const double batch = j->pace.q * j->rows;
	const size_t chunk = iso_chunk_of(batch);
	ISO_TRY(iso_tied_ws_new(j->net, chunk, &t->ws, err));
	ISO_TRY(iso_optim_init(&t->opt, ISO_ADAM, iso_pace_lr(j->lr, j->pace), j->net->nparam,
			       err));
	ISO_TRY(iso_average_begin(&t->mean, j->net->nparam, j->average, j->pace.steps, err));
	t->source = iso_tied_source(j->net, &t->ws);
	t->dp = (iso_dpsgd){.ledger = j->ledger,
			    .batch_key = iso_key_child(f->key, "batch", (uint64_t)j->entry.part),
			    .rate = j->pace.q,
			    .id = j->id,
			    .n = j->n,
			    .rows_per_record = 1,
			    .chunk = chunk,
			    .clip = (float)j->clip,
			    .normaliser = batch > 1 ? (float)batch : 1,
			    .nparts = 1,
			    .part = {{.opt = &t->opt, .source = &t->source}}};
	if (j->ledger)
		ISO_TRY(iso_ledger_find(j->ledger, j->entry, &t->dp.handle, err));
	if (j->ledger && j->capped)
		ISO_TRY(iso_pace_spend(j->ledger, t->dp.handle,
				       iso_pace_order(f->env.epsilon, f->env.delta), j->pace, err));
	return iso_dpsgd_init(&t->dp, err);
}

static iso_status run(trainer *t, iso_error *err)
{
	const iso_tied_job *j = t->job;
	const iso_fit *f = j->f;
	for (uint64_t step = 0; step < j->pace.steps; step++) {
		ISO_FAIL_IF(step % 16 == 0 && f->cancelled && f->cancelled(f->cancelled_ctx), err,
			    ISO_E_CANCELLED, "cancelled: in part %d; start again", j->entry.part);
		ISO_TRY(iso_dpsgd_step(&t->dp, tied_rows, t, err));
		iso_average_add(&t->mean, j->net->theta, step);
		if (f->progress && step % 64 == 0)
			iso_progress_update(f->progress,
					    f->progress->total *
						    ((double)j->entry.part +
						     (double)step / (double)j->pace.steps) /
						    (double)j->parts);
	}
	iso_average_end(&t->mean, j->net->theta);
	return ISO_OK;
}

iso_status iso_tied_train(const iso_tied_job *job, iso_error *err)
{
	trainer t = {.job = job};
	iso_status st = prepare(&t, err);
	if (st == ISO_OK)
		st = run(&t, err);
	iso_tied_ws_free(&t.ws);
	iso_optim_deinit(&t.opt);
	iso_average_end(&t.mean, NULL);
	iso_dpsgd_deinit(&t.dp);
	return st;
}
