// SPDX-License-Identifier: Apache-2.0
/* Game: membership.  Knowledge: NB and auxiliary rows R of the population.
 * Source: B. van Breugel et al., DOMIAS, AISTATS 2023, equation 2 (attacks.md section 2.5).
 *
 *     s(x) = log p_S(x) - log p_R(x)
 *
 * In logs, because the ratio of two underflows is 0/0.  Densities:
 *
 *     loo     Gaussian kernels whose bandwidth maximises the leave-one-out likelihood
 *             (core/learn/kde.h)
 *     scott   Gaussian kernels with the full covariance and Scott's factor on the first ten
 *             principal axes of R, as the authors' code (attacks/kit/scott.h)
 *     normal  scott for S; for R one normal with independent axes, the paper's "prior"
 *
 * The ablation without R ("equation 1", p_S alone) is the attack `density`.
 */
#include "attacks/attack.h"
#include "attacks/kit/scott.h"
#include "core/base/alloc.h"
#include "core/learn/kde.h"

#define AXES 10
#define RIDGE 1e-6

enum { LOO, SCOTT, NORMAL };
typedef struct opts {
	double bandwidth;
	int density;
} opts;
static const iso_option options[] = {
	ISO_OPT_REAL(opts, bandwidth, "0", 0, 100,
		     "loo: bandwidth of both kernels; 0 = of each table by leave-one-out "
		     "likelihood"),
	ISO_OPT_ENUM(opts, density, "loo", "loo|scott|normal",
		     "loo: kernels by leave-one-out; scott: full covariance on principal axes; "
		     "normal: the same, with one normal for the population"),
	{0}};

/* Adds sign * log density of the rows at the targets. */
static iso_status add_density(const iso_attack_view *v, const opts *o, const iso_rowset *rows,
			      double sign, double *p, iso_guess *out, iso_error *err)
{
	iso_kde k;

	ISO_TRY(iso_kde_init(&k, rows, o->bandwidth, iso_key_child(v->key, "bandwidth", 0), err));
	ISO_TRY(iso_kde_log_density(&k, v->encoded->targets, p, err));
	for (size_t i = 0; i < v->targets->n; i++)
		out[i].score += sign * p[i];
	return ISO_OK;
}

static iso_status by_leave_one_out(const iso_attack_view *v, const opts *o, double *p,
				   iso_guess *out, iso_error *err)
{
	for (size_t i = 0; i < v->targets->n; i++)
		out[i].score = 0;
	ISO_TRY(add_density(v, o, v->encoded->synthetic, 1, p, out, err));
	return add_density(v, o, v->encoded->auxiliary, -1, p, out, err);
}

/* Rows of t on the axes: *out new, [t->n][q]. */
static iso_status on_axes(const iso_encoder *e, const iso_axes *a, const iso_table *t, double **out,
			  iso_error *err)
{
	float *x;

	ISO_TRY(iso_encode_new(e, t, &x, err));
	*out = iso_alloc(t->n * a->q, sizeof(**out));
	if (*out)
		iso_axes_project(a, x, t->n, *out);
	iso_free(x);
	return *out ? ISO_OK : iso_no_memory(err, "densities");
}

static iso_status on_principal_axes(const iso_attack_view *v, const opts *o, const iso_encoder *e,
				    double *p, iso_guess *out, iso_error *err)
{
	const size_t n = v->targets->n, ns = v->synthetic->n, nr = v->auxiliary->n;
	double *s = NULL, *r = NULL, *x = NULL;
	float *rows = NULL;
	iso_axes a = {0};
	iso_status st;

	ISO_TRY_OUT(iso_encode_new(e, v->auxiliary, &rows, err));
	ISO_TRY_OUT(iso_axes_fit(rows, nr, e->dim, AXES, &a, err));
	ISO_TRY_OUT(on_axes(e, &a, v->synthetic, &s, err));
	ISO_TRY_OUT(on_axes(e, &a, v->auxiliary, &r, err));
	ISO_TRY_OUT(on_axes(e, &a, v->targets, &x, err));
	ISO_TRY_OUT(iso_scott_log_density(s, ns, a.q, RIDGE, x, n, p, err));
	for (size_t i = 0; i < n; i++)
		out[i].score = p[i];
	if (o->density == NORMAL)
		iso_normal_log_density(r, nr, a.q, x, n, p);
	else
		ISO_TRY_OUT(iso_scott_log_density(r, nr, a.q, RIDGE, x, n, p, err));
	for (size_t i = 0; i < n; i++)
		out[i].score -= p[i];
out:
	iso_axes_free(&a);
	iso_free(rows);
	iso_free(s);
	iso_free(r);
	iso_free(x);
	return st;
}

static iso_status guess(const iso_attack_view *v, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;
	iso_encoder *e = NULL;
	double *p;
	iso_status st;

	(void)state;
	ISO_FAIL_IF(!v->synthetic || v->synthetic->n < 2 || !v->auxiliary || v->auxiliary->n < 2,
		    err, ISO_E_UNSUPPORTED, "domias: synthetic and auxiliary rows are needed");
	p = iso_alloc(v->targets->n, sizeof(*p));
	if (!p)
		return iso_no_memory(err, "densities");
	if (o->density == LOO) {
		st = by_leave_one_out(v, o, p, out, err);
		goto out;
	}
	ISO_TRY_OUT(iso_encoder_new(v->schema, ISO_ENC_FEATURES | ISO_ENC_LABEL | ISO_ENC_ATTACK,
				    &e, err));
	if (e->dim > ISO_SCOTT_WIDEST)
		st = iso_fail(err, ISO_E_UNSUPPORTED,
			      "domias: %zu encoded columns, at most %d with density=%s; use "
			      "density=loo",
			      e->dim, ISO_SCOTT_WIDEST, o->density == SCOTT ? "scott" : "normal");
	else
		st = on_principal_axes(v, o, e, p, out, err);
out:
	iso_encoder_free(e);
	iso_free(p);
	return st;
}

const iso_attack iso_attack_domias = {
	.abi = ISO_ATTACK_ABI,
	.name = "domias",
	.title = "Density ratio (DOMIAS)",
	.citation =
		"B. van Breugel, H. Sun, Z. Qian, M. van der Schaar: Membership Inference Attacks "
		"against Synthetic Data through Overfitting Detection. AISTATS 2023. "
		"arXiv:2302.12580",
	.card = "Members are where the generator is denser than the population: the log of the "
		"ratio "
		"of two Gaussian kernel densities, of the released table and of the attacker's own "
		"rows. By default the bandwidths maximise the leave-one-out likelihood; "
		"density=scott "
		"is Scott's rule as in the authors' code, density=normal its prior. Deviation: no "
		"normalising flow.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.knows = ISO_KNOWS_SYNTHETIC | ISO_KNOWS_AUXILIARY,
	.version = 2,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};
