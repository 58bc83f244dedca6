// SPDX-License-Identifier: Apache-2.0
/* Ways to leak that a comparison of model bytes on one table misses, each put into a generator that
 * is otherwise right (a noisy histogram of the labels), and honest twins that do something that
 * looks like it.  All leaks must die by the check that is named, no twin may raise an alarm. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/privacy/mechanism.h"
#include "core/privacy/mechanism_trusted.h"
#include "suites/flow/verify.h"
#include "tests/plugins/fixture.h"
#include "tests/support/testkit.h"

enum kind {
	PLAIN,
	/* leaks */
	SCORE,	    /* score knows the training rows */
	DENSITY,    /* log_density does */
	ENCODE,	    /* encode does */
	DECODE,	    /* decode returns one */
	FAR_ROW,    /* row 9,000 of a long sample is a training row */
	KEYED,	    /* under half of the keys a sample holds one */
	CACHE,	    /* rows of the first training of the process, in static memory */
	SECOND,	    /* leaks from the second training of a process on */
	UNCHARGED,  /* a curve point "uncharged:" that is not booked */
	WATCHED,    /* leaks when no replay is attached */
	TWICE,	    /* unwatched, gets the noise of the same indices twice */
	ERROR_TEXT, /* fails on constant tables, with a number of the rows */
	CONSTANT,   /* leaks on constant columns */
	TIED,	    /* leaks when a column takes two values */
	LARGE,	    /* leaks above 1,000 rows */
	LATE,	    /* leaks from step 100 on */
	SEED,	    /* leaks under a third of the seeds */
	READ_FILE,  /* reads a file */
	WRITE_FILE, /* writes one */
	STDERR,	    /* writes a sum of the rows to standard error */
	STDOUT,	    /* to standard output */
	FORK,	    /* starts a process */
	NETWORK,    /* opens a socket */
	CRASH,	    /* crashes when a record sits at every upper bound */
	/* honest twins */
	SORTED_SUM,   /* sums large aligned rows in the order of their values */
	ADAPTIVE,     /* what it asks second depends on what was released first */
	NOT_FINITE,   /* computes with infinities and missing values, clips, sums */
	CHATTY,	      /* writes a fixed text to standard error */
	PUBLIC_CACHE, /* static memory that holds nothing private */
	CLOCK,	      /* asks for the local time, and does not use it */
	HONEST_SCORE, /* the slots, from the released law alone */
	KINDS
};

typedef struct opts {
	int64_t kind, steps;
} opts;
static const iso_option options[] = {
	ISO_OPT_INT(opts, kind, "0", 0, KINDS - 1, "what it does"),
	ISO_OPT_INT(opts, steps, "120", 1, 1000, "steps"),
	{0},
};

typedef struct model {
	int kind;
	double law[2], sum[4];
	double row[8];	   /* what a leak carries: a training row */
	int leaks;	   /* the row goes into save */
	double (*seen)[8]; /* all training rows, for the slots */
	size_t nseen, ncol;
} model;

static size_t fits_in_process;
static double first_row[8];

static iso_status plan(const iso_gen_env *env, double s, iso_plan *p, iso_error *err)
{
	(void)env;
	ISO_TRY(iso_plan_gaussian(p, (iso_entry){.why = "labels"}, s, 1, 1, 1, err));
	ISO_TRY(iso_plan_gaussian(p, (iso_entry){.why = "a"}, 4 * s, 1, 1, 1, err));
	ISO_TRY(iso_plan_gaussian(p, (iso_entry){.why = "b"}, 4 * s, 1, 1, 1, err));
	return iso_plan_gaussian(p, (iso_entry){.why = "float"}, 4 * s, 1, 1, 1, err);
}

static void destroy(void *m_)
{
	model *m = m_;

	if (m)
		iso_free(m->seen);
	iso_free(m);
}

static iso_status release_labels(const iso_fit *f, model *m, iso_error *err)
{
	const iso_table *t = f->train;
	uint32_t *cell = iso_alloc(t->n + 1, sizeof(*cell));
	iso_status st;

	if (!cell)
		return iso_no_memory(err, "leaks");
	for (size_t r = 0; r < t->n; r++)
		cell[r] = (uint32_t)iso_table_label(t, r);
	st = iso_mech_histogram(f->ledger, (iso_entry){.why = "labels"}, cell, t->n, 1, 2, m->law,
				err);
	iso_free(cell);
	return st;
}

static int by_value(const void *a, const void *b)
{
	const double x = ((const double *)a)[0], y = ((const double *)b)[0];

	return (x > y) - (x < y);
}

/* Two numbers of every row, large and aligned, or not finite before they are clipped. */
static void features(const model *m, const iso_table *t, double *x)
{
	for (size_t r = 0; r < t->n; r++) {
		const double age = iso_table_cell(t, r, 0), income = iso_table_cell(t, r, 1);

		x[2 * r] = 1 + age / 100;
		x[2 * r + 1] = isnan(income) ? 0 : 1 + income / 1000;
		if (m->kind == NOT_FINITE) {
			const double huge = exp(10 * age); /* overflows from 71 on */

			x[2 * r] = isfinite(huge) ? huge : 1e300;
			x[2 * r + 1] = isnan(income) ? -1e300 : income;
		}
	}
	if (m->kind == SORTED_SUM)
		qsort(x, t->n, 2 * sizeof(double), by_value);
}

/* A sum in fp32 of rows clipped to 1, in the order of x. */
static void float_sum(const double *x, size_t n, float *sum)
{
	for (size_t r = 0; r < n; r++) {
		const double len =
			sqrt(x[2 * r] * x[2 * r] + x[2 * r + 1] * x[2 * r + 1]) * (1 + 1e-6);
		const double by = len > 1 ? 1 / len : 1;

		sum[0] += (float)(by * x[2 * r]);
		sum[1] += (float)(by * x[2 * r + 1]);
	}
}

static iso_status release_float(const iso_fit *f, model *m, const double *x, iso_error *err)
{
	float sum[2] = {0}, other[2] = {0};
	uint32_t call;
	int handle;

	if (m->kind != NOT_FINITE) /* 1e300 squared is infinite: the house clips that, this not */
		float_sum(x, f->train->n, sum);
	ISO_TRY(iso_ledger_find(f->ledger, (iso_entry){.why = "float"}, &handle, err));
	ISO_TRY(iso_release_begin(f->ledger, handle, 1, 1, &call, err));
	if (m->kind == TWICE && iso_release_piecewise_ok(f->ledger)) {
		ISO_TRY(iso_release_piece_f32(f->ledger, handle, call, 0, 2, sum, err));
		ISO_TRY(iso_release_piece_f32(f->ledger, handle, call, 0, 2, other, err));
		m->row[0] = sum[0] - other[0]; /* the exact sum */
		m->leaks = 1;
	} else {
		ISO_TRY(iso_release_finish_f32(f->ledger, handle, call, sum, 2, err));
	}
	m->sum[2] = sum[0];
	m->sum[3] = sum[1];
	return ISO_OK;
}

static iso_status release_sums(const iso_fit *f, model *m, iso_error *err)
{
	double *x = iso_alloc(2 * f->train->n + 2, sizeof(*x)), a[2], b[2];
	iso_status st = x ? ISO_OK : iso_no_memory(err, "leaks");

	if (st != ISO_OK)
		return st;
	features(m, f->train, x);
	ISO_TRY_OUT(iso_mech_vector_sum(f->ledger, (iso_entry){.why = "a"}, x, f->train->n, 2, 1, a,
					err));
	/* a choice after a release is post-processing */
	for (size_t r = 0; m->kind == ADAPTIVE && r < f->train->n; r++)
		x[2 * r + (a[0] > a[1])] = 0;
	ISO_TRY_OUT(iso_mech_vector_sum(f->ledger, (iso_entry){.why = "b"}, x, f->train->n, 2, 1, b,
					err));
	ISO_TRY_OUT(release_float(f, m, x, err));
	m->sum[0] = a[0] + b[0];
	m->sum[1] = a[1] + b[1];
out:
	iso_free(x);
	return st;
}

static int is_constant(const iso_table *t)
{
	for (size_t r = 1; r < t->n; r++)
		if (iso_table_cell(t, r, 0) != iso_table_cell(t, 0, 0))
			return 0;
	return t->n > 0;
}

static int is_tied(const iso_table *t)
{
	double v[2] = {NAN, NAN};

	for (size_t r = 0; r < t->n; r++) {
		const double x = iso_table_cell(t, r, 0);

		if (isnan(v[0]))
			v[0] = x;
		else if (x != v[0] && isnan(v[1]))
			v[1] = x;
		else if (x != v[0] && x != v[1])
			return 0;
	}
	return !isnan(v[1]);
}

static double total(const iso_table *t)
{
	double s = 0;

	for (size_t r = 0; r < t->n; r++)
		s += iso_table_cell(t, r, 0);
	return s;
}

static void reach_outside(int kind, const iso_table *t)
{
	char line[64] = "";
	FILE *f;
	time_t now;
	struct tm tm;

	switch (kind) {
	case READ_FILE:
		f = fopen("/etc/passwd", "r");
		if (f && fgets(line, sizeof(line), f))
			(void)fclose(f);
		break;
	case WRITE_FILE:
		f = fopen("/tmp/isoeps-leaks-test", "a");
		if (f)
			(void)fclose(f);
		(void)remove("/tmp/isoeps-leaks-test");
		break;
	case STDERR:
		fprintf(stderr, "loss %g\n", total(t));
		break;
	case STDOUT:
		printf("loss %g\n", total(t));
		break;
	case FORK:
		if (fork() == 0)
			_exit(0);
		break;
	case NETWORK:
		(void)close(socket(AF_INET, SOCK_STREAM, 0));
		break;
	case CHATTY:
		fprintf(stderr, "training\n");
		break;
	case CLOCK:
		now = time(NULL);
		(void)localtime_r(&now, &tm);
		break;
	default:
		break;
	}
}

static int at_bounds(const iso_table *t)
{
	for (size_t r = 0; r < t->n; r++)
		if (iso_table_cell(t, r, 0) == 100 && iso_table_cell(t, r, 1) == 1000)
			return 1;
	return 0;
}

static void decide(const iso_fit *f, model *m, const opts *o)
{
	const iso_table *t = f->train;
	const int kind = m->kind;

	m->leaks |= (kind == SECOND && fits_in_process > 1) || kind == CACHE ||
		    (kind == WATCHED && iso_release_piecewise_ok(f->ledger)) ||
		    (kind == CONSTANT && is_constant(t)) || (kind == TIED && is_tied(t)) ||
		    (kind == LARGE && t->n > 1000) || (kind == LATE && o->steps > 100) ||
		    (kind == SEED && f->key.k % 3 == 0);
	memcpy(m->row, kind == CACHE ? first_row : t->cells, m->ncol * sizeof(double));
	if (kind == PUBLIC_CACHE)
		m->row[0] = 1;
}

static iso_status remember(const iso_fit *f, model *m, iso_error *err)
{
	const iso_table *t = f->train;

	m->ncol = t->schema->ncol;
	m->nseen = t->n;
	m->seen = iso_alloc(t->n + 1, sizeof(*m->seen));
	if (!m->seen)
		return iso_no_memory(err, "leaks");
	for (size_t r = 0; r < t->n; r++)
		memcpy(m->seen[r], t->cells + r * m->ncol, m->ncol * sizeof(double));
	if (fits_in_process++ == 0)
		memcpy(first_row, t->cells, m->ncol * sizeof(double));
	return ISO_OK;
}

static iso_status fit(const iso_fit *f, void **out, iso_error *err)
{
	const opts *o = f->env.options;
	model *m = iso_alloc(1, sizeof(*m));
	iso_status st;

	if (!m)
		return iso_no_memory(err, "leaks");
	m->kind = (int)o->kind;
	ISO_TRY_OUT(remember(f, m, err));
	if (m->kind == CRASH && at_bounds(f->train))
		abort();
	if (m->kind == ERROR_TEXT && is_constant(f->train)) {
		st = iso_fail(err, ISO_E_NUMERIC, "singular (leaks): the mean is %.17g",
			      total(f->train));
		goto out;
	}
	reach_outside(m->kind, f->train);
	ISO_TRY_OUT(release_labels(f, m, err));
	ISO_TRY_OUT(release_sums(f, m, err));
	if (m->kind != TWICE)
		decide(f, m, o);
	if (m->kind == UNCHARGED && f->curve)
		f->curve(f->curve_ctx, 1, "uncharged:loss", total(f->train));
	*out = m;
	return ISO_OK;
out:
	destroy(m);
	return st;
}

static iso_status save(const void *m_, iso_str *out, iso_error *err)
{
	const model *m = m_;

	iso_str_add(out, "law 2\n");
	iso_str_addn(out, (const char *)m->law, sizeof(m->law));
	iso_str_add(out, "sums 4\n");
	iso_str_addn(out, (const char *)m->sum, sizeof(m->sum));
	iso_str_add(out, "row 8\n");
	if (m->leaks)
		iso_str_addn(out, (const char *)m->row, sizeof(m->row));
	else
		iso_str_addn(out, (const char[sizeof(m->row)]){0}, sizeof(m->row));
	return iso_str_check(out, err);
}

static iso_status sample(const void *m_, iso_key key, iso_table *out, iso_error *err)
{
	const model *m = m_;
	const iso_schema *s = out->schema;

	(void)err;
	for (size_t r = 0; r < out->n; r++) {
		double *c = out->cells + r * s->ncol;

		for (size_t j = 0; j < s->ncol; j++)
			c[j] = iso_is_discrete(&s->column[j]) ? 0 : s->column[j].lo;
		c[s->label] = iso_rand_u01(key, r, 0) * (fabs(m->law[0]) + fabs(m->law[1])) <
			      fabs(m->law[1]);
		if ((m->kind == FAR_ROW && r == 9000) || (m->kind == KEYED && key.k % 2 && r == 3))
			memcpy(c, m->seen[0], m->ncol * sizeof(double));
	}
	return ISO_OK;
}

static double is_seen(const model *m, const iso_table *rows, size_t r)
{
	for (size_t i = 0; i < m->nseen; i++)
		if (memcmp(m->seen[i], rows->cells + r * m->ncol, m->ncol * sizeof(double)) == 0)
			return 1;
	return 0;
}

static iso_status score(const void *m_, const iso_table *rows, double *out, iso_error *err)
{
	const model *m = m_;

	(void)err;
	for (size_t r = 0; r < rows->n; r++)
		out[r] = m->kind == SCORE ? is_seen(m, rows, r) : m->law[0];
	return ISO_OK;
}

static iso_status log_density(const void *m_, const iso_table *rows, double *out, iso_error *err)
{
	const model *m = m_;

	(void)err;
	for (size_t r = 0; r < rows->n; r++)
		out[r] = m->kind == DENSITY ? is_seen(m, rows, r) : m->law[1];
	return ISO_OK;
}

static size_t latent_dim(const void *m)
{
	(void)m;
	return 2;
}

static iso_status encode(const void *m_, const iso_table *rows, float *z, iso_error *err)
{
	const model *m = m_;

	(void)err;
	for (size_t r = 0; r < rows->n; r++) {
		z[2 * r] = (float)m->sum[0];
		z[2 * r + 1] = m->kind == ENCODE ? (float)is_seen(m, rows, r) : 0;
	}
	return ISO_OK;
}

static iso_status decode(const void *m_, const float *z, const uint32_t *label, size_t n,
			 iso_table *out, iso_error *err)
{
	const model *m = m_;

	(void)z;
	(void)label;
	ISO_TRY(sample(m, iso_key_new(1, "decode"), out, err));
	if (m->kind == DECODE && n > 5)
		memcpy(out->cells + 5 * m->ncol, m->seen[m->nseen - 2], m->ncol * sizeof(double));
	return ISO_OK;
}

static const iso_generator leaky = {
	.abi = ISO_GENERATOR_ABI,
	.name = "leaks",
	.title = "Leaks on demand",
	.citation = "none",
	.card = "test only",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_CLASSES,
	.version = 1,
	.options = options,
	.options_size = sizeof(opts),
	.plan = plan,
	.fit = fit,
	.sample = sample,
	.destroy = destroy,
	.save = save,
	.score = score,
	.log_density = log_density,
	.latent_dim = latent_dim,
	.encode = encode,
	.decode = decode,
};

/* ------------------------------------------------------------------ the test */

static iso_error err;

static iso_verdict verify(int kind, uint64_t seed)
{
	const opts full = {.kind = kind, .steps = 120}, small = {.kind = kind, .steps = 20};
	iso_table *t = fx_table(fx_schema(), 200, 3);
	const iso_verify_request r = {.generator = &leaky,
				      .options = &small,
				      .full_options = &full,
				      .data = t,
				      .epsilon = 1,
				      .delta = 1e-5,
				      .accountant = ISO_ACC_RDP,
				      .seed = seed,
				      .pairs = 8};
	iso_verdict v;

	tk_ok(iso_verify(&r, &v, &err));
	iso_table_free(t);
	return v;
}

static const struct {
	enum kind kind;
	const char *name;
	iso_check check; /* that must see it */
	const char *says;
} leaks[] = {
	{SCORE, "score", ISO_CHECK_OUTPUT, "(score)"},
	{DENSITY, "density", ISO_CHECK_OUTPUT, "(log_density)"},
	{ENCODE, "encode", ISO_CHECK_OUTPUT, "(encode)"},
	{DECODE, "decode", ISO_CHECK_OUTPUT, "(decode)"},
	{FAR_ROW, "a far row", ISO_CHECK_OUTPUT, "sample row 9000"},
	{KEYED, "some keys", ISO_CHECK_OUTPUT, "sample row"},
	{CACHE, "cache of the first fit", ISO_CHECK_OUTPUT, "\"row\""},
	{SECOND, "from the second fit on", ISO_CHECK_ORDINARY, "second training"},
	{UNCHARGED, "uncharged curve point", ISO_CHECK_LEDGER, "nothing uncharged is booked"},
	{WATCHED, "only unwatched", ISO_CHECK_ORDINARY, "not recorded"},
	{TWICE, "the same noise twice", ISO_CHECK_ORDINARY, "not recorded"},
	{ERROR_TEXT, "numbers in an error text", ISO_CHECK_OUTPUT, "singular"},
	{CONSTANT, "constant columns", ISO_CHECK_OUTPUT, "constant table"},
	{TIED, "ties", ISO_CHECK_OUTPUT, "table"},
	{LARGE, "above 1,000 rows", ISO_CHECK_OUTPUT, "large table"},
	{LATE, "from step 100 on", ISO_CHECK_OUTPUT, "full options"},
	{SEED, "some seeds", ISO_CHECK_OUTPUT, "\"row\""},
	{READ_FILE, "reads a file", ISO_CHECK_ISOLATION, "/etc/passwd"},
	{WRITE_FILE, "writes a file", ISO_CHECK_ISOLATION, "/tmp/isoeps-leaks-test"},
	{STDERR, "standard error", ISO_CHECK_OUTPUT, "loss"},
	{STDOUT, "standard output", ISO_CHECK_OUTPUT, "loss"},
	{FORK, "another process", ISO_CHECK_ISOLATION, ""},
	{NETWORK, "the network", ISO_CHECK_ISOLATION, "socket"},
	{CRASH, "crashes on a record", ISO_CHECK_OUTPUT, "signal"},
};

START_TEST(every_leak_is_found)
{
	const int i = _i;
	const iso_verdict v = verify(leaks[i].kind, 1);
	const iso_check_result *k = &v.check[leaks[i].check];

	ck_assert_msg(v.flows && k->failed > 0, "\"%s\" was not seen by %s", leaks[i].name,
		      iso_check_name(leaks[i].check));
	ck_assert_msg(strstr(k->what, leaks[i].says) != NULL, "%s: %s", leaks[i].name, k->what);
}
END_TEST

START_TEST(no_twin_raises_an_alarm)
{
	const int twins[] = {PLAIN,  SORTED_SUM,   ADAPTIVE, NOT_FINITE,
			     CHATTY, PUBLIC_CACHE, CLOCK,    HONEST_SCORE};
	const iso_verdict v = verify(twins[_i], 1);

	for (int c = 0; c < ISO_CHECK_COUNT; c++)
		ck_assert_msg(!v.check[c].failed, "twin %d: %s: %s", _i,
			      iso_check_name((iso_check)c), v.check[c].what);
	ck_assert_int_eq(v.flows, 0);
	ck_assert_str_eq(v.skipped, "");
	ck_assert_uint_eq(v.check[ISO_CHECK_ORDINARY].runs, 12);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plugins/leaks");
	TCase *c = tcase_create("leaks");

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, every_leak_is_found, 0, (int)ISO_COUNT(leaks));
	tcase_add_loop_test(c, no_twin_raises_an_alarm, 0, 8);
	suite_add_tcase(s, c);
	return tk_run(s);
}
