// SPDX-License-Identifier: Apache-2.0
/* PATE-GANs: teachers vote on fakes and on probes of the public domain, a student discriminator
 * learns from the released labels, the generator from the student (generators/pate_gan.c has the
 * algorithm and the privacy argument).  A method is a specification: what the networks are told.
 */
#ifndef ISO_GENERATORS_KIT_PATE_LOOP_H
#define ISO_GENERATORS_KIT_PATE_LOOP_H

#include "generators/generator.h"
#include "generators/kit/latent_model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_pate_options {
	int votes, labels, categories, diagnose, nearly_coins;
	int64_t teachers, queries, iterations, batch, teacher_steps, student_steps, generator_steps,
		start_steps, hidden[ISO_OPT_LIST_MAX + 1], teacher_hidden[ISO_OPT_LIST_MAX + 1],
		z_dim;
	double lr, lr_g, probes, label_share, least, anchor, agree, average, tau;
} iso_pate_options;

typedef struct iso_pate_spec {
	const char *who; /* plug-in's name */
	int by_column;	 /* iso_latent_shape's; the label is a generated column.  0: the label is an
			    input, with a first layer per class */
	double agree; /* by_column: weight of the cross entropy between a fake and its condition in
			 G's step (Xu et al. 2019, section 4.3); a function of fakes alone */
} iso_pate_spec;

/* "Choose for me" made numbers. */
iso_pate_options iso_pate_settled(const iso_gen_env *env);
iso_status iso_pate_check(const iso_gen_env *env, const iso_pate_spec *s,
			  iso_error *err) ISO_MUST_CHECK;
/* "votes", and "label-histogram" or "category-histograms" as o.labels says; "vote-diagnosis",
 * uncharged, with diagnose. */
iso_status iso_pate_plan(const iso_gen_env *env, const iso_pate_spec *s, double scale,
			 iso_plan *out, iso_error *err) ISO_MUST_CHECK;
iso_status iso_pate_fit(const iso_fit *f, const iso_pate_spec *s, void **out,
			iso_error *err) ISO_MUST_CHECK;
iso_status iso_pate_load(const iso_gen_env *env, const iso_pate_spec *s, const char *bytes,
			 size_t n, void **out, iso_error *err) ISO_MUST_CHECK;
iso_guarantee iso_pate_guarantee(const void *options);

/* Options that the tables share, all but `labels`. */
#define ISO_PATE_OPTIONS \
	ISO_OPT_ENUM(iso_pate_options, votes, "gnmax", "gnmax|lnmax", \
		     "noise on the votes: Gaussian or Laplace"), \
		ISO_OPT_REAL(iso_pate_options, label_share, "0.02", 1e-6, 0.9, \
			     "share of the budget of the label histogram"), \
		ISO_OPT_INT( \
			iso_pate_options, teachers, "0", 0, 65536, \
			"teachers; 0: four times the noise per unit of sensitivity, at least 10"), \
		ISO_OPT_INT(iso_pate_options, queries, "0", 0, 10000000, \
			    "queries in total; 0: 100 to 2,000, as epsilon and the rows permit"), \
		ISO_OPT_INT(iso_pate_options, iterations, "0", 0, 1000000, \
			    "rounds over which they are spread; 0: one for every 20 queries, 5 " \
			    "to 100"), \
		ISO_OPT_INT(iso_pate_options, batch, "32", 1, 4096, "rows and fakes per step"), \
		ISO_OPT_INT(iso_pate_options, teacher_steps, "15", 1, 1000, \
			    "steps of every teacher per round"), \
		ISO_OPT_INT(iso_pate_options, student_steps, "50", 1, 100000, \
			    "steps of the student per round"), \
		ISO_OPT_INT(iso_pate_options, generator_steps, "20", 1, 100000, \
			    "steps of the generator per round"), \
		ISO_OPT_INT(iso_pate_options, start_steps, "400", 0, 1000000, \
			    "steps of the generator towards the uniform law of the public domain " \
			    "before " \
			    "the first round; 0: random weights, as published"), \
		ISO_OPT_REAL(iso_pate_options, least, "0.25", 0, 0.5, \
			     "share of a round's queries that a teacher calls real at the least, " \
			     "those " \
			     "that it ranks highest; 0: as published"), \
		ISO_OPT_INTS(iso_pate_options, hidden, "64,64", 1, 8192, \
			     "hidden layers of student and generator"), \
		ISO_OPT_INTS(iso_pate_options, teacher_hidden, "64", 1, 8192, \
			     "hidden layers of a teacher"), \
		ISO_OPT_INT(iso_pate_options, z_dim, "16", 1, 4096, "latent dimensions"), \
		ISO_OPT_REAL( \
			iso_pate_options, probes, "0.5", 0, 1, \
			"share of the queries drawn over the public domain; 0: as published"), \
		ISO_OPT_REAL(iso_pate_options, anchor, "1.5", 0, 1000, \
			     "weight of the squared way of a fake from the uniform row where it " \
			     "began; 0: as published"), \
		ISO_OPT_REAL(iso_pate_options, average, "0.2", 0, 1, \
			     "horizon of the average of G's weights as a share of the rounds; " \
			     "0: as published"), \
		ISO_OPT_REAL(iso_pate_options, lr, "2e-3", 0, 1, \
			     "learning rate of teachers and student (Adam)"), \
		ISO_OPT_REAL(iso_pate_options, lr_g, "1e-3", 0, 1, \
			     "learning rate of the generator (Adam)"), \
		ISO_OPT_REAL(iso_pate_options, tau, "0.3", 0.01, 10, \
			     "temperature of the relaxed draws"), \
		ISO_OPT_BOOL(iso_pate_options, diagnose, "false", \
			     "the curve shows the share of labels that equal the majority, which " \
			     "is read " \
			     "off the votes: uncharged, so not private"), \
		ISO_OPT_ENUM(iso_pate_options, categories, "draw", "draw|argmax", \
			     "categories of a sample"), \
		ISO_OPT_BOOL(iso_pate_options, nearly_coins, "false", \
			     "accept so few teachers that their votes drown in the noise: for " \
			     "audits, which need few rows")

/* Slots of a method whose specification is spec_of(env). */
#define ISO_PATE_SLOT_FUNCTIONS(spec_of) \
	static iso_status resolve(const iso_gen_env *env, void *out, iso_error *err) \
	{ \
		(void)err; \
		*(iso_pate_options *)out = iso_pate_settled(env); \
		return ISO_OK; \
	} \
	static iso_status check(const iso_gen_env *env, iso_error *err) \
	{ \
		const iso_pate_spec s = spec_of(env); \
		return iso_pate_check(env, &s, err); \
	} \
	static iso_status plan(const iso_gen_env *env, double scale, iso_plan *out, \
			       iso_error *err) \
	{ \
		const iso_pate_spec s = spec_of(env); \
		return iso_pate_plan(env, &s, scale, out, err); \
	} \
	static iso_status fit(const iso_fit *f, void **out, iso_error *err) \
	{ \
		const iso_pate_spec s = spec_of(&f->env); \
		return iso_pate_fit(f, &s, out, err); \
	} \
	static iso_status load(const iso_gen_env *env, const char *bytes, size_t n, void **out, \
			       iso_error *err) \
	{ \
		const iso_pate_spec s = spec_of(env); \
		return iso_pate_load(env, &s, bytes, n, out, err); \
	}
#define ISO_PATE_SLOTS \
	.options = options, .options_size = sizeof(iso_pate_options), \
	.guarantee_of = iso_pate_guarantee, .resolve = resolve, .check = check, .plan = plan, \
	.fit = fit, .score = iso_latent_score, .load = load, ISO_LATENT_SLOTS

#ifdef __cplusplus
}
#endif

#endif
