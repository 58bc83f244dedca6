// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/answers_train.h"

#include "core/base/alloc.h"
#include "core/nn/loss.h"

void iso_answers_trainer_free(iso_answers_trainer *t)
{
	iso_rows_close(&t->rows);
	iso_ws_free(t->ws);
	iso_optim_deinit(&t->opt);
	iso_dpsgd_deinit(&t->dp);
	iso_free(t->x);
	iso_free(t->want);
}

static iso_status errors(void *ctx, const uint32_t *rec, size_t n, uint64_t step, iso_error *err)
{
	iso_answers_trainer *t = ctx;
	const size_t dim = t->m->enc->dim, classes = t->m->classes;
	(void)step;
	(void)err;
	iso_rows_get(&t->rows, rec, n, t->x, dim);
	for (size_t r = 0; r < n; r++)
		iso_one_hot(t->rows.label[rec[r]], classes, t->want + r * classes);
	iso_net_forward(t->m->net, t->ws, t->x, dim, n, NULL);
	iso_loss_cross_entropy.eval(n, classes, iso_ws_out(t->ws), classes, t->want, classes,
				    iso_ws_delta(t->ws), classes);
	iso_net_backward(t->m->net, t->ws, 0, NULL, 0);
	return ISO_OK;
}

iso_status iso_answers_trainer_init(iso_answers_trainer *t, iso_answers *m, const iso_table *train,
				    const iso_answers_pace *p, iso_error *err)
{
	const double batch = p->rate * p->n;
	const size_t chunk = iso_chunk_of(batch);
	t->m = m;
	t->x = iso_alloc(chunk * m->enc->dim, sizeof *t->x);
	t->want = iso_alloc(chunk * m->classes, sizeof *t->want);
	if (!t->x || !t->want)
		return iso_no_memory(err, "batches of a classifier");
	ISO_TRY(iso_rows_open(&t->rows, train, m->enc, ISO_ROWS_KEEP, err));
	ISO_TRY(iso_ws_new(m->net, chunk, ISO_WS_NORMS, &t->ws, err));
	ISO_TRY(iso_optim_init(&t->opt, p->rule, p->lr, iso_net_params(m->net), err));
	t->dp = (iso_dpsgd){.ledger = p->ledger,
			    .batch_key = p->key,
			    .rate = p->rate,
			    .id = train->id,
			    .n = train->n,
			    .rows_per_record = 1,
			    .chunk = chunk,
			    .clip = p->clip,
			    .normaliser = batch > 1 ? (float)batch : 1,
			    .nparts = 1,
			    .part = {{.net = m->net, .ws = t->ws, .opt = &t->opt}}};
	if (p->ledger)
		ISO_TRY(iso_ledger_find(p->ledger, p->entry, &t->dp.handle, err));
	return iso_dpsgd_init(&t->dp, err);
}

iso_status iso_answers_step(iso_answers_trainer *t, iso_error *err)
{
	return iso_dpsgd_step(&t->dp, errors, t, err);
}
