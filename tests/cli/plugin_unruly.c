// SPDX-License-Identifier: Apache-2.0
/* A generator and an attack from a shared object that do what a harness must survive: option
 * `does`. */
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "attacks/attack.h"
#include "core/base/alloc.h"
#include "generators/generator.h"

const iso_generator *iso_plugin_generator(void);
const iso_attack *iso_plugin_attack(void);

enum { NOTHING, CRASH, HANG, GROW, FAIL, QUIT, OUTSIDE, INFINITE };
typedef struct opts {
	int does;
} opts;

static const iso_option options[] = {
	ISO_OPT_ENUM(opts, does, "nothing", "nothing|crash|hang|grow|fail|quit|outside|infinite",
		     "what the plug-in does wrong"),
	{0}};

static iso_status fit(const iso_fit *f, void **model, iso_error *err)
{
	const opts *o = f->env.options;
	void *all = NULL;

	switch (o->does) {
	case CRASH:
		raise(SIGSEGV);
		break;
	case HANG:
		for (;;)
			pause();
	case GROW:
		for (;;) {
			void **more = iso_alloc(1, 1 << 24);

			if (!more)
				return iso_no_memory(err, "an unruly plug-in");
			memset(more, 1, 1 << 24);
			*more = all;
			all = more;
		}
	case FAIL:
		return iso_fail(err, ISO_E_DATA,
				"unruly (fit): it was asked to fail; ask for something else");
	case QUIT:
		_exit(0); /* success, and no record */
	default:
		break;
	}
	*model = iso_alloc(1, sizeof(*o));
	if (!*model)
		return iso_no_memory(err, "a model");
	memcpy(*model, o, sizeof(*o));
	return ISO_OK;
}

/* The smallest legal value of every column, or one that the schema does not allow. */
static iso_status sample(const void *model, iso_key key, iso_table *out, iso_error *err)
{
	const opts *o = model;

	(void)key;
	(void)err;
	for (size_t r = 0; r < out->n; r++)
		for (size_t c = 0; c < out->schema->ncol; c++) {
			const iso_column *col = &out->schema->column[c];

			out->cells[r * out->schema->ncol + c] = iso_is_discrete(col) ? 0 : col->lo;
			if (o->does == OUTSIDE && !iso_is_discrete(col))
				out->cells[r * out->schema->ncol + c] = col->lo - 1;
		}
	return ISO_OK;
}

static iso_status score(const void *model, const iso_table *rows, double *out, iso_error *err)
{
	const opts *o = model;

	(void)err;
	for (size_t r = 0; r < rows->n; r++)
		out[r] = o->does == INFINITE ? NAN : 0;
	return ISO_OK;
}

static const iso_generator unruly = {
	.abi = ISO_GENERATOR_ABI,
	.name = "unruly",
	.title = "What a harness must survive",
	.citation = "none",
	.card = "Crashes, hangs, grows, fails or lies, as asked.",
	.guarantee = ISO_GUARANTEE_NONE,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.fit = fit,
	.sample = sample,
	.destroy = iso_free,
	.score = score,
};

const iso_generator *iso_plugin_generator(void)
{
	return &unruly;
}

static iso_status guess(const iso_attack_view *view, const void *opt, void *state, iso_guess *out,
			iso_error *err)
{
	const opts *o = opt;

	(void)state;
	if (o->does == CRASH)
		raise(SIGSEGV);
	if (o->does == QUIT)
		_exit(0);
	while (o->does == HANG)
		pause();
	if (o->does == FAIL)
		return iso_no_memory(err, "an unruly attack");
	for (size_t i = 0; i < view->targets->n; i++)
		out[i].score = 0;
	return ISO_OK;
}

static const iso_attack rude = {
	.abi = ISO_ATTACK_ABI,
	.name = "rude",
	.title = "What a harness must survive of an attack",
	.citation = "none",
	.card = "Crashes, hangs, quits or fails, as asked.",
	.goal = ISO_GOAL_MEMBERSHIP,
	.version = 1,
	.knowledge = "NB",
	.options = options,
	.options_size = sizeof(opts),
	.guess = guess,
};

const iso_attack *iso_plugin_attack(void)
{
	return &rude;
}
