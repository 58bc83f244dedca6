// SPDX-License-Identifier: Apache-2.0
/* A plug-in to begin with: the template under a name of its own, and a Makefile. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "core/base/alloc.h"
#include "core/io/file.h"
#include "core/io/share.h"

static const iso_verb_help help = {
	.verb = "new",
	.operands = "generator|attack|metric NAME",
	.summary = "begin a plug-in: a template that works, and a Makefile",
	.text = "Writes NAME/NAME.c and NAME/Makefile.  `make` builds NAME.so against the "
		"installed "
		"headers (pkg-config finds\n"
		"them), `make try` asks isoeps for its card, and a generator is verified.  Every "
		"verb takes the result as\n"
		"--plugin ./NAME.so; suites then name it like any other.\n\n"
		"Example:\n"
		"  isoeps new generator my-method && make -C my-method try\n",
	.min_operands = 2,
	.max_operands = 2,
};

typedef struct plugin {
	const char *kind, *name;
	char stem[64]; /* NAME with _ for -, as part of a symbol */
} plugin;

static iso_status read_names(const char *kind, const char *name, plugin *p, iso_error *err)
{
	static const char *const kinds[] = {"generator", "attack", "metric"};
	const char *near;
	size_t n = strlen(name);
	int known = 0;

	for (size_t i = 0; i < ISO_COUNT(kinds); i++)
		known |= strcmp(kind, kinds[i]) == 0;
	near = known ? NULL : iso_nearest_word(kind, kinds, ISO_COUNT(kinds));
	ISO_FAIL_IF(!known, err, ISO_E_USAGE, "unknown kind (isoeps new %.40s): %s%s%s", kind,
		    near ? "did you mean " : "it must be generator, attack or metric",
		    near ? near : "", near ? "?" : "");
	ISO_FAIL_IF(n == 0 || n > 60 || !islower((unsigned char)*name) ||
			    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != n,
		    err, ISO_E_USAGE,
		    "bad name (isoeps new %s %.80s): use lower-case letters, digits and hyphens, "
		    "and begin with a letter",
		    kind, name);
	*p = (plugin){.kind = kind, .name = name};
	for (size_t i = 0; i <= n; i++)
		p->stem[i] = name[i] == '-' ? '_' : name[i];
	return ISO_OK;
}

/* Appends text with every `from` as `to`. */
static void replace(const char *text, const char *from, const char *to, iso_str *out)
{
	for (const char *at; (at = strstr(text, from)) != NULL; text = at + strlen(from)) {
		iso_str_addn(out, text, (size_t)(at - text));
		iso_str_add(out, to);
	}
	iso_str_add(out, text);
}

static iso_status read_template(const plugin *p, char **text, iso_error *err)
{
	char name[64], path[4096];
	size_t n;

	snprintf(name, sizeof(name), "templates/%s.c", p->kind);
	ISO_FAIL_IF(!iso_share_find(name, path, sizeof(path)), err, ISO_E_CONFIG,
		    "no template (share/isoeps/%s): it is not beside the program; install isoeps "
		    "again",
		    name);
	return iso_file_read(path, 0, text, &n, err);
}

static iso_status source_of(const plugin *p, iso_str *out, iso_error *err)
{
	static const char field[] = "\n\t.name = \"";
	char old[64], new[128];
	const char *at, *rest;
	char *text = NULL;
	iso_str named = {0};

	ISO_TRY(read_template(p, &text, err));
	snprintf(old, sizeof(old), "iso_%s_template", p->kind);
	snprintf(new, sizeof(new), "iso_%s_%s", p->kind, p->stem);
	replace(text, old, new, &named);
	iso_free(text);
	at = named.p ? strstr(named.p, field) : NULL;
	rest = at ? strchr(at + sizeof(field) - 1, '"') : NULL;
	if (!rest) {
		iso_str_free(&named);
		return iso_fail(err, ISO_E_INTERNAL,
				"the %s template has no name to change; report this", p->kind);
	}
	iso_str_addn(out, named.p, (size_t)(at - named.p) + sizeof(field) - 1);
	iso_str_add(out, p->name);
	iso_str_add(out, rest);
	out->failed |= named.failed;
	iso_str_free(&named);
	iso_str_addf(out,
		     "\n/* What `isoeps --plugin ./%s.so` asks for. */\n"
		     "const iso_%s *iso_plugin_%s(void);\n"
		     "const iso_%s *iso_plugin_%s(void)\n{\n\treturn &%s;\n}\n",
		     p->name, p->kind, p->kind, p->kind, p->kind, new);
	return iso_str_check(out, err);
}

static void makefile_of(const plugin *p, iso_str *out)
{
	iso_str_addf(out,
		     "# %s: a %s of isoeps as a shared object.  Without an installed isoeps set "
		     "PKG_CONFIG_PATH.\n"
		     "CFLAGS ?= -O2 -g -Wall -Wextra -Wno-missing-field-initializers\n"
		     "ISOEPS ?= isoeps\n\n"
		     "%s.so: %s.c\n"
		     "\t$(CC) $(CFLAGS) -ffp-contract=off -fPIC -shared $$(pkg-config --cflags "
		     "isoeps) -o $@ $<\n\n"
		     "try: %s.so\n"
		     "\t$(ISOEPS) describe %s --plugin ./%s.so\n",
		     p->name, p->kind, p->name, p->name, p->name, p->name, p->name);
	if (strcmp(p->kind, "generator") == 0)
		iso_str_addf(out, "\t$(ISOEPS) verify %s --plugin ./%s.so\n", p->name, p->name);
	iso_str_addf(out, "\nclean:\n\trm -f %s.so\n.PHONY: try clean\n", p->name);
}

static iso_status write_file(const char *dir, const char *name, const iso_str *text, iso_error *err)
{
	iso_str path = {0};
	iso_status st;

	iso_str_addf(&path, "%s/%s", dir, name);
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_str_check(text, err));
	if (iso_file_exists(path.p))
		st = iso_fail(err, ISO_E_USAGE,
			      "file exists (%s): nothing is overwritten; choose another name or "
			      "--out",
			      path.p);
	else
		st = iso_file_write_atomic(path.p, text->p, text->n, err);
out:
	iso_str_free(&path);
	return st;
}

static iso_status write_plugin(const plugin *p, const char *dir, iso_error *err)
{
	iso_str source = {0}, make = {0};
	char file[80];
	iso_status st;

	ISO_TRY_OUT(source_of(p, &source, err));
	makefile_of(p, &make);
	ISO_TRY_OUT(iso_make_dirs(dir, err));
	snprintf(file, sizeof(file), "%s.c", p->name);
	ISO_TRY_OUT(write_file(dir, file, &source, err));
	ISO_TRY_OUT(write_file(dir, "Makefile", &make, err));
out:
	iso_str_free(&source);
	iso_str_free(&make);
	return st;
}

int cmd_new(int argc, char **argv)
{
	const char *operand[2], *dir = NULL;
	const iso_arg table[] = {
		{"--out", ISO_ARG_TEXT, &dir, "DIR", "where to write (default: NAME)"}, {0}};
	iso_error err = {0};
	iso_str out = {0};
	plugin p = {0};
	size_t n = 0;
	int helped;
	iso_status st = iso_args_read(&help, table, argc, argv, operand, &n, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	if (st == ISO_OK)
		st = read_names(operand[0], operand[1], &p, &err);
	if (st == ISO_OK)
		st = write_plugin(&p, dir ? dir : p.name, &err);
	if (st != ISO_OK)
		return iso_cli_fail(&err);
	dir = dir ? dir : p.name;
	iso_str_addf(&out, "wrote %s/%s.c and %s/Makefile\nnext: make -C %s try\n", dir, p.name,
		     dir, dir);
	return iso_cli_print(&out, 0);
}
