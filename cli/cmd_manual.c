// SPDX-License-Identifier: Apache-2.0
/* Man pages, from the tables that read the options. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/verbs.h"
#include "core/io/file.h"

static const iso_verb_help help = {
	.verb = "manual",
	.operands = "[VERB]",
	.summary = "man pages of isoeps and its verbs",
	.text = "Prints the page of VERB (without one, of isoeps) as roff; --out writes every "
		"page.\n\n"
		"Examples:\n"
		"  isoeps manual run | man -l -\n"
		"  isoeps manual --out ~/.local/share/man/man1\n",
	.min_operands = 0,
	.max_operands = 1,
};

/* Text as roff takes it: no escape, no request at the beginning of a line, hyphens as typed. */
static void roff(const char *text, iso_str *out)
{
	int start = 1;

	for (; *text; text++) {
		if (start && (*text == '.' || *text == '\''))
			iso_str_add(out, "\\&");
		if (*text == '\\')
			iso_str_add(out, "\\e");
		else if (*text == '-')
			iso_str_add(out, "\\-");
		else
			iso_str_addn(out, text, 1);
		start = *text == '\n';
	}
}

static void head(const char *name, const char *verb, const char *summary, iso_str *out)
{
	iso_str_addf(out, ".TH \"%s\" 1 \"\" \"isoeps %s\" \"User Commands\"\n.SH NAME\n", name,
		     ISO_VERSION);
	roff(name, out);
	iso_str_add(out, " \\- ");
	roff(summary, out);
	iso_str_addf(out, "\n.SH SYNOPSIS\n.B isoeps%s%s\n", *verb ? " " : "", verb);
}

static void option(const iso_arg *a, iso_str *out)
{
	iso_str_add(out, ".TP\n.B ");
	roff(a->flag, out);
	if (a->value) {
		iso_str_add(out, " \\fI");
		roff(a->value, out);
		iso_str_addf(out, "\\fR%s", a->kind == ISO_ARG_TEXTS ? " ..." : "");
	}
	iso_str_add(out, "\n");
	roff(a->help, out);
	iso_str_add(out, "\n");
}

/* An iso_args_visit_fn: ctx is the text. */
static void verb_page(void *ctx, const iso_verb_help *h, const iso_arg *table)
{
	iso_str *out = ctx;
	char name[64];

	snprintf(name, sizeof(name), "isoeps-%s", h->verb);
	head(name, h->verb, h->summary, out);
	if (*h->operands) {
		iso_str_add(out, ".I ");
		roff(h->operands, out);
		iso_str_add(out, "\n");
	}
	iso_str_add(out, ".RI [ option ]...\n.SH DESCRIPTION\n.nf\n");
	roff(h->text, out);
	iso_str_add(out, ".fi\n.SH OPTIONS\n");
	for (const iso_arg *a = table; a->flag; a++)
		option(a, out);
	for (const iso_arg *a = iso_common_args; a->flag; a++)
		option(a, out);
	iso_str_add(out, ".SH SEE ALSO\n.BR isoeps (1)\n");
}

static void main_page(iso_str *out)
{
	head("isoeps", "", "compare private generators of synthetic data at equal epsilon", out);
	iso_str_add(out, ".I VERB\n.RI [ operand ]...\n.RI [ option ]...\n.SH VERBS\n");
	for (const iso_verb *v = iso_verbs; v->name; v++) {
		iso_str_addf(out, ".TP\n.BR isoeps\\-%s (1)\n", v->name);
		roff(v->summary, out);
		iso_str_add(out, "\n");
	}
	iso_str_add(out,
		    ".SH EXIT STATUS\n0 done; 1 a check failed; 2 usage or configuration; 3 bad "
		    "data; 4 internal or environment; 130 interrupted.\n"
		    ".SH ENVIRONMENT\n"
		    ".TP\n.B ISOEPS_DATA\na folder with the files of data sets that are known by "
		    "name\n"
		    ".TP\n.B ISOEPS_SUITES\nthe folder of suites, in place of those that come with "
		    "the program\n"
		    ".TP\n.B NO_COLOR\nno escape sequences on a terminal\n");
}

static iso_status page(const char *verb, iso_str *out, iso_error *err)
{
	char *argv[] = {"", NULL};

	if (!verb) {
		main_page(out);
		return iso_str_check(out, err);
	}
	for (const iso_verb *v = iso_verbs; v->name; v++) {
		if (strcmp(v->name, verb) != 0)
			continue;
		iso_args_visit(verb_page, out);
		(void)v->run(1, argv);
		iso_args_visit(NULL, NULL);
		return iso_str_check(out, err);
	}
	return iso_fail(err, ISO_E_USAGE, "unknown verb (%s): see isoeps --help", verb);
}

static iso_status write_page(const char *dir, const char *verb, iso_error *err)
{
	iso_str text = {0}, path = {0};
	iso_status st;

	iso_str_addf(&path, "%s/isoeps%s%s.1", dir, verb ? "-" : "", verb ? verb : "");
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(page(verb, &text, err));
	st = iso_file_write_atomic(path.p, text.p, text.n, err);
out:
	iso_str_free(&text);
	iso_str_free(&path);
	return st;
}

int cmd_manual(int argc, char **argv)
{
	const char *verb = NULL, *dir = NULL;
	const iso_arg table[] = {
		{"--out", ISO_ARG_TEXT, &dir, "DIR", "write all pages into this folder"}, {0}};
	iso_error err = {0};
	iso_str out = {0};
	size_t n = 0;
	int helped;
	iso_status st = iso_args_read(&help, table, argc, argv, &verb, &n, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	if (st == ISO_OK && !dir)
		st = page(verb, &out, &err);
	if (st == ISO_OK && dir)
		st = iso_make_dirs(dir, &err);
	if (st == ISO_OK && dir)
		st = write_page(dir, NULL, &err);
	for (const iso_verb *v = iso_verbs; st == ISO_OK && dir && v->name; v++)
		st = write_page(dir, v->name, &err);
	if (st == ISO_OK)
		return iso_cli_print(&out, 0);
	iso_str_free(&out);
	return iso_cli_fail(&err);
}
