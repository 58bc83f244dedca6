// SPDX-License-Identifier: Apache-2.0
/* isoeps-records SUITE.json DIR: fills DIR with a finished run of the suite without running it.
 *
 * The first cell of every (data set, generator, epsilon) is really executed; every other seed gets
 * a copy of its record under its own configuration, key and judgement keys, a valid record of a
 * finished cell.  For measurements of what reads records: status, report, resume, check
 * (bench/scale.sh). */
#include <stdio.h>
#include <string.h>

#include "core/io/jsonw.h"
#include "results/record.h"
#include "suites/cell.h"
#include "suites/output_dir.h"
#include "suites/recheck.h"

static iso_status execute(const iso_agenda *a, const iso_cell *c, const char *dir, cJSON **out,
			  iso_error *err)
{
	iso_cell_rows rows;
	iso_cell_job job = {
		.agenda = a, .cell = c, .rows = &rows, .dir = dir, .jobs = 1, .force = 1};
	iso_status st;

	*out = NULL;
	ISO_TRY(iso_cell_rows_new(a, c->dataset, c->seed_index, &rows, err));
	st = iso_cell_record(&job, out, err);
	if (st == ISO_OK)
		st = iso_cell_execute(&job, *out, err);
	iso_cell_rows_free(&rows);
	return st;
}

static iso_status rename_judgements(const iso_agenda *a, const iso_cell *c, cJSON *record,
				    iso_error *err)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(record, "judged")->child;
	iso_jsonw w = {0};

	for (size_t i = 0; item && i < a->nmetric + a->nattack; i++, item = item->next) {
		const int metric = i < a->nmetric;
		char key[33];

		ISO_TRY(iso_judge_key(a, c, metric ? ISO_JUDGE_METRIC : ISO_JUDGE_ATTACK,
				      metric ? a->metric[i].judge : a->attack[i - a->nmetric].judge,
				      key, err));
		iso_jsonw_put(&w, item, "key", cJSON_CreateString(key));
	}
	return iso_jsonw_check(&w, "a record", err);
}

static iso_status write_as(const iso_agenda *a, const iso_cell *c, cJSON *record, const char *dir,
			   iso_error *err)
{
	iso_jsonw w = {0};
	cJSON *config;

	ISO_TRY(iso_cell_config(a, c, &config, err));
	iso_jsonw_put(&w, record, "config", config);
	iso_jsonw_put(&w, record, "key", cJSON_CreateString(c->key));
	ISO_TRY(iso_jsonw_check(&w, "a record", err));
	ISO_TRY(rename_judgements(a, c, record, err));
	return iso_record_write(dir, record, err);
}

static iso_status fill(const iso_agenda *a, const char *dir, iso_error *err)
{
	iso_dir_lock lock;
	iso_status st;

	ISO_TRY(iso_output_open(dir, 1, 1, &lock, err));
	st = iso_output_write_suite(a, dir, err);
	for (size_t i = 0; i < a->ncell && st == ISO_OK; i++) {
		const iso_cell *first = &a->cell[i];
		cJSON *record;

		if (first->seed_index > 0)
			continue;
		st = execute(a, first, dir, &record, err);
		for (size_t k = 0; k < a->ncell && st == ISO_OK; k++) {
			const iso_cell *c = &a->cell[k];

			if (c->dataset == first->dataset && c->generator == first->generator &&
			    c->epsilon == first->epsilon)
				st = write_as(a, c, record, dir, err);
		}
		cJSON_Delete(record);
	}
	iso_output_close(&lock);
	return st;
}

int main(int argc, char **argv)
{
	iso_suite *suite = NULL;
	iso_agenda *a = NULL;
	iso_error err = {0};
	iso_status st;

	if (argc != 3) {
		fprintf(stderr, "usage: isoeps-records SUITE.json DIR\n");
		return 2;
	}
	st = iso_suite_read(argv[1], &suite, &err);
	if (st == ISO_OK)
		st = iso_agenda_new(suite, &a, &err);
	if (st == ISO_OK)
		st = fill(a, argv[2], &err);
	if (st != ISO_OK)
		fprintf(stderr, "isoeps-records: %s\n", err.text);
	else
		printf("%zu records in %s/cells\n", a->ncell, argv[2]);
	iso_agenda_free(a);
	iso_suite_free(suite);
	return st != ISO_OK;
}
