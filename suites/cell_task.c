// SPDX-License-Identifier: Apache-2.0
/* A cell as the task of a worker: its record is written whatever happens. */
#include <stdio.h>
#include <string.h>

#include "results/record.h"
#include "suites/worker.h"

const char *iso_failure_name(iso_status code)
{
	return code == ISO_E_NOMEM ? "memory" : code == ISO_E_UNSUPPORTED ? "unsupported" : "error";
}

iso_status iso_cell_write_failure(const iso_cell_job *job, const char *status, const char *text,
				  iso_error *err)
{
	cJSON *record = NULL;
	iso_status st = iso_cell_record(job, &record, err);

	if (st == ISO_OK)
		st = iso_cell_failed(record, status, text, err);
	if (st == ISO_OK)
		st = iso_record_write(job->dir, record, err);
	cJSON_Delete(record);
	return st;
}

/* A record that cannot be written is another kind of failure than a cell that failed. */
static iso_status write_or_lose(const iso_cell_job *job, const cJSON *record, iso_worker_page *page,
				iso_error *err)
{
	const iso_status st = iso_record_write(job->dir, record, err);

	page->lost = st != ISO_OK;
	return st;
}

iso_status iso_cell_task(void *ctx, iso_worker_page *page, iso_error *err)
{
	iso_cell_job job = *(const iso_cell_job *)ctx;
	cJSON *record = NULL;
	iso_error why = {0};
	iso_status st;

	job.progress = &page->progress;
	job.scale = &page->scale;
	job.counts = &page->counts;
	job.judging = &page->judging;
	job.cancelled = iso_worker_cancelled;
	st = iso_cell_record(&job, &record, err);
	if (st == ISO_OK)
		st = iso_cell_execute(&job, record, err);
	if (st == ISO_OK && !job.train_only) {
		st = write_or_lose(&job, record, page, err);
		cJSON_Delete(record);
		return st;
	}
	cJSON_Delete(record);
	if (st == ISO_OK || job.train_only || st == ISO_E_CANCELLED)
		return st;
	/* A fresh record: what was measured before the fault is not a result. */
	page->lost = iso_cell_write_failure(&job, iso_failure_name(st), err->text, &why) != ISO_OK;
	if (page->lost) {
		iso_error_clear(err);
		st = iso_fail(err, why.code, "%s", why.text);
	}
	return st;
}
