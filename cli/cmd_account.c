// SPDX-License-Identifier: Apache-2.0
/* `isoeps account`: the accountants as a calculator; everything but the command line is
 * core/privacy/account_json.c. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "core/base/alloc.h"
#include "core/base/text.h"
#include "core/io/file.h"
#include "core/privacy/account_json.h"

#define MAX_INPUT ((size_t)256 << 20)
#define MAX_LINE ((size_t)16 << 20)

static const iso_verb_help help = {
	.verb = "account",
	.operands = "[FILE|-]",
	.summary = "what do these releases cost together? or: how much noise do they need?",
	.text = "Reads a list of releases of private data and prints the epsilon of all of them "
		"together at one delta, "
		"under\n"
		"every accountant: pld (certified lower and upper bound), rdp (tight and classic "
		"conversion), moments "
		"(integer\n"
		"orders) and gdp (central limit: an approximation, never a guarantee).\n"
		"  --epsilon E         asks the other way: delta at that epsilon\n"
		"  --target-epsilon E  asks for the noise: one common factor on every event's "
		"noise, as small as E "
		"allows\n\n"
		"Input (FILE, or - for standard input):\n"
		"  {\"delta\": 1e-5, \"adjacency\": \"add-remove\", \"events\": [\n"
		"    {\"mechanism\": \"gaussian\", \"noise_multiplier\": 1.1, \"sampling_rate\": "
		"0.01, \"count\": "
		"10000},\n"
		"    {\"mechanism\": \"laplace\", \"scale\": 10}]}\n"
		"  adjacency  add-remove (default) or replace-one, which doubles the sensitivity "
		"of noise scales\n"
		"Events, each with \"count\" (default 1):\n"
		"  gaussian            noise_multiplier = noise sd / L2 sensitivity of one record; "
		"sampling none, "
		"poisson or\n"
		"                      without-replacement with sampling_rate (a rate below 1 "
		"means poisson)\n"
		"  laplace             scale = noise scale / L1 sensitivity of one record\n"
		"  exponential         epsilon (bounded range)\n"
		"  pure                epsilon, delta (worst case)\n"
		"  zcdp                rho\n"
		"  rdp                 order, epsilon: Renyi divergence at that order\n"
		"  randomized-response epsilon\n"
		"  pate-lnmax, -gnmax  scale of the noise on each vote count, and votes "
		"[[n_1,..,n_m],..] or queries, "
		"classes\n"
		"  parallel            groups [[events],[events],..] on disjoint records\n"
		"--batch reads JSON Lines: one input a line, with \"id\", \"epsilon\", "
		"\"target_epsilon\", \"solve\" "
		"or\n"
		"\"accountant\" where wanted; one answer a line, in order.  A bad line gives "
		"{\"id\":..,\"error\":..}, "
		"stops nothing,\n"
		"and makes the exit status 2.\n"
		"Where an accountant does not apply JSON has null; \"inf\" means that no finite "
		"guarantee exists.\n\n"
		"Examples:\n"
		"  isoeps account --noise-multiplier 1.1 --sampling-rate 0.01 --steps 10000 "
		"--delta 1e-5\n"
		"  isoeps account --sampling-rate 0.01 --steps 10000 --delta 1e-5 --target-epsilon "
		"1\n"
		"  isoeps account plan.json --json\n"
		"  isoeps account plan.json --epsilon 2\n"
		"  isoeps account --batch plans.jsonl\n",
	.min_operands = 0,
	.max_operands = 1,
};

typedef struct settings {
	iso_account_options ask;
	const char *accountant, *adjacency;
	double noise, rate, steps;
	int batch;
} settings;

static iso_status choose(const char *flag, const char *word, const char *first, const char *second,
			 int *out, iso_error *err)
{
	if (!word)
		return ISO_OK;
	ISO_FAIL_IF(strcmp(word, first) != 0 && strcmp(word, second) != 0, err, ISO_E_USAGE,
		    "unknown word (%s %.40s): it is not one of the two; use %s or %s", flag, word,
		    first, second);
	*out = strcmp(word, second) == 0;
	return ISO_OK;
}

static iso_status check_settings(settings *s, size_t operands, iso_error *err)
{
	const int flags = !isnan(s->noise) || !isnan(s->rate) || !isnan(s->steps);
	int unused = 0;

	ISO_TRY(choose("--accountant", s->accountant, "pld", "rdp", &s->ask.accountant, err));
	ISO_TRY(choose("--adjacency", s->adjacency, "add-remove", "replace-one", &s->ask.adjacency,
		       err));
	ISO_TRY(choose("--solve", s->ask.solve, "noise_multiplier", "scale", &unused, err));
	ISO_FAIL_IF(!operands && !flags, err, ISO_E_USAGE,
		    "no events (isoeps account): neither a file nor flags were given; see isoeps "
		    "account --help");
	ISO_FAIL_IF(operands && flags, err, ISO_E_USAGE,
		    "events given twice (isoeps account): a file beside --noise-multiplier, "
		    "--sampling-rate or --steps; "
		    "keep one");
	ISO_FAIL_IF(!operands && s->batch, err, ISO_E_USAGE,
		    "no file (isoeps account --batch): JSON Lines are needed; give a file or - for "
		    "standard input");
	ISO_FAIL_IF(flags && isnan(s->noise) && isnan(s->ask.target_epsilon), err, ISO_E_USAGE,
		    "option missing (isoeps account): the noise is not known; give "
		    "--noise-multiplier, or --target-epsilon "
		    "to solve for it");
	return ISO_OK;
}

/* The flags as an input text: one Gaussian event. */
static void flags_text(const settings *s, iso_str *text)
{
	iso_str_add(text, "{\"events\":[{\"mechanism\":\"gaussian\"");
	if (!isnan(s->noise)) {
		iso_str_add(text, ",\"noise_multiplier\":");
		iso_account_number(s->noise, text);
	}
	if (!isnan(s->rate)) {
		iso_str_add(text, ",\"sampling_rate\":");
		iso_account_number(s->rate, text);
	}
	if (!isnan(s->steps)) {
		iso_str_add(text, ",\"count\":");
		iso_account_number(s->steps, text);
	}
	iso_str_add(text, "}]}");
}

static iso_status account(const settings *s, const char *path, iso_str *out, iso_error *err)
{
	char *text = NULL;
	size_t n = 0;
	iso_status st;

	if (!path) {
		iso_str flags = {0};

		flags_text(s, &flags);
		st = iso_str_check(&flags, err);
		if (st == ISO_OK)
			st = iso_account_text(flags.p, flags.n, "flags", &s->ask, out, err);
		iso_str_free(&flags);
		return st;
	}
	ISO_TRY(iso_file_read(path, MAX_INPUT, &text, &n, err));
	if (strcmp(path, "-") == 0)
		path = "standard input";
	st = iso_account_text(text, n, path, &s->ask, out, err);
	iso_free(text);
	return st;
}

/* ------------------------------------------------------------------ batch */

/* One line of standard input, without its newline; *more = 0 at the end. */
static iso_status read_line(iso_str *line, int *more, iso_error *err)
{
	char part[4096];

	line->n = 0;
	*more = 0;
	while (fgets(part, sizeof(part), stdin)) {
		size_t n = strlen(part);
		const int whole = n > 0 && part[n - 1] == '\n';

		*more = 1;
		iso_str_addn(line, part, n - (size_t)whole);
		ISO_TRY(iso_str_check(line, err));
		ISO_FAIL_IF(line->n > MAX_LINE, err, ISO_E_LIMIT,
			    "line too long (standard input): more than %zu bytes; one input is one "
			    "line",
			    MAX_LINE);
		if (whole)
			break;
	}
	ISO_FAIL_IF(ferror(stdin), err, ISO_E_IO, "cannot read (standard input): %s",
		    strerror(errno));
	return ISO_OK;
}

/* The answer to one line, written at once: a reader of the pipe waits for it. */
static iso_status answer_line(iso_account_lines *b, const char *line, size_t n, size_t *bad,
			      iso_error *err)
{
	iso_str out = {0}, shown = {0};
	int failed = 0;
	iso_status st = iso_account_lines_next(b, line, n, &out, &failed, err);

	*bad += (size_t)failed;
	if (st == ISO_OK && out.n) {
		iso_text_visible_json(out.p, &shown);
		st = iso_str_check(&shown, err);
	}
	if (st == ISO_OK && shown.n)
		st = iso_stdout_write(shown.p, shown.n, err);
	iso_str_free(&shown);
	iso_str_free(&out);
	return st;
}

static iso_status batch_stdin(iso_account_lines *b, size_t *bad, iso_error *err)
{
	iso_str line = {0};
	int more = 1;
	iso_status st = ISO_OK;

	while (more && st == ISO_OK) {
		st = read_line(&line, &more, err);
		if (more && st == ISO_OK)
			st = answer_line(b, line.p ? line.p : "", line.n, bad, err);
	}
	iso_str_free(&line);
	return st;
}

static iso_status batch_file(iso_account_lines *b, const char *path, size_t *bad, iso_error *err)
{
	char *text = NULL;
	size_t n = 0;
	iso_status st = ISO_OK;

	ISO_TRY(iso_file_read(path, MAX_INPUT, &text, &n, err));
	for (size_t at = 0; at < n && st == ISO_OK;) {
		const char *newline = memchr(text + at, '\n', n - at);
		const size_t length = newline ? (size_t)(newline - (text + at)) : n - at;

		st = answer_line(b, text + at, length, bad, err);
		at += length + 1;
	}
	iso_free(text);
	return st;
}

static int batch(const settings *s, const char *path)
{
	const int piped = strcmp(path, "-") == 0;
	iso_account_lines *b = NULL;
	iso_error err = {0};
	size_t bad = 0;
	iso_status st = iso_account_lines_new(piped ? "standard input" : path, &s->ask, &b, &err);

	signal(SIGPIPE, SIG_DFL); /* as other filters: `head` may close the pipe */
	if (st == ISO_OK)
		st = piped ? batch_stdin(b, &bad, &err) : batch_file(b, path, &bad, &err);
	iso_account_lines_free(b);
	if (st != ISO_OK)
		return iso_cli_fail(&err);
	return bad ? 2 : 0;
}

int cmd_account(int argc, char **argv)
{
	settings s = {.ask = ISO_ACCOUNT_OPTIONS_NONE, .noise = NAN, .rate = NAN, .steps = NAN};
	const iso_arg table[] = {
		{"--noise-multiplier", ISO_ARG_REAL, &s.noise, "S",
		 "noise sd / L2 sensitivity of one record"},
		{"--sampling-rate", ISO_ARG_REAL, &s.rate, "Q",
		 "Poisson sampling rate (default: no sampling)"},
		{"--steps", ISO_ARG_REAL, &s.steps, "T", "number of releases (default 1)"},
		{"--delta", ISO_ARG_REAL, &s.ask.delta, "D", "delta; overrides the input's"},
		{"--adjacency", ISO_ARG_TEXT, &s.adjacency, "A",
		 "add-remove or replace-one; overrides the input's"},
		{"--epsilon", ISO_ARG_REAL, &s.ask.epsilon, "E", "print delta at this epsilon"},
		{"--target-epsilon", ISO_ARG_REAL, &s.ask.target_epsilon, "E",
		 "print the noise that spends this epsilon"},
		{"--solve", ISO_ARG_TEXT, &s.ask.solve, "WHAT",
		 "noise_multiplier or scale (default: the first event's)"},
		{"--accountant", ISO_ARG_TEXT, &s.accountant, "NAME",
		 "that solves: pld (default) or rdp"},
		{"--batch", ISO_ARG_FLAG, &s.batch, NULL, "JSON Lines in, JSON Lines out"},
		{"--json", ISO_ARG_FLAG, &s.ask.json, NULL, "machine-readable output"},
		{0}};
	const char *operand[1] = {NULL};
	size_t operands = 0;
	int helped = 0;
	iso_str out = {0};
	iso_error err = {0};

	if (iso_args_read(&help, table, argc, argv, operand, &operands, &helped, &err) != ISO_OK)
		return iso_cli_fail(&err);
	if (helped)
		return 0;
	if (check_settings(&s, operands, &err) != ISO_OK)
		return iso_cli_fail(&err);
	if (s.batch)
		return batch(&s, operand[0]);
	if (account(&s, operands ? operand[0] : NULL, &out, &err) != ISO_OK) {
		iso_str_free(&out);
		return iso_cli_fail(&err);
	}
	return iso_cli_print(&out, 0);
}
