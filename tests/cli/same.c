// SPDX-License-Identifier: Apache-2.0
/* same A B: are two output directories equal, outside the records' key "run"?  Compares bytes:
 * suite.json, every record up to its line "run", every file of samples, and results.csv without the
 * rows of kind cost.  Exit status 0 or 1. */
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/file.h"

static int differences;

static void differ(const char *name, const char *why)
{
	printf("%s: %s\n", name, why);
	differences++;
}

static char *slurp(const char *dir, const char *name, size_t *n)
{
	iso_str path = {0};
	iso_error err = {0};
	char *text = NULL;

	iso_str_addf(&path, "%s/%s", dir, name);
	if (iso_file_read(path.p, 0, &text, n, &err) != ISO_OK)
		differ(name, err.text);
	iso_str_free(&path);
	return text;
}

/* Bytes up to the record's last key "run"; a record without it is a difference. */
static size_t before_run(const char *text, const char *name)
{
	const char *run = strstr(text, "\n\t\"run\":");

	if (run)
		return (size_t)(run - text);
	differ(name, "no key \"run\" at the top level");
	return 0;
}

static void drop_costs(char *text)
{
	char *to = text;

	for (char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		char saved = line[n];

		line[n] = 0;
		int cost = strstr(line, ",cost,") != NULL;

		line[n] = saved;
		n += saved == '\n';
		if (!cost) {
			memmove(to, line, n);
			to += n;
		}
		line += n;
	}
	*to = 0;
}

enum { WHOLE, RECORD, TABLE };

static void compare(const char *a, const char *b, const char *name, int how)
{
	size_t na = 0, nb = 0;
	char *ta = slurp(a, name, &na), *tb = slurp(b, name, &nb);

	if (ta && tb) {
		if (how == RECORD) {
			na = before_run(ta, name);
			nb = before_run(tb, name);
		} else if (how == TABLE) {
			drop_costs(ta);
			drop_costs(tb);
			na = strlen(ta);
			nb = strlen(tb);
		}
		if (na != nb || memcmp(ta, tb, na) != 0)
			differ(name, "the bytes differ");
	}
	iso_free(ta);
	iso_free(tb);
}

/* Every file of A/sub must be the same in B/sub, and there must be no others. */
static size_t compare_all(const char *a, const char *b, const char *sub, const char *suffix,
			  int how)
{
	iso_str pa = {0}, pb = {0};
	char **na = NULL, **nb = NULL;
	size_t ca = 0, cb = 0;
	iso_error err = {0};

	iso_str_addf(&pa, "%s/%s", a, sub);
	iso_str_addf(&pb, "%s/%s", b, sub);
	if (iso_file_exists(pa.p) || iso_file_exists(pb.p)) {
		if (iso_list_dir(pa.p, suffix, &na, &ca, &err) != ISO_OK ||
		    iso_list_dir(pb.p, suffix, &nb, &cb, &err) != ISO_OK)
			differ(sub, err.text);
	}
	if (ca != cb)
		differ(sub, "not the same number of files");
	for (size_t i = 0; i < ca && i < cb; i++) {
		iso_str name = {0};

		iso_str_addf(&name, "%s/%s", sub, na[i]);
		compare(a, b, name.p, how);
		iso_str_free(&name);
	}
	for (size_t i = 0; i < ca; i++)
		iso_free(na[i]);
	for (size_t i = 0; i < cb; i++)
		iso_free(nb[i]);
	iso_free(na);
	iso_free(nb);
	iso_str_free(&pa);
	iso_str_free(&pb);
	return ca;
}

int main(int argc, char **argv)
{
	size_t records, samples;

	if (argc != 3) {
		fprintf(stderr, "usage: same DIR DIR\n");
		return 2;
	}
	compare(argv[1], argv[2], "suite.json", WHOLE);
	records = compare_all(argv[1], argv[2], "cells", ".json", RECORD);
	samples = compare_all(argv[1], argv[2], "samples", ".csv.gz", WHOLE);
	compare(argv[1], argv[2], "results.csv", TABLE);
	if (records == 0)
		differ(argv[1], "no records");
	printf("%zu records, %zu samples, %d differences\n", records, samples, differences);
	return differences != 0;
}
