// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/student.h"

#include <string.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"

void iso_student_deinit(iso_student *s)
{
	void *const v[] = {s->row, s->label, s->x, s->want, s->votes};
	for (size_t i = 0; i < ISO_COUNT(v); i++)
		iso_free(v[i]);
	iso_ws_free(s->ws);
	iso_optim_deinit(&s->opt);
}

iso_status iso_student_init(iso_student *s, iso_net *net, size_t cap, size_t batch, double lr,
			    iso_key key, iso_error *err)
{
	const size_t outs = iso_net_out(net);
	*s = (iso_student){.net = net,
			   .width = iso_net_in(net),
			   .classes = outs > 1 ? outs : 2,
			   .batch = batch,
			   .cap = cap,
			   .key = iso_key_child(key, "student-batch", 0)};
	s->row = iso_alloc(cap * s->width, sizeof *s->row);
	s->label = iso_alloc(cap, sizeof *s->label);
	s->x = iso_alloc(batch * s->width, sizeof *s->x);
	s->want = iso_alloc(batch * outs, sizeof *s->want);
	s->votes = iso_alloc(cap * s->classes, sizeof *s->votes);
	if (!s->row || !s->label || !s->x || !s->want || !s->votes)
		return iso_no_memory(err, "the student of PATE");
	ISO_TRY(iso_optim_init(&s->opt, ISO_ADAM, (float)lr, iso_net_params(net), err));
	return iso_ws_new(net, batch, 0, &s->ws, err);
}

static size_t majority(const double *votes, size_t classes)
{
	size_t top = 0;
	for (size_t c = 1; c < classes; c++)
		top = votes[c] > votes[top] ? c : top;
	return top;
}

iso_status iso_student_ask(iso_student *s, iso_teachers *t, iso_ledger *l, size_t n, double least,
			   iso_error *err)
{
	const size_t piece = t->cap;
	ISO_FAIL_IF(n > s->cap - s->n, err, ISO_E_INTERNAL,
		    "a student was asked about %zu rows and has room for %zu", n, s->cap - s->n);
	memset(s->votes, 0, n * s->classes * sizeof *s->votes);
	for (size_t at = 0; at < n; at += piece)
		iso_teachers_vote(t, s->row + (s->n + at) * s->width,
				  n - at < piece ? n - at : piece, least,
				  s->votes + at * s->classes);
	ISO_TRY(iso_mech_votes(l, (iso_entry){.why = "votes"}, s->votes, n, s->classes,
			       s->label + s->n, err));
	for (size_t j = 0; j < n; j++)
		s->agree += s->label[s->n + j] == majority(s->votes + j * s->classes, s->classes);
	s->n += n;
	return ISO_OK;
}

double iso_student_step(iso_student *s, size_t fresh)
{
	const iso_key key = iso_key_child(s->key, "step", s->steps++);
	const size_t outs = iso_net_out(s->net);
	for (size_t j = 0; j < s->batch; j++) {
		const size_t from = j % 2 ? s->n - fresh : 0;
		const size_t at = from + (size_t)(iso_rand_u01(key, j, 0) * (double)(s->n - from));
		memcpy(s->x + j * s->width, s->row + at * s->width, s->width * sizeof *s->x);
		if (outs == 1)
			s->want[j] = s->label[at] ? 0.9f : 0.1f;
		else
			iso_one_hot(s->label[at], outs, s->want + j * outs);
	}
	const iso_lesson l = {.loss = outs == 1 ? &iso_loss_bce : &iso_loss_cross_entropy,
			      .x = s->x,
			      .n = s->batch,
			      .target = s->want,
			      .target_ld = outs};
	return iso_lesson_step(s->net, s->ws, &s->opt, &l);
}
