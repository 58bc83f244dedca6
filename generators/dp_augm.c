// SPDX-License-Identifier: Apache-2.0
/* dp-augm: a private auto-encoder whose released encoder transforms public rows (Chen et al. 2018).
 *
 * ALGORITHM (their DP-AuGM; kit/tied_train.h).
 *   1. An auto-encoder of the features of the PRIVATE rows by DP-SGD; labels take no part.
 *   2. PUBLIC rows of the same schema go through it.  variant=recon: (dec(enc(x)), y) of each;
 *      boot: with N(0, tau^2) on the code; public_only: the public rows themselves, the control
 * that shows what they are worth alone.  The paper's own output are the codes with the public
 *      labels: the model's `encode` gives them, of these and of test rows.
 *   Sample: row i from public row i, beyond their number with replacement.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one PRIVATE record.  "ae-step": T Poisson-subsampled
 * Gaussians, encoder and decoder (tied) under one clip.  Encoding public rows by the released
 * network is post-processing.  Public rows have NO protection: their reconstructions may be near
 * copies.  variant=public_only reads no private row and releases nothing.
 *
 * DEVIATIONS.  Layer sizes are not stated: d-128-min(64, d/2), images 784-256-64; tied weights,
 * codes in [0,1].  recon and boot are ours: other metrics need rows in the original schema.
 *
 * COST.  As one part of dp-syn.
 */
#include <math.h>
#include <string.h>

#include "core/base/alloc.h"
#include "generators/kit/rows.h"
#include "generators/kit/tied_train.h"

enum { RECON, BOOT, PUBLIC_ONLY };

typedef struct opts {
	int variant;
	int64_t hidden[ISO_OPT_LIST_MAX + 1];
	int64_t latent, batch, epochs;
	double lr, clip, average, tau;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, variant, "recon", "recon|boot|public_only",
		     "what becomes of a public row: its reconstruction; with noise on its code; "
		     "itself (the control)"),
	ISO_OPT_INTS(opts, hidden, "", 1, 8192,
		     "hidden layers of the encoder; empty: 128, and 256 for images"),
	ISO_OPT_INT(opts, latent, "0", 0, 1024,
		    "dimensions of a code; 0: half the row's width, at most 64"),
	ISO_OPT_INT(opts, batch, "0", 0, 65536, "expected batch; 0: 256, at most n/8"),
	ISO_OPT_INT(opts, epochs, "30", 0, 100000, "passes; 0: 50, but at least 2400 steps"),
	ISO_OPT_REAL(opts, lr, "0", 0, 100, "learning rate (Adam); 0: 4/steps within [1e-3, 1e-2]"),
	ISO_OPT_REAL(opts, clip, "1", 1e-6, 1e6, "L2 bound C of a record's gradient"),
	ISO_OPT_REAL(opts, average, "0.2", 0, 1,
		     "horizon of the average of the weights as a share of the steps; 0: none"),
	ISO_OPT_REAL(opts, tau, "0.05", 0, 1, "noise on the codes (variant=boot)"),
	{0},
};

typedef struct model {
	int variant;
	double tau;
	iso_encoder *enc; /* of the features; owned */
	iso_heads heads;
	iso_tied net;
	iso_table *rows; /* copy of the public rows; owned */
} model;

static void destroy(void *model_)
{
	model *m = model_;
	if (!m)
		return;
	iso_tied_free(&m->net);
	iso_table_free(m->rows);
	iso_encoder_free(m->enc);
	iso_free(m);
}

static iso_status resolve(const iso_gen_env *env, void *options_, iso_error *err)
{
	opts *o = options_;
	size_t dim = 0;
	ISO_TRY(iso_rows_width(env->schema, ISO_ENC_FEATURES, &dim, err));
	if (o->hidden[0] == 0) {
		o->hidden[0] = 1;
		o->hidden[1] = dim >= 300 ? 256 : 128;
	}
	if (o->latent == 0)
		o->latent = dim >= 128 ? 64 : dim > 1 ? (int64_t)dim / 2 : 1;
	o->batch = (int64_t)iso_batch_of((size_t)o->batch, 256, env->n ? env->n : 1);
	o->lr = (double)iso_pace_lr(o->lr,
				    iso_pace_of((size_t)o->batch, (size_t)o->epochs, env->n));
	return ISO_OK;
}

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const opts *o = env->options;
	ISO_FAIL_IF(env->n == 0, err, ISO_E_DATA,
		    "no rows (dp-augm): the training table is empty; give it at least one row");
	ISO_FAIL_IF((size_t)o->hidden[0] + 1 > ISO_TIED_LAYERS, err, ISO_E_CONFIG,
		    "hidden (dp-augm): %d layers, at most %d; shorten the list", (int)o->hidden[0],
		    ISO_TIED_LAYERS - 1);
	return ISO_OK;
}

static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err)
{
	opts o = *(const opts *)env->options;
	ISO_TRY(resolve(env, &o, err));
	const iso_pace p = iso_pace_of((size_t)o.batch, (size_t)o.epochs, env->n);
	return o.variant == PUBLIC_ONLY
		       ? ISO_OK
		       : iso_plan_gaussian(out, (iso_entry){.why = "ae-step"}, scale, p.q, p.steps,
					   (float)o.clip, err);
}

static iso_status model_new(const iso_gen_env *env, size_t rows, iso_key key, model **out,
			    iso_error *err)
{
	opts o = *(const opts *)env->options;
	model *m = iso_alloc(1, sizeof *m);
	iso_status st;
	if (!m)
		return iso_no_memory(err, "an auto-encoder");
	m->variant = o.variant;
	m->tau = o.tau;
	ISO_TRY_OUT(resolve(env, &o, err));
	ISO_TRY_OUT(iso_encoder_new(env->schema, ISO_ENC_FEATURES, &m->enc, err));
	m->heads = iso_heads_new(m->enc, ISO_HEADS_SOFTMAX, 0, 1);
	ISO_TRY_OUT(iso_tied_new(&m->heads, o.hidden, (size_t)o.latent, &m->net, err));
	iso_tied_randomize(&m->net, iso_key_child(key, "init", 0));
	ISO_TRY_OUT(iso_table_new(env->schema, rows, &m->rows, err));
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

static iso_status train(const iso_fit *f, model *m, iso_error *err)
{
	opts o = *(const opts *)f->env.options;
	float *x = NULL;
	ISO_TRY(resolve(&f->env, &o, err));
	ISO_TRY(iso_encode_new(m->enc, f->train, &x, err));
	const iso_tied_job job = {.f = f,
				  .ledger = f->ledger,
				  .entry = {.why = "ae-step"},
				  .net = &m->net,
				  .x = x,
				  .id = f->train->id,
				  .n = f->train->n,
				  .parts = 1,
				  .pace = iso_pace_of((size_t)o.batch, (size_t)o.epochs, f->env.n),
				  .rows = (double)f->env.n,
				  .lr = o.lr,
				  .clip = o.clip,
				  .average = o.average};
	const iso_status st = iso_tied_train(&job, err);
	iso_free(x);
	return st;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	const iso_table *from = f->env.public_rows;
	model *m = NULL;
	iso_status st = ISO_OK;
	ISO_TRY(model_new(&f->env, from->n, f->key, &m, err));
	for (size_t r = 0; r < from->n; r++)
		iso_table_copy_row(from, r, m->rows, r);
	if (m->variant != PUBLIC_ONLY)
		st = train(f, m, err);
	if (st == ISO_OK)
		*out = m;
	else
		destroy(m);
	return st;
}

static iso_status sample(const void *model_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = model_;
	const iso_key pick = iso_key_child(key, "row", 0), noise = iso_key_child(key, "code", 0),
		      draw = iso_key_child(key, "category", 0);
	const size_t z = iso_tied_latent(&m->net);
	iso_tied_ws ws;
	ISO_TRY(iso_tied_ws_new(&m->net, 1, &ws, err));
	float *code = iso_alloc(2 * z, sizeof *code);
	for (size_t i = 0; code && i < out->n; i++) {
		const uint32_t r =
			i < m->rows->n ? (uint32_t)i
				       : (uint32_t)(iso_rand_u01(pick, i, 0) * (double)m->rows->n);
		iso_table_copy_row(m->rows, r, out,
				   i); /* with the label; the features are replaced below */
		if (m->variant == PUBLIC_ONLY)
			continue;
		iso_encode(m->enc, m->rows, &r, 1, ws.h[0], m->enc->dim);
		memcpy(code, iso_tied_encode(&ws, ws.h[0], 1), z * sizeof *code);
		if (m->variant == BOOT) {
			iso_rand_fill_normal(noise, i, 0, (float)m->tau, code + z, z);
			for (size_t j = 0; j < z; j++)
				code[j] = fminf(1, fmaxf(0, code[j] + code[z + j]));
		}
		iso_decode(m->enc, iso_tied_decode(&ws, code, 1), m->enc->dim, 1,
			   m->variant == BOOT ? &draw : NULL, out, i);
	}
	const iso_status st = code ? ISO_OK : iso_no_memory(err, "a code");
	iso_free(code);
	iso_tied_ws_free(&ws);
	return st;
}

/* Codes into z, or minus the reconstruction losses into loss. */
static iso_status each_row(const model *m, const iso_table *rows, float *z, double *loss,
			   iso_error *err)
{
	const size_t latent = iso_tied_latent(&m->net);
	iso_tied_ws ws;
	ISO_TRY(iso_tied_ws_new(&m->net, 1, &ws, err));
	for (uint32_t r = 0; r < rows->n; r++) {
		iso_encode(m->enc, rows, &r, 1, ws.h[0], m->enc->dim);
		if (z)
			memcpy(z + r * latent, iso_tied_encode(&ws, ws.h[0], 1),
			       latent * sizeof *z);
		if (!loss)
			continue;
		iso_tied_backward(&ws, ws.h[0], 1, &loss[r]);
		loss[r] = -loss[r];
	}
	iso_tied_ws_free(&ws);
	return ISO_OK;
}

static iso_status score(const void *model_, const iso_table *rows, double *out, iso_error *err)
{
	return each_row(model_, rows, NULL, out, err);
}

static iso_status encode(const void *model_, const iso_table *rows, float *z, iso_error *err)
{
	return each_row(model_, rows, z, NULL, err);
}

static size_t latent_dim(const void *model_)
{
	return iso_tied_latent(&((const model *)model_)->net);
}

/* A public row lends what the code does not hold. */
static iso_status decode(const void *model_, const float *z, const uint32_t *label, size_t n,
			 iso_table *out, iso_error *err)
{
	const model *m = model_;
	iso_tied_ws ws;
	ISO_TRY(iso_tied_ws_new(&m->net, 1, &ws, err));
	for (size_t i = 0; i < n; i++, z += iso_tied_latent(&m->net)) {
		iso_table_copy_row(m->rows, i % m->rows->n, out, i);
		iso_decode(m->enc, iso_tied_decode(&ws, z, 1), m->enc->dim, 1, NULL, out, i);
		if (label)
			iso_set_labels(out, i, label + i, 1);
	}
	iso_tied_ws_free(&ws);
	return ISO_OK;
}

static iso_status save(const void *model_, iso_str *out, iso_error *err)
{
	const model *m = model_;
	const uint64_t n = m->rows->n;
	iso_part_add(out, "autoencoder", m->net.theta, m->net.nparam * sizeof(float));
	iso_part_add(out, "public-count", &n, sizeof n);
	iso_part_add(out, "public-cells", m->rows->cells,
		     m->rows->n * m->rows->schema->ncol * sizeof(double));
	iso_part_add(out, "public-pixels", m->rows->pixels, n * m->rows->schema->npixel);
	return iso_str_check(out, err);
}

static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out,
		       iso_error *err)
{
	iso_parts in = {bytes, bytes + n};
	model *m = NULL;
	uint64_t rows = 0;
	iso_status st;
	ISO_TRY(model_new(env, 0, iso_key_new(0, "load"), &m, err));
	ISO_TRY_OUT(iso_part_take(&in, "autoencoder", m->net.theta, m->net.nparam * sizeof(float),
				  err));
	ISO_TRY_OUT(iso_part_take(&in, "public-count", &rows, sizeof rows, err));
	if (rows > n) {
		st = iso_fail(err, ISO_E_DATA, "saved dp-augm model: %llu public rows in %zu bytes",
			      (unsigned long long)rows, n);
		goto out;
	}
	iso_table_free(m->rows);
	m->rows = NULL;
	ISO_TRY_OUT(iso_table_new(env->schema, (size_t)rows, &m->rows, err));
	ISO_TRY_OUT(iso_part_take(&in, "public-cells", m->rows->cells,
				  m->rows->n * m->rows->schema->ncol * sizeof(double), err));
	ISO_TRY_OUT(iso_part_take(&in, "public-pixels", m->rows->pixels,
				  (size_t)rows * env->schema->npixel, err));
	*out = m;
	m = NULL;
out:
	destroy(m);
	return st;
}

static iso_status describe(const void *model_, cJSON *out, iso_error *err)
{
	const model *m = model_;
	if (!cJSON_AddNumberToObject(out, "public_rows", (double)m->rows->n) ||
	    !cJSON_AddNumberToObject(out, "latent", (double)iso_tied_latent(&m->net)))
		return iso_no_memory(err, "description of an auto-encoder");
	return ISO_OK;
}

const iso_generator iso_generator_dp_augm = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dp-augm",
	.title = "DP-AuGM: public rows through a private auto-encoder",
	.citation = "Q. Chen, C. Xiang, M. Xue, B. Li, N. Borisov, D. Kaafar, H. Zhu, "
		    "\"Differentially Private Data Generative Models\", 2018, arXiv:1812.02274",
	.card = "Trains an auto-encoder on the private rows by DP-SGD and passes public rows "
		"through "
		"it; their labels are public.\n"
		"Privacy: Poisson-subsampled Gaussians on the private rows. PUBLIC ROWS HAVE NO "
		"PROTECTION; part of the utility is theirs, which variant=public_only shows.\n"
		"Deviations: layer sizes are not stated in the paper; reconstructions beside the "
		"paper's codes.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL | ISO_ACCEPTS_PUBLIC |
		   ISO_REQUIRES_PUBLIC,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.resolve = resolve,
	.check = check,
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.score = score,
	.latent_dim = latent_dim,
	.encode = encode,
	.decode = decode,
	.save = save,
	.load = load,
	.describe = describe,
};
