// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "core/base/alloc.h"
#include "core/data/catalogue.h"
#include "core/data/split.h"
#include "core/io/file.h"

static const iso_verb_help help = {
	.verb = "split",
	.operands = "CSV",
	.summary = "cut a table into train, hold-out and auxiliary files, as `run` does",
	.text = "The rows are cut as `run` cuts them under the same seed: within each class of the "
		"label, by seed and row.\n"
		"Files hold private rows and are readable by their owner only. Ids and clients are "
		"left out.\n\n"
		"Example:\n"
		"  isoeps split people.csv --schema people.json --out parts\n"
		"  isoeps evaluate --train parts/train.csv --holdout parts/holdout.csv --synthetic "
		"s.csv --schema people.json\n",
	.min_operands = 1,
	.max_operands = 1,
};

typedef struct command {
	const char *schema, *out;
	iso_shares share;
	int64_t seed;
} command;

/* The file must not be readable by others at any moment: it is made empty and private first. */
static iso_status write_private(const char *path, const iso_str *text, iso_error *err)
{
	const mode_t before = umask(077);
	const iso_status st = iso_file_write_atomic(path, text->p, text->n, err);

	(void)umask(before);
	ISO_TRY(st);
	ISO_FAIL_IF(chmod(path, 0600) != 0, err, ISO_E_IO,
		    "cannot protect (%s): its mode cannot be set to 0600; check the file system",
		    path);
	return ISO_OK;
}

static iso_status write_part(const iso_table *t, const uint32_t *row, size_t n, const char *dir,
			     const char *name, iso_str *out, iso_error *err)
{
	iso_table *part = NULL;
	iso_str text = {0}, path = {0};
	iso_status st;

	if (n == 0)
		return ISO_OK;
	iso_str_addf(&path, "%s/%s.csv", dir, name);
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_table_select(t, row, n, &part, err));
	ISO_TRY_OUT(iso_table_to_csv(part, &text, err));
	ISO_TRY_OUT(write_private(path.p, &text, err));
	iso_str_addf(out, "wrote %s: %zu rows\n", path.p, n);
out:
	iso_table_free(part);
	iso_str_free(&text);
	iso_str_free(&path);
	return st;
}

static iso_status split(const char *csv, const command *c, iso_str *out, iso_error *err)
{
	iso_dataset *d = NULL;
	iso_split s = {0};
	iso_status st;

	ISO_TRY(iso_dataset_from_files(csv, c->schema, &d, err));
	ISO_TRY_OUT(iso_split_shares(d->table, (uint64_t)c->seed, &c->share, &s, err));
	ISO_TRY_OUT(iso_make_dirs(c->out, err));
	ISO_TRY_OUT(write_part(d->table, s.train, s.ntrain, c->out, "train", out, err));
	ISO_TRY_OUT(write_part(d->table, s.holdout, s.nholdout, c->out, "holdout", out, err));
	ISO_TRY_OUT(write_part(d->table, s.aux, s.naux, c->out, "auxiliary", out, err));
	ISO_TRY_OUT(write_part(d->table, s.public_rows, s.npublic, c->out, "public", out, err));
out:
	iso_split_free(&s);
	iso_dataset_free(d);
	return st;
}

int cmd_split(int argc, char **argv)
{
	command c = {.share = {0.5, 0.25, 0.25, 0}, .seed = 1};
	const char *csv = NULL;
	const iso_arg table[] = {
		{"--schema", ISO_ARG_TEXT, &c.schema, "FILE", "the schema of the rows, JSON"},
		{"--out", ISO_ARG_TEXT, &c.out, "DIR", "where the files go"},
		{"--train", ISO_ARG_REAL, &c.share.train, "SHARE", "default 0.5", 0, 1},
		{"--holdout", ISO_ARG_REAL, &c.share.holdout, "SHARE", "default 0.25", 0, 1},
		{"--aux", ISO_ARG_REAL, &c.share.aux, "SHARE", "default 0.25", 0, 1},
		{"--public", ISO_ARG_REAL, &c.share.public_rows, "SHARE", "default 0", 0, 1},
		{"--seed", ISO_ARG_INT, &c.seed, "S", "as the suite's seed (default 1)", 0,
		 4294967295.0},
		{0}};
	iso_str out = {0};
	iso_error err = {0};
	int helped = 0;
	size_t n = 0;
	iso_status st = iso_args_read(&help, table, argc, argv, &csv, &n, &helped, &err);

	if (st == ISO_OK && helped)
		return 0;
	if (st == ISO_OK && (!c.schema || !c.out))
		st = iso_fail(
			&err, ISO_E_USAGE,
			"option missing (isoeps split): %s is needed; see isoeps split --help",
			c.schema ? "--out" : "--schema");
	if (st == ISO_OK)
		st = split(csv, &c, &out, &err);
	if (st != ISO_OK) {
		iso_str_free(&out);
		return iso_cli_fail(&err);
	}
	return iso_cli_print(&out, 0);
}
