// SPDX-License-Identifier: Apache-2.0
/* Completions of shells, from the tables that read the options and from the registries. */
#include <stdio.h>
#include <string.h>

#include "attacks/attack.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/verbs.h"
#include "generators/generator.h"
#include "metrics/metric.h"

static const iso_verb_help help = {
	.verb = "completion",
	.operands = "bash|zsh|fish",
	.summary = "a script that completes verbs, options and names",
	.text = "Examples:\n"
		"  isoeps completion bash > ~/.local/share/bash-completion/completions/isoeps\n"
		"  isoeps completion zsh > ~/.zfunc/_isoeps\n"
		"  isoeps completion fish > ~/.config/fish/completions/isoeps.fish\n",
	.min_operands = 1,
	.max_operands = 1,
};

typedef struct script {
	iso_str *out;
	const char *shell;
} script;

/* ------------------------------------------------------------------ words */

static void generators(iso_str *out)
{
	for (size_t i = 0; i < iso_generator_count(); i++)
		iso_str_addf(out, " %s", iso_generator_at(i)->name);
}

static void everything(iso_str *out)
{
	generators(out);
	for (size_t i = 0; i < iso_attack_count(); i++)
		iso_str_addf(out, " %s", iso_attack_at(i)->name);
	for (size_t i = 0; i < iso_metric_count(); i++)
		iso_str_addf(out, " %s", iso_metric_at(i)->name);
}

static void verbs(iso_str *out)
{
	for (const iso_verb *v = iso_verbs; v->name; v++)
		iso_str_addf(out, " %s", v->name);
}

/* What the operands of a verb can be beside files: the alternatives that its help names, or names
 * of plug-ins. */
static void operand_words(const iso_verb_help *h, iso_str *out)
{
	if (strcmp(h->verb, "describe") == 0) {
		everything(out);
	} else if (strncmp(h->operands, "NAME", 4) == 0) {
		generators(out);
	} else if (strcmp(h->verb, "manual") == 0) {
		verbs(out);
	} else if (strcmp(h->verb, "list") == 0) {
		iso_str_add(out, " generators attacks metrics datasets suites");
	} else if (strcmp(h->verb, "new") == 0) {
		iso_str_add(out, " generator attack metric");
	} else if (strcmp(h->verb, "schema") == 0) {
		iso_str_add(out, " infer check");
	} else if (strcmp(h->verb, "data") == 0) {
		iso_str_add(out, " list get check");
	} else if (strcmp(h->verb, "completion") == 0) {
		iso_str_add(out, " bash zsh fish");
	}
}

/* "pld|rdp" as words; nothing for other values. */
static void value_words(const iso_arg *a, iso_str *out)
{
	if (!a->value || !strchr(a->value, '|'))
		return;
	for (const char *p = a->value; *p; p++)
		iso_str_addn(out, *p == '|' ? " " : p, 1);
}

static int takes_file(const iso_arg *a)
{
	return a->value && (strncmp(a->value, "FILE", 4) == 0 || strcmp(a->value, "DIR") == 0);
}

/* ------------------------------------------------------------------ bash and zsh */

static void bash_value(const iso_arg *a, iso_str *out)
{
	iso_str words = {0};

	if (!a->value)
		return;
	value_words(a, &words);
	if (takes_file(a))
		iso_str_addf(out, "\t\t%s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n",
			     a->flag);
	else
		iso_str_addf(out,
			     "\t\t%s) COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return ;;\n",
			     a->flag, words.p ? words.p : "");
	iso_str_free(&words);
}

static void bash_verb(const iso_verb_help *h, const iso_arg *table, iso_str *out)
{
	iso_str_addf(out, "\t%s)\n\t\tcase $prev in\n", h->verb);
	for (const iso_arg *a = table; a->flag; a++)
		bash_value(a, out);
	iso_str_add(out, "\t\tesac\n\t\toptions=\"");
	for (const iso_arg *a = table; a->flag; a++)
		iso_str_addf(out, "%s ", a->flag);
	for (const iso_arg *a = iso_common_args; a->flag; a++)
		iso_str_addf(out, "%s%s", a == iso_common_args ? "" : " ", a->flag);
	iso_str_add(out, "\"\n\t\twords=\"");
	operand_words(h, out);
	iso_str_add(out, "\" ;;\n");
}

/* -d 'TEXT' */
static void fish_text(const char *text, iso_str *out)
{
	iso_str_add(out, " -d '");
	for (; *text; text++)
		iso_str_addf(out, *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
	iso_str_add(out, "'\n");
}

static void fish_option(const char *verb, const iso_arg *a, iso_str *out)
{
	iso_str words = {0};

	value_words(a, &words);
	iso_str_addf(out, "complete -c isoeps -n '__fish_seen_subcommand_from %s' -l %s%s", verb,
		     a->flag + 2,
		     !a->value	     ? ""
		     : takes_file(a) ? " -rF"
				     : " -x");
	if (words.n)
		iso_str_addf(out, " -a '%s'", words.p);
	fish_text(a->help, out);
	iso_str_free(&words);
}

static void fish_verb(const iso_verb_help *h, const iso_arg *table, iso_str *out)
{
	iso_str words = {0};

	for (const iso_arg *a = table; a->flag; a++)
		fish_option(h->verb, a, out);
	for (const iso_arg *a = iso_common_args; a->flag; a++)
		fish_option(h->verb, a, out);
	operand_words(h, &words);
	if (words.n)
		iso_str_addf(out,
			     "complete -c isoeps -n '__fish_seen_subcommand_from %s' -a '%s'\n",
			     h->verb, words.p + 1);
	iso_str_free(&words);
}

/* An iso_args_visit_fn. */
static void one_verb(void *ctx, const iso_verb_help *h, const iso_arg *table)
{
	const script *s = ctx;

	(strcmp(s->shell, "fish") == 0 ? fish_verb : bash_verb)(h, table, s->out);
}

static void each_verb(script *s)
{
	char *argv[] = {"", NULL};

	iso_args_visit(one_verb, s);
	for (const iso_verb *v = iso_verbs; v->name; v++)
		(void)v->run(1, argv);
	iso_args_visit(NULL, NULL);
}

static void bash_script(script *s)
{
	if (strcmp(s->shell, "zsh") == 0)
		iso_str_add(s->out, "#compdef isoeps\n"
				    "autoload -U +X bashcompinit && bashcompinit\n");
	iso_str_add(s->out,
		    "# Completions of isoeps, written by `isoeps completion`.\n"
		    "_isoeps() {\n"
		    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev= verb= options= words= i\n"
		    "\t[ \"$COMP_CWORD\" -gt 0 ] && prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		    "\tCOMPREPLY=()\n"
		    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		    "\t\tcase ${COMP_WORDS[i]} in -*) ;; *) verb=${COMP_WORDS[i]}; break ;; "
		    "esac\n"
		    "\tdone\n"
		    "\tcase $verb in\n"
		    "\t\"\") options=\"--help --quiet --verbose --version\" words=\"help version");
	verbs(s->out);
	iso_str_add(s->out, "\" ;;\n\thelp) words=\"");
	verbs(s->out);
	iso_str_add(s->out, "\" ;;\n");
	each_verb(s);
	iso_str_add(s->out, "\tesac\n"
			    "\tcase $cur in\n"
			    "\t-*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
			    "\t*)\n"
			    "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
			    "\t\t[ -n \"$verb\" ] && COMPREPLY+=($(compgen -f -- \"$cur\")) ;;\n"
			    "\tesac\n"
			    "}\n"
			    "complete -o filenames -F _isoeps isoeps\n");
}

static void fish_script(script *s)
{
	for (const iso_verb *v = iso_verbs; v->name; v++) {
		iso_str_addf(s->out, "complete -c isoeps -n __fish_use_subcommand -f -a %s",
			     v->name);
		fish_text(v->summary, s->out);
	}
	iso_str_add(s->out, "complete -c isoeps -n __fish_use_subcommand -f -a 'help version'\n"
			    "complete -c isoeps -n '__fish_seen_subcommand_from help' -f -a '");
	verbs(s->out);
	iso_str_add(s->out, "'\n");
	each_verb(s);
}

int cmd_completion(int argc, char **argv)
{
	const iso_arg table[] = {{0}};
	iso_error err = {0};
	iso_str out = {0};
	script s = {.out = &out};
	size_t n = 0;
	int helped;
	iso_status st = iso_args_read(&help, table, argc, argv, &s.shell, &n, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	if (st == ISO_OK && strcmp(s.shell, "bash") != 0 && strcmp(s.shell, "zsh") != 0 &&
	    strcmp(s.shell, "fish") != 0)
		st = iso_fail(&err, ISO_E_USAGE,
			      "unknown shell (%.40s): there are completions for bash, zsh and fish",
			      s.shell);
	if (st != ISO_OK)
		return iso_cli_fail(&err);
	(strcmp(s.shell, "fish") == 0 ? fish_script : bash_script)(&s);
	return iso_cli_print(&out, 0);
}
