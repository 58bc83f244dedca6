// SPDX-License-Identifier: Apache-2.0
/* A D step whose parameters are clipped in groups (groups.h).  Every record's gradient is written
 * out, clipped and scaled group by group; the private step then bounds the whole again, so the
 * sensitivity does not rest on this file. */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/gan_trainer.h"

/* What the private step sees: rows of clipped gradients. */
typedef struct grouped {
	iso_grouping g;
	iso_gan_trainer *t;
	iso_grad_source source;
	float *u, *release; /* [chunk][P], [P] */
	double *square;	    /* [P] mean squares of public gradients */
} grouped;

static size_t rows_left(const void *self)
{
	return iso_ws_rows(((const grouped *)self)->t->at->real);
}

static void norms2(void *self, size_t m, int beta, float *norm2)
{
	grouped *const q = self;
	iso_ws *const ws = q->t->at->real;
	for (size_t r = 0, n = iso_ws_rows(ws) / m; r < n; r++) {
		float *const u = q->u + r * q->g.nparam;
		iso_net_record_grad(q->t->at->net, ws, m, r, u);
		norm2[r] = (float)((beta ? norm2[r] : 0) + iso_grouping_apply(&q->g, u)) *
			   (1 + 0x1p-22f);
	}
}

static void weighted_grad(void *self, const float *scale, int beta, float *grad)
{
	grouped *const q = self;
	const size_t m = q->t->per, p = q->g.nparam, n = rows_left(self) / m;
	if (!beta)
		memset(grad, 0, p * sizeof *grad);
	for (size_t r = 0; r < n; r++) {
		const float s = scale[r * m];
		const float *const u = q->u + r * p;
		for (size_t k = 0; s != 0 && k < p; k++)
			grad[k] += s * u[k];
	}
}

static grouped *state_of(iso_gan_trainer *t)
{
	return (grouped *)t->groups; /* its first member */
}

iso_status iso_gan_group_init(iso_gan_trainer *t, iso_error *err)
{
	const iso_gan_options *o = &t->s->o;
	const size_t p = iso_net_params(t->at->net);
	grouped *const q = iso_alloc(1, sizeof *q);
	if (!q)
		return iso_no_memory(err, "groups of parameters");
	t->groups = &q->g;
	q->t = t;
	q->u = iso_alloc(t->chunk * p, sizeof *q->u);
	q->release = iso_alloc(p, sizeof *q->release);
	q->square = iso_alloc(p, sizeof *q->square);
	if (!q->u || !q->release || !q->square)
		return iso_no_memory(err, "groups of parameters");
	ISO_TRY(iso_grouping_init(&q->g, p, err));
	q->source = (iso_grad_source){.self = q,
				      .nparam = p,
				      .grad = q->release,
				      .rows = rows_left,
				      .norms2 = norms2,
				      .weighted_grad = weighted_grad};
	if (o->cluster != ISO_CLUSTER_EACH)
		return ISO_OK;
	ISO_TRY(iso_grouping_tensors(&q->g, t->at->net, 0, err));
	for (size_t j = 0; j < q->g.n; j++)
		q->g.bound[j] = o->clip;
	iso_grouping_allocate(&q->g, ISO_ALLOCATE_EQUAL,
			      o->clip * sqrt((double)q->g.n)); /* all scales 1 */
	return ISO_OK;
}

void iso_gan_group_free(iso_gan_trainer *t)
{
	grouped *const q = t->groups ? state_of(t) : NULL;
	if (!q)
		return;
	iso_grouping_free(&q->g);
	iso_free(q->u);
	iso_free(q->release);
	iso_free(q->square);
	iso_free(q);
	t->groups = NULL;
}

/* bound_j = mean over n public records of |g_j|, at least the floor. */
static void mean_norms(iso_gan_trainer *t, size_t n)
{
	grouped *const q = state_of(t);
	double sum[ISO_GROUPS_MAX] = {0}, norm[ISO_GROUPS_MAX];
	for (size_t r = 0; r < n; r++) {
		iso_net_record_grad(t->at->net, t->fake, t->per, r, q->release);
		iso_grouping_norms(&q->g, q->release, norm);
		for (size_t j = 0; j < q->g.n; j++)
			sum[j] += norm[j];
	}
	for (size_t j = 0; j < q->g.n; j++) {
		const double c = sum[j] / (double)n;
		q->g.bound[j] = c > t->s->o.bound_floor ? c : t->s->o.bound_floor;
	}
}

static void mean_squares(iso_gan_trainer *t, size_t n)
{
	grouped *const q = state_of(t);
	memset(q->square, 0, q->g.nparam * sizeof *q->square);
	for (size_t r = 0; r < n; r++) {
		iso_net_record_grad(t->at->net, t->fake, t->per, r, q->release);
		for (size_t k = 0; k < q->g.nparam; k++)
			q->square[k] += (double)q->release[k] * (double)q->release[k] / (double)n;
	}
}

/* With bound=fixed the groups and the ratios of their bounds are those of the first step, at a root
 * sum of squares of `clip`. */
static void fix_bounds(iso_grouping *g, double clip)
{
	double sum = 0;
	for (size_t j = 0; j < g->n; j++)
		sum += g->bound[j] * g->bound[j];
	for (size_t j = 0; j < g->n; j++)
		g->bound[j] *= clip / sqrt(sum);
}

iso_status iso_gan_regroup(iso_gan_trainer *t, uint64_t step, iso_error *err)
{
	const iso_gan_options *o = &t->s->o;
	grouped *const q = state_of(t);
	const size_t all = iso_gan_public_batch(t), n = all < 64 ? all : 64;
	const int moves = o->bound == ISO_BOUND_PUBLIC && step % (uint64_t)o->regroup == 0;
	if (o->cluster == ISO_CLUSTER_EACH || (step > 0 && !moves))
		return ISO_OK;
	t->unit = 1;
	iso_gan_judge_public(t, step, n);
	if (o->cluster == ISO_CLUSTER_COORDINATE) {
		mean_squares(t, n);
		iso_grouping_coordinates(&q->g, q->square, (size_t)o->groups);
	} else {
		ISO_TRY(iso_grouping_tensors(&q->g, t->at->net,
					     o->cluster == ISO_CLUSTER_WEIGHT_BIAS, err));
	}
	mean_norms(t, n);
	if (o->cluster == ISO_CLUSTER_TENSOR)
		iso_grouping_merge(&q->g, (size_t)o->groups);
	if (o->bound == ISO_BOUND_FIXED)
		fix_bounds(&q->g, o->clip);
	iso_grouping_allocate(&q->g, o->allocation, o->clip);
	return ISO_OK;
}

const iso_grad_source *iso_gan_group_source(iso_gan_trainer *t)
{
	return &state_of(t)->source;
}

iso_status iso_gan_group_step(iso_gan_trainer *t, iso_error *err)
{
	grouped *const q = state_of(t);
	ISO_TRY(iso_dpsgd_step(&t->at->dp, iso_gan_disc_rows, t, err));
	for (size_t k = 0; !iso_gan_paired(t) && k < q->g.nparam; k++)
		q->release[k] += t->sum[k];
	iso_grouping_undo(&q->g, q->release);
	iso_optim_step(&t->at->opt, iso_net_theta(t->at->net), q->release,
		       1.0f / t->at->dp.normaliser);
	return ISO_OK;
}
