// SPDX-License-Identifier: Apache-2.0
/* THE CONTRACT of generators.  Compiles alone; also the public header of shared-object plug-ins.
 *
 * A generator is one immutable descriptor with one external symbol, in one file:
 * generators/mine.c exports `const iso_generator iso_generator_mine`.  Register it by one word in
 * generators/CMakeLists.txt.  A shared object exports `const iso_generator
 * *iso_plugin_generator(void)`.
 *
 * Flow:  check -> plan (events as a function of one free noise scale) -> the harness calibrates the
 * scale -> fit (mechanism calls book into the ledger) -> the ledger must equal the plan -> ledger
 * closed -> sample.
 *
 * Rules.  fit is the only function that sees private rows, and everything private leaves through
 * core/privacy or core/nn/dpsgd.h.  The number of rows n is public.  All other randomness comes
 * from `key` (core/rand), private rows' randomness addressed by their ids.  A model may keep
 * nothing of the training table but what was released.
 */
#ifndef ISO_GENERATORS_GENERATOR_H
#define ISO_GENERATORS_GENERATOR_H

#include "core/base/log.h"
#include "core/data/encode.h"
#include "core/data/table.h"
#include "core/io/options.h"
#include "core/learn/insider.h"
#include "core/privacy/ledger.h"
#include "core/rand/rand.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_GENERATOR_ABI 3

/* accepts: what a method can take.  Data that need a bit which a method lacks are refused before
 * training, by iso_generator_accepts and nowhere else. */
enum {
	ISO_ACCEPTS_TABULAR = 1,     /* flat feature columns */
	ISO_ACCEPTS_IMAGE = 2,	     /* pixel columns */
	ISO_ACCEPTS_SEQUENCE = 4,    /* sequences; each step is a column of its own, too */
	ISO_ACCEPTS_NO_LABEL = 8,    /* runs on a table without a label */
	ISO_ACCEPTS_CLASSES = 16,    /* a label of two or more classes */
	ISO_ACCEPTS_BINARY = 32,     /* a label of exactly two classes (implied by CLASSES) */
	ISO_ACCEPTS_REGRESSION = 64, /* a numeric label */
	ISO_ACCEPTS_PUBLIC = 128,    /* uses public rows when there are any */
	ISO_ACCEPTS_CLIENTS = 256,   /* uses the client of each row when it is known */
	ISO_REQUIRES_PUBLIC = 512,   /* cannot run without public rows */
	ISO_REQUIRES_CLIENTS = 1024, /* cannot run without at least two clients */
	/* any label or none */
	ISO_ACCEPTS_ANY_LABEL = ISO_ACCEPTS_NO_LABEL | ISO_ACCEPTS_CLASSES | ISO_ACCEPTS_REGRESSION,
	/* any kind of column */
	ISO_ACCEPTS_ANY_COLUMN = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_IMAGE | ISO_ACCEPTS_SEQUENCE
};

/* Everything a generator may know before it sees data. All borrowed. */
typedef struct iso_gen_env {
	const iso_schema *schema;
	size_t n;		   /* public number of training rows */
	const size_t *class_count; /* [classes] public rows per class when the suite declares them
				      public, else NULL */
	/* rows that cost no privacy (a share of the split or a second file), under the same
	 * schema; NULL without any.  Given to methods that accept them only. */
	const iso_table *public_rows;
	/* federated data: the number of clients and the public number of training rows of each
	 * ([nclient]); 0 and NULL without clients.  The client of a row is train->client[row]. */
	size_t nclient;
	const size_t *client_count;
	const void *options;   /* the plug-in's option struct, resolved */
	double epsilon, delta; /* target; epsilon is +infinity for generators without a plan */
	iso_adjacency adjacency;
	iso_accountant accountant; /* the one that calibrates, for plans that must solve for counts
				      (PATE) */
} iso_gen_env;

typedef struct iso_fit {
	iso_gen_env env;
	const iso_table *train; /* PRIVATE; borrowed: valid during fit only */
	double scale;		/* the calibrated free noise scale, as given to plan */
	iso_ledger *ledger;	/* armed with plan(scale) */
	iso_key key;		/* all randomness of fit that is not privacy noise */
	iso_progress *progress; /* may be NULL */
	/* training curve: the harness keeps (step, name, value) for the report; values must be
	 * private-safe (computed from released things) or named "uncharged:..." */
	void (*curve)(void *ctx, double step, const char *name, double value); /* may be NULL */
	void *curve_ctx;
	int (*cancelled)(void *ctx); /* may be NULL; non-zero: return ISO_E_CANCELLED soon */
	void *cancelled_ctx;
	/* a client that chooses its own rows, for games of the referee; NULL in every other
	 * training.  Methods that share a classifier in rounds let it in. */
	const iso_insider *insider;
} iso_fit;

typedef struct iso_generator {
	uint32_t abi;	      /* required: ISO_GENERATOR_ABI */
	const char *name;     /* required: as typed, "dp-cgan"; the file stem with - for _ */
	const char *title;    /* required: one line */
	const char *citation; /* required: authors, title, venue, year, identifier */
	const char *card; /* required: algorithm, privacy argument, deviations from the paper, in
			     prose for `describe` */
	iso_guarantee guarantee; /* required: of the default mode */
	uint32_t accepts;	 /* required: bits above; some kind of column, some kind of label */
	uint32_t version;	 /* required: raise when results change; part of a cell's key */
	const iso_option *options; /* required, may be an empty table */
	size_t options_size;	   /* of the option struct */

	/* optional; default: `guarantee` for every setting.  mode=paper with a broken proof: NONE
	 * or HEURISTIC. */
	iso_guarantee (*guarantee_of)(const void *options);
	/* optional; default: NaN = no claim beyond the accounted epsilon.  The epsilon that the
	 * paper claims for this setting. */
	double (*claimed_epsilon)(const iso_gen_env *env);
	/* optional; default: the options are effective as given.  Makes every "choose for me" of
	 * env->options (batch 0, beta1 -1) the value that check, plan and fit use, in `options`, a
	 * copy of the struct; NaN = settled by calibration, as the ledger shows.  No data beyond
	 * env.  For the record; the other slots are given the options as they were asked for. */
	iso_status (*resolve)(const iso_gen_env *env, void *options, iso_error *err);
	/* optional; default: accept.  Cross-field rules, no data: a suite of thousands of cells
	 * must fail in its first second. */
	iso_status (*check)(const iso_gen_env *env, iso_error *err);
	/* required unless guarantee is NONE for all settings; default: an empty plan.  All releases
	 * of fit for free noise scale s (noise multipliers proportional to s). */
	iso_status (*plan)(const iso_gen_env *env, double scale, iso_plan *plan, iso_error *err);
	/* required */
	iso_status (*fit)(const iso_fit *fit, void **model, iso_error *err);
	/* required.  Pure post-processing: exactly out->n rows (out comes zeroed, ids set), every
	 * cell inside the schema's domain.  Row i of a longer sample equals row i of a shorter one
	 * with the same key. */
	iso_status (*sample)(const void *model, iso_key key, iso_table *out, iso_error *err);
	/* required; NULL is legal */
	void (*destroy)(void *model);

	/* optional; default: unsupported.  Discriminator or critic score of rows, larger = more
	 * real: white-box attacks. */
	iso_status (*score)(const void *model, const iso_table *rows, double *out, iso_error *err);
	/* optional; default: unsupported.  Latent access: dim of z; decode z [n][dim] to encoded
	 * rows. */
	size_t (*latent_dim)(const void *model);
	iso_status (*encode)(const void *model, const iso_table *rows, float *z, iso_error *err);
	iso_status (*decode)(const void *model, const float *z, const uint32_t *label, size_t n,
			     iso_table *out, iso_error *err);
	/* optional; default: unsupported.  log density of rows under the model. */
	iso_status (*log_density)(const void *model, const iso_table *rows, double *out,
				  iso_error *err);
	/* required for guarantee DP or HEURISTIC (verify compares these bytes): everything
	 * released, in a fixed order, each part preceded by a line "name count\n" (count = bytes
	 * that follow) so that a difference can be named.  Appends to out. */
	iso_status (*save)(const void *model, iso_str *out, iso_error *err);
	/* required of every method in the tree (conformance); optional in a shared object, whose
	 * models are then not kept: an attack added later trains it again.  A model from save's
	 * bytes: every slot that is declared, samples, scores, latent access, density and facts,
	 * gives what it gave before, and save gives the same bytes. */
	iso_status (*load)(const iso_gen_env *env, const char *bytes, size_t n, void **model,
			   iso_error *err);
	/* optional; default: nothing.  Facts about the fitted model for the record (JSON object to
	 * fill). */
	iso_status (*describe)(const void *model, cJSON *out, iso_error *err);
	/* optional; default: a method under comparison.  A control: "copies" (returns the training
	 * rows: attacks must succeed), "blind" (never looks at the data: attacks must be at
	 * chance), "floor" (a simple baseline that a method must beat to have shown anything). */
	const char *control;
	/* optional; default: the method releases no classifier.  Probabilities prob [rows][classes]
	 * of the classes of rows whose label it must not look at: the metric "own-classifier"
	 * judges them on test rows. */
	iso_status (*classify)(const void *model, const iso_table *rows, double *prob,
			       iso_error *err);
} iso_generator;

/* Registry: built in (generators/CMakeLists.txt) and loaded. */
size_t iso_generator_count(void);
const iso_generator *iso_generator_at(size_t i);
/* ISO_E_CONFIG with the nearest name.  "external:PATH" is the program at that path
 * (docs/external.md), relative to the working directory. */
iso_status iso_generator_find(const char *name, const iso_generator **out,
			      iso_error *err) ISO_MUST_CHECK;
/* Checks ABI and required slots (ISO_E_PLUGIN names the slot), then registers; the object stays
 * loaded. */
iso_status iso_generator_load(const char *path, iso_error *err) ISO_MUST_CHECK;
iso_status iso_generator_register(const iso_generator *g,
				  iso_error *err) ISO_MUST_CHECK; /* tests */
/* 1: a program of its own, whose releases this process does not see and whose ledger is what it
 * says of itself. */
int iso_generator_is_external(const iso_generator *g);
iso_guarantee iso_generator_guarantee(const iso_generator *g, const void *options);
/* Can the method take data of this kind?  Looks at the schema, the public rows and the clients of
 * env, never at a private row.  ISO_E_UNSUPPORTED says in the user's words what does not fit. */
iso_status iso_generator_accepts(const iso_generator *g, const iso_gen_env *env,
				 iso_error *err) ISO_MUST_CHECK;
/* "flat columns, images; no label or classes; public rows": for `describe` and `list`. */
void iso_generator_accepts_text(const iso_generator *g, iso_str *out);

#ifdef __cplusplus
}
#endif

#endif
