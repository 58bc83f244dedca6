// SPDX-License-Identifier: Apache-2.0
/* Coded mixtures: per class a tied auto-encoder (tied.h) and a mixture of Gaussians over its codes
 * (mixture.h).  A row is sampled as class, component, code, decoded row.
 *
 * PLAN of the private form, with rho = 1 / (2 s^2) for the free scale s:
 *   "label-histogram"  one noisy histogram, share label_share of rho
 *   "ae-step"          parts of group 1, one per class: a cap in RDP (pace.h) of share 1 -
 * label_share
 *                      - em_share, charged once the counts are known.  Rates from public numbers
 * where the counts are public, under replace-one, and with one part: fixed events then "moments"
 * the same parts: J Gaussian sums, share em_share
 */
#ifndef ISO_GENERATORS_KIT_CODED_H
#define ISO_GENERATORS_KIT_CODED_H

#include "generators/kit/labels.h"
#include "generators/kit/mixture.h"
#include "generators/kit/pace.h"
#include "generators/kit/tied.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_coded_options {
	int counts;			      /* iso_label_source */
	int classes;			      /* 0: the law of the counts, 1: balanced */
	int64_t hidden[ISO_OPT_LIST_MAX + 1]; /* of the encoder; count 0: (d + latent) / 2 */
	int64_t latent, batch, epochs;	      /* latent 0: 8, 15 or 32 by the row's width */
	int64_t components, iterations;	      /* of the mixture */
	double lr, clip, label_share, em_share, average;
} iso_coded_options;

typedef struct iso_coded_model {
	const iso_schema *schema; /* borrowed: public */
	iso_encoder *enc;	  /* of the rows */
	iso_heads heads;
	iso_block block; /* of a code */
	iso_encoder code;
	size_t classes;	  /* 0: one part, the label (if any) inside the row */
	size_t parts;	  /* classes, or 1 */
	int balanced;	  /* classes of a sample take turns */
	iso_tied *net;	  /* [parts] */
	iso_mixture *mix; /* [parts] */
	double *law;	  /* [parts] cumulative */
} iso_coded_model;

/* Options with "choose for me" made numbers. */
iso_status iso_coded_resolve(const iso_gen_env *env, void *options, iso_error *err);
iso_status iso_coded_check(const iso_gen_env *env, const char *who, iso_error *err) ISO_MUST_CHECK;
iso_status iso_coded_plan(const iso_gen_env *env, double scale, iso_plan *out, iso_error *err);
/* ledger NULL: no clipping, no noise, exact counts. */
iso_status iso_coded_fit(const iso_fit *f, iso_ledger *ledger, void **model,
			 iso_error *err) ISO_MUST_CHECK;

iso_status iso_coded_sample(const void *model, iso_key key, iso_table *out, iso_error *err);
iso_status iso_coded_score(const void *model, const iso_table *rows, double *out, iso_error *err);
size_t iso_coded_dim(const void *model);
iso_status iso_coded_encode(const void *model, const iso_table *rows, float *z, iso_error *err);
iso_status iso_coded_decode(const void *model, const float *z, const uint32_t *label, size_t n,
			    iso_table *out, iso_error *err);
iso_status iso_coded_save(const void *model, iso_str *out, iso_error *err);
iso_status iso_coded_load(const iso_gen_env *env, const char *bytes, size_t n, void **model,
			  iso_error *err);
iso_status iso_coded_describe(const void *model, cJSON *out, iso_error *err);
void iso_coded_destroy(void *model);

#define ISO_CODED_OPT_NET \
	ISO_OPT_INTS(iso_coded_options, hidden, "", 1, 8192, \
		     "hidden layers of the encoder; empty: one of (row's width + latent) / 2"), \
		ISO_OPT_INT(iso_coded_options, latent, "0", 0, 1024, \
			    "dimensions of a code; 0: 8, 15 or 32 by the row's width"), \
		ISO_OPT_INT(iso_coded_options, components, "10", 1, 1000, \
			    "components of a class's mixture over codes"), \
		ISO_OPT_INT(iso_coded_options, iterations, "10", 1, 1000, \
			    "EM iterations, each one release"), \
		ISO_OPT_INT(iso_coded_options, batch, "0", 0, 65536, \
			    "expected batch of a class; 0: 64, at most an eighth of it"), \
		ISO_OPT_INT(iso_coded_options, epochs, "0", 0, 100000, \
			    "passes over each class; 0: 50, but at least 2400 steps"), \
		ISO_OPT_REAL(iso_coded_options, lr, "0", 0, 100, \
			     "learning rate (Adam); 0: 4/steps within [1e-3, 1e-2]"), \
		ISO_OPT_REAL(iso_coded_options, average, "0.2", 0, 1, \
			     "horizon of the average of the weights as a share of the steps; 0: " \
			     "none"), \
		ISO_OPT_ENUM(iso_coded_options, classes, "prior", "prior|balanced", \
			     "classes of a sample")
#define ISO_CODED_SLOTS \
	.options = options, .options_size = sizeof(iso_coded_options), \
	.resolve = iso_coded_resolve, .check = check, .fit = fit, .sample = iso_coded_sample, \
	.destroy = iso_coded_destroy, .score = iso_coded_score, .latent_dim = iso_coded_dim, \
	.encode = iso_coded_encode, .decode = iso_coded_decode, .save = iso_coded_save, \
	.load = iso_coded_load, .describe = iso_coded_describe

#ifdef __cplusplus
}
#endif

#endif
