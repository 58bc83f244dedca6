// SPDX-License-Identifier: Apache-2.0
/* Game: membership.  Knowledge: PBB (may choose the latent vector and sees what it decodes to).
 * Source: D. Chen et al., GAN-Leaks, CCS 2020, section 4.3, partial black-box (attacks.md
 * section 2.4).
 *
 *     s(x) = - min over z of d(x, G(z, label of x))
 *
 * From the best of a common pool of latent vectors, by a random search whose step shrinks whenever
 * a candidate is no better: derivative-free as the paper's Powell search, with all targets in one
 * batch.
 */
#include <math.h>
#include <string.h>

#include "attacks/attack.h"
#include "core/base/alloc.h"
#include "core/data/rows.h"

typedef struct opts {
	int64_t pool, rounds;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, pool, "4000", 1, 1000000, "latent vectors tried for every target"),
	ISO_OPT_INT(opts, rounds, "40", 0, 100000, "steps of the search from the best of them"),
	{0}};

typedef struct search {
	const iso_attack_view *v;
	size_t n, d;
	float *z, *try;	 /* owned [n][d]: best so far, candidates */
	double *best;	 /* owned [n] squared distances */
	float *step;	 /* owned [n] */
	uint32_t *label; /* owned [2n], or NULL without classes: of the targets, of the batch */
	size_t classes;
	iso_table *decoded; /* owned [n] */
} search;

static void search_free(search *s)
{
	iso_free(s->z);
	iso_free(s->try);
	iso_free(s->best);
	iso_free(s->step);
	iso_free(s->label);
	iso_table_free(s->decoded);
}

static iso_status search_new(const iso_attack_view *v, search *s, iso_error *err)
{
	const size_t n = v->targets->n, d = v->latent_dim, classes = iso_schema_classes(v->schema);

	/* twice: labels of the targets, labels of the batch */
	*s = (search){.v = v,
		      .n = n,
		      .d = d,
		      .z = iso_alloc(n * d, sizeof(float)),
		      .try = iso_alloc(n * d, sizeof(float)),
		      .best = iso_alloc(n, sizeof(double)),
		      .step = iso_alloc(n, sizeof(float)),
		      .label = classes ? iso_alloc(2 * n, sizeof(uint32_t)) : NULL,
		      .classes = classes};
	if (!s->z || !s->try || !s->best || !s->step || (classes && !s->label))
		return iso_no_memory(err, "a search in latent space");
	for (size_t i = 0; i < n; i++) {
		const size_t c = classes ? iso_table_label(v->targets, i) : 0;

		s->best[i] = INFINITY;
		s->step[i] = 0.5f;
		if (classes)
			s->label[i] = c < classes ? (uint32_t)c : 0;
	}
	return iso_table_new(v->schema, n, &s->decoded, err);
}

/* The candidates under these labels. */
static iso_status decode(search *s, const uint32_t *label, iso_rowset *rows, iso_error *err)
{
	ISO_TRY(s->v->decode(s->v->ctx, s->try, label, s->n, s->decoded, err));
	return iso_rowset_new(s->decoded, rows, err);
}

/* One batch of latent vectors under random labels: every target looks at every row of its label. */
static iso_status try_pool(search *s, iso_stream *normal, float *d2, iso_error *err)
{
	uint32_t *label = s->label ? s->label + s->n : NULL;
	iso_rowset rows = {0};

	for (size_t i = 0; i < s->n * s->d; i++)
		s->try[i] = (float)iso_next_normal(normal);
	for (size_t j = 0; label && j < s->n; j++)
		label[j] = (uint32_t)iso_next_below(normal, s->classes);
	ISO_TRY(decode(s, label, &rows, err));
	for (size_t i = 0; i < s->n; i++) {
		size_t at = SIZE_MAX;

		iso_pair_distances(s->v->encoded->targets, i, &rows, d2);
		for (size_t j = 0; j < s->n; j++)
			if ((double)d2[j] < s->best[i] && (!label || s->label[i] == label[j])) {
				s->best[i] = (double)d2[j];
				at = j;
			}
		if (at != SIZE_MAX)
			memcpy(s->z + i * s->d, s->try + at * s->d, s->d * sizeof(float));
	}
	iso_rowset_free(&rows);
	return ISO_OK;
}

/* A random step of each target, addressed by what its row says: its place must not matter. */
static iso_status refine(search *s, iso_key key, float *d2, iso_error *err)
{
	iso_rowset rows = {0};

	for (size_t i = 0; i < s->n; i++) {
		iso_stream normal =
			iso_stream_new(iso_key_child(key, "row", iso_row_hash(s->v->targets, i)));

		for (size_t k = 0; k < s->d; k++)
			s->try[i * s->d + k] =
				s->z[i * s->d + k] + s->step[i] * (float)iso_next_normal(&normal);
	}
	ISO_TRY(decode(s, s->label, &rows, err));
	for (size_t i = 0; i < s->n; i++) {
		iso_pair_distances(s->v->encoded->targets, i, &rows, d2);
		if ((double)d2[i] < s->best[i]) {
			s->best[i] = (double)d2[i];
			memcpy(s->z + i * s->d, s->try + i * s->d, s->d * sizeof(float));
		} else {
			s->step[i] *= 0.9f;
		}
	}
	iso_rowset_free(&rows);
	return ISO_OK;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	iso_stream normal = iso_stream_new(iso_key_child(v->key, "latent", 0));
	search s = {0};
	float *d2 = NULL;
	iso_status st;

	(void)state;
	ISO_FAIL_IF(!v->decode || !v->latent_dim, err, ISO_E_UNSUPPORTED,
		    "latent-inversion: the generator has no latent access");
	ISO_TRY_OUT(search_new(v, &s, err));
	d2 = iso_alloc(s.n, sizeof(*d2));
	if (!d2) {
		st = iso_no_memory(err, "a search in latent space");
		goto out;
	}
	for (size_t done = 0; done < (size_t)o->pool; done += s.n)
		ISO_TRY_OUT(try_pool(&s, &normal, d2, err));
	for (size_t r = 0; r < (size_t)o->rounds; r++)
		ISO_TRY_OUT(refine(&s, iso_key_child(v->key, "step", r), d2, err));
	for (size_t i = 0; i < s.n; i++) /* no candidate of its label: far away */
		out[i].score = isfinite(s.best[i]) ? -sqrt(s.best[i]) : -1e6;
out:
	iso_free(d2);
	search_free(&s);
	return st;
}

const iso_attack iso_attack_latent_inversion = {
	.abi = ISO_ATTACK_ABI,
	.name = "latent-inversion",
	.title = "Latent inversion (GAN-Leaks, partial black-box)",
	.citation =
		"D. Chen, N. Yu, Y. Zhang, M. Fritz: GAN-Leaks: A Taxonomy of Membership Inference "
		"Attacks against Generative Models. CCS 2020. arXiv:1909.03935",
	.card = "The attacker chooses latent vectors and sees what they decode to; targets that "
		"can be "
		"reached closely are called members. The search starts from the best of a common "
		"pool "
		"and takes random steps, shorter whenever one fails. Deviations: random search in "
		"place of Powell's, no gradient "
		"(white-box) variant, no perceptual distance.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_LATENT,
	.version = 1,
	.knowledge = "PBB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
