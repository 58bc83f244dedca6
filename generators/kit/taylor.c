// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/taylor.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/math/linalg.h"
#include "core/math/vmath.h"

static int is_category(const iso_block *b)
{
	return b->kind == ISO_BLOCK_ONEHOT;
}

static size_t triangle(size_t n)
{
	return n * (n + 1) / 2;
}

void iso_taylor_free(iso_taylor *t)
{
	double *const p[] = {t->w, t->c, t->sum, t->mean, t->chol, t->first, t->slope, t->sd};
	for (size_t i = 0; i < ISO_COUNT(p); i++)
		iso_free(p[i]);
	*t = (iso_taylor){0};
}

size_t iso_taylor_sums(const iso_taylor *t)
{
	return (t->code + 1) * t->in + triangle(t->code + 1) + t->nnumber;
}

/* The one-hot block that input j belongs to, or NULL. */
static const iso_block *category_of(const iso_taylor *t, size_t j)
{
	for (size_t b = 0; t->enc && b < t->enc->nblock; b++) {
		const iso_block *k = &t->enc->block[b];
		if (is_category(k) && j >= k->first && j < k->first + k->width)
			return k;
	}
	return NULL;
}

static void draw_encoder(iso_taylor *t, iso_key key)
{
	const size_t blocks = t->enc ? t->enc->nblock : t->in;
	const double sd = 2 / sqrt((double)blocks);
	for (size_t k = 0; k < t->code; k++) {
		iso_stream s = iso_stream_new(iso_key_child(key, "unit", k));
		t->c[k] = 0.5 * iso_next_normal(&s);
		for (size_t j = 0; j < t->in; j++) {
			t->w[k * t->in + j] = sd * iso_next_normal(&s);
			const iso_block *const own = category_of(t, j);
			/* the middle of the public domain */
			t->c[k] -= t->w[k * t->in + j] * (own ? 1 / (double)own->width : 0.5);
		}
	}
}

iso_status iso_taylor_new(const iso_encoder *enc, size_t in, size_t code, double radius,
			  iso_key key, iso_taylor *t, iso_error *err)
{
	*t = (iso_taylor){.enc = enc, .in = in, .code = code, .radius = radius};
	for (size_t b = 0; enc && b < enc->nblock; b++)
		t->nnumber += enc->block[b].kind == ISO_BLOCK_NUMERIC;
	t->w = iso_alloc(code, in * sizeof *t->w);
	t->c = iso_alloc(code, sizeof *t->c);
	t->sum = iso_alloc(iso_taylor_sums(t), sizeof *t->sum);
	t->mean = iso_alloc(code, sizeof *t->mean);
	t->chol = iso_alloc(code, code * sizeof *t->chol);
	t->first = iso_alloc(in, sizeof *t->first);
	t->slope = iso_alloc(code, in * sizeof *t->slope);
	t->sd = iso_alloc(t->nnumber + 1, sizeof *t->sd);
	if (!t->w || !t->c || !t->sum || !t->mean || !t->chol || !t->first || !t->slope || !t->sd) {
		iso_taylor_free(t);
		return iso_no_memory(err, "a Taylor auto-encoder");
	}
	draw_encoder(t, key);
	return ISO_OK;
}

/* Largest |t - u|: in L2, and in L1. */
static double target_bound(const iso_taylor *t, iso_norm norm)
{
	double squares = t->enc ? 0 : 0.25 * (double)t->in, sum = t->enc ? 0 : 0.5 * (double)t->in;
	for (size_t b = 0; t->enc && b < t->enc->nblock; b++) {
		const iso_block *k = &t->enc->block[b];
		squares += is_category(k) ? 1 : 0.25 * (double)k->width;
		sum += is_category(k) ? 1 : 0.5 * (double)k->width;
	}
	return norm == ISO_NORM_L2 ? sqrt(squares) : sum;
}

size_t iso_taylor_blocks(const iso_taylor *t, iso_norm norm, iso_sum_block block[3])
{
	const double r2 = 1 + t->radius * t->radius, /* |h|_2^2, and |h|_1: */
		h1 = 1 + t->radius * sqrt((double)t->code);
	const int l2 = norm == ISO_NORM_L2;
	block[0] = (iso_sum_block){.dim = (t->code + 1) * t->in,
				   .clip = (l2 ? sqrt(r2) : h1) * target_bound(t, norm),
				   .norm = norm,
				   .share = 0.6};
	block[1] = (iso_sum_block){.dim = triangle(t->code + 1),
				   .clip = l2 ? r2 : (h1 * h1 + r2) / 2,
				   .norm = norm,
				   .share = 0.3};
	block[2] = (iso_sum_block){.dim = t->nnumber,
				   .clip = (l2 ? sqrt((double)t->nnumber) : (double)t->nnumber) / 4,
				   .norm = norm,
				   .share = 0.1};
	return t->nnumber ? 3 : 2;
}

void iso_taylor_code(const iso_taylor *t, const double *u, double *g)
{
	double norm = 0;
	for (size_t k = 0; k < t->code; k++) {
		g[k] = iso_tanh((t->c[k] + iso_ddot(t->in, t->w + k * t->in, u)) / 2);
		norm += g[k] * g[k];
	}
	norm = sqrt(norm);
	for (size_t k = 0; norm > t->radius && k < t->code; k++)
		g[k] *= t->radius / norm;
}

void iso_taylor_record(const iso_taylor *t, const double *u, double *work, double *x)
{
	double *a = x, *m = x + (t->code + 1) * t->in, *q = m + triangle(t->code + 1);
	iso_taylor_code(t, u, work);
	for (size_t j = 0; j < t->in; j++)
		a[j] = 0.5 - u[j];
	for (size_t b = 0; t->enc && b < t->enc->nblock; b++) {
		const iso_block *k = &t->enc->block[b];
		for (size_t j = k->first; is_category(k) && j < k->first + k->width; j++)
			a[j] = -u[j];
		if (k->kind == ISO_BLOCK_NUMERIC)
			*q++ = a[k->first] * a[k->first];
	}
	for (size_t i = 1; i <= t->code; i++)
		for (size_t j = 0; j < t->in; j++)
			a[i * t->in + j] = work[i - 1] * a[j];
	for (size_t i = 0; i <= t->code; i++)
		for (size_t j = i; j <= t->code; j++)
			*m++ = (i ? work[i - 1] : 1) * (j ? work[j - 1] : 1);
}

/* ---- The decoder ---- */

/* cov [b][b] = sum (g - mean)(g - mean)^T, not yet positive; t->mean from the first row of M. */
static void centre_codes(iso_taylor *t, double *cov)
{
	const double *m = t->sum + (t->code + 1) * t->in;
	t->rows = m[0] > 1 ? m[0] : 1;
	for (size_t k = 0; k < t->code; k++)
		t->mean[k] = fmax(-1, fmin(1, m[1 + k] / t->rows));
	m += t->code + 1;
	for (size_t i = 0; i < t->code; i++)
		for (size_t j = i; j < t->code; j++)
			cov[i * t->code + j] = cov[j * t->code + i] =
				*m++ - t->rows * t->mean[i] * t->mean[j];
}

/* cov without its part below zero, spectrum not below 1e-6 rows (Zhang et al. 2012, section 6,
 * trims in the same way). */
static iso_status trim(const iso_taylor *t, double *cov, iso_error *err)
{
	const size_t b = t->code;
	iso_status st;
	double *a = iso_alloc(b, b * sizeof *a), *v = iso_alloc(b, b * sizeof *v),
	       *value = iso_alloc(b, sizeof *value);
	if (!a || !v || !value) {
		st = iso_no_memory(err, "a covariance");
		goto out;
	}
	memcpy(a, cov, b * b * sizeof *a);
	ISO_TRY_OUT(iso_eigen_symmetric(a, b, value, v, err));
	memset(cov, 0, b * b * sizeof *cov);
	for (size_t k = 0; k < b; k++) {
		const double top = fmax(value[k], 1e-6 * t->rows);
		for (size_t i = 0; i < b; i++)
			for (size_t j = 0; j < b; j++)
				cov[i * b + j] += top * v[k * b + i] * v[k * b + j];
	}
out:
	iso_free(a);
	iso_free(v);
	iso_free(value);
	return st;
}

/* t->first, and t->slope = sum over records of (u_j - mean_j) g: from A, whose target is t - u. */
static void centre_outputs(iso_taylor *t)
{
	const double *a = t->sum, *m = t->sum + (t->code + 1) * t->in;
	for (size_t j = 0; j < t->in; j++) {
		const double target = category_of(t, j) ? 0 : 0.5;
		t->first[j] = fmax(0, fmin(1, target - a[j] / t->rows));
		/* sum g (t - u) = t sum g - sum g u */
		for (size_t i = 0; i < t->code; i++)
			t->slope[i * t->in + j] =
				(target - t->first[j]) * m[1 + i] - a[(i + 1) * t->in + j];
	}
}

/* Variance of each number that the decoder leaves: its own less what the codes explain. */
static void deviations(iso_taylor *t, const double *cov)
{
	const double *q = t->sum + (t->code + 1) * t->in + triangle(t->code + 1);
	for (size_t b = 0, n = 0; t->enc && b < t->enc->nblock; b++) {
		const iso_block *k = &t->enc->block[b];
		if (k->kind != ISO_BLOCK_NUMERIC)
			continue;
		const double off = t->first[k->first] - 0.5;
		double var = q[n] / t->rows - off * off;
		for (size_t i = 0; i < t->code; i++)
			for (size_t j = 0; j < t->code; j++)
				var -= cov[i * t->code + j] / t->rows *
				       t->slope[i * t->in + k->first] *
				       t->slope[j * t->in + k->first];
		t->sd[n++] = sqrt(fmax(0, fmin(0.25, var)));
	}
}

/* (cov + ridge I) slope = sum (g - mean) u^T, in place, column by column. */
static iso_status solve_slopes(iso_taylor *t, const double *cov, double *l, iso_error *err)
{
	const size_t b = t->code;
	iso_status st = ISO_OK;
	double *col = iso_alloc(b, sizeof *col);
	if (!col)
		return iso_no_memory(err, "a decoder");
	memcpy(l, cov, b * b * sizeof *l);
	for (size_t k = 0; k < b; k++)
		l[k * b + k] += t->noise * sqrt((double)b);
	ISO_TRY_OUT(iso_cholesky(l, b, err));
	for (size_t j = 0; j < t->in; j++) {
		for (size_t i = 0; i < b; i++)
			col[i] = t->slope[i * t->in + j];
		iso_cholesky_solve(l, b, col);
		for (size_t i = 0; i < b; i++)
			t->slope[i * t->in + j] = col[i];
	}
out:
	iso_free(col);
	return st;
}

iso_status iso_taylor_solve(iso_taylor *t, iso_error *err)
{
	const size_t b = t->code;
	iso_status st;
	double *cov = iso_alloc(b, b * sizeof *cov);
	if (!cov)
		return iso_no_memory(err, "a covariance");
	centre_codes(t, cov);
	ISO_TRY_OUT(trim(t, cov, err));
	centre_outputs(t);
	ISO_TRY_OUT(solve_slopes(t, cov, t->chol, err));
	deviations(t, cov);
	for (size_t i = 0; i < b * b; i++)
		t->chol[i] = cov[i] / t->rows;
	ISO_TRY_OUT(iso_cholesky(t->chol, b, err));
out:
	iso_free(cov);
	return st;
}

/* ---- Draws ---- */

void iso_taylor_draw(const iso_taylor *t, iso_key key, uint64_t row, double *g)
{
	iso_stream s = iso_stream_new(iso_key_child(key, "code", row));
	const size_t b = t->code;
	memcpy(g, t->mean, b * sizeof *g);
	for (size_t j = 0; j < b; j++) {
		const double e = iso_next_normal(&s);
		for (size_t i = j; i < b; i++)
			g[i] += t->chol[i * b + j] * e;
	}
	for (size_t i = 0; i < b; i++)
		g[i] = fmax(-1, fmin(1, g[i]));
}

void iso_taylor_decode(const iso_taylor *t, const double *g, double *u)
{
	memcpy(u, t->first, t->in * sizeof *u);
	for (size_t i = 0; i < t->code; i++)
		for (size_t j = 0; j < t->in; j++)
			u[j] += (g[i] - t->mean[i]) * t->slope[i * t->in + j];
	for (size_t j = 0; j < t->in; j++)
		u[j] = fmax(0, fmin(1, u[j]));
}

/* ---- Save and load ---- */

void iso_taylor_save(iso_str *out, const iso_taylor *t)
{
	iso_part_add(out, "encoder", t->w, t->code * t->in * sizeof *t->w);
	iso_part_add(out, "offset", t->c, t->code * sizeof *t->c);
	iso_part_add(out, "noise", &t->noise, sizeof t->noise);
	iso_part_add(out, "coefficients", t->sum, iso_taylor_sums(t) * sizeof *t->sum);
}

iso_status iso_taylor_take(iso_parts *in, iso_taylor *t, iso_error *err)
{
	ISO_TRY(iso_part_take(in, "encoder", t->w, t->code * t->in * sizeof *t->w, err));
	ISO_TRY(iso_part_take(in, "offset", t->c, t->code * sizeof *t->c, err));
	ISO_TRY(iso_part_take(in, "noise", &t->noise, sizeof t->noise, err));
	ISO_TRY(iso_part_take(in, "coefficients", t->sum, iso_taylor_sums(t) * sizeof *t->sum,
			      err));
	return iso_taylor_solve(t, err);
}
