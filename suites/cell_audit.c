// SPDX-License-Identifier: Apache-2.0
/* The audit in a record. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/io/file.h"
#include "core/io/jsonw.h"
#include "suites/cell.h"
#include "suites/flow/audit.h"
#include "suites/judge.h"

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

static const char *text_of(const cJSON *obj, const char *key)
{
	const char *t = cJSON_GetStringValue(get(obj, key));

	return t ? t : "";
}

int iso_cell_violated(const cJSON *record)
{
	return strcmp(text_of(record, "guarantee"), iso_guarantee_name(ISO_GUARANTEE_DP)) == 0 &&
	       strcmp(text_of(get(record, "audit"), "outcome"),
		      iso_audit_verdict_name(ISO_AUDIT_VIOLATION)) == 0;
}

/* Audited epsilon, and a caveat when the audit contradicts the accounted one. */
iso_status iso_cell_add_audit(cJSON *record, const cJSON *audit, iso_error *err)
{
	cJSON *privacy = cJSON_GetObjectItemCaseSensitive(record, "privacy");
	const cJSON *epsilon = get(audit, "epsilon");
	char text[200];
	iso_jsonw b = {0};

	if (!audit)
		return ISO_OK;
	iso_jsonw_put(&b, privacy, "audited_epsilon",
		      epsilon ? cJSON_Duplicate(epsilon, 1) : cJSON_CreateNull());
	ISO_TRY(iso_jsonw_check(&b, "a record", err));
	if (!iso_cell_violated(record))
		return ISO_OK;
	snprintf(text, sizeof(text),
		 ISO_AUDIT_WARNING "the method does not keep its promise in a small world: "
				   "epsilon is at least %.3g there",
		 cJSON_IsNumber(epsilon) ? epsilon->valuedouble : INFINITY);
	return iso_caveat_add(cJSON_GetObjectItemCaseSensitive(record, "caveats"), text, err);
}

/* Takes over an earlier record to which nothing but another audit is to be added: *taken. */
iso_status iso_cell_renew_audit(const iso_cell_job *job, cJSON *record, const cJSON *earlier,
				int *taken, iso_error *err)
{
	iso_cell_job as_it_was = *job;
	const cJSON *item;
	cJSON *caveats, *c, *next;
	char samples[64];
	iso_str path = {0};
	iso_jsonw b = {0};

	*taken = 0;
	as_it_was.audit = get(earlier, "audit");
	if (!earlier || job->lost || job->force)
		return ISO_OK;
	ISO_TRY(iso_cell_complete(&as_it_was, earlier, taken, err));
	iso_cell_samples(job, samples);
	iso_str_addf(&path, "%s/%s", job->dir, samples);
	*taken = *taken && (job->cell->keep == 0 || (path.p && iso_file_exists(path.p)));
	iso_str_free(&path);
	if (!*taken)
		return ISO_OK;
	cJSON_ArrayForEach(item, earlier)
	{
		if (strcmp(item->string, "audit") != 0)
			iso_jsonw_put(&b, record, item->string, cJSON_Duplicate(item, 1));
	}
	caveats = cJSON_GetObjectItemCaseSensitive(record, "caveats");
	for (c = caveats ? caveats->child : NULL; c; c = next) {
		next = c->next;
		if (strncmp(c->valuestring, ISO_AUDIT_WARNING, strlen(ISO_AUDIT_WARNING)) == 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(caveats, c));
	}
	if (job->counts)
		job->counts->reused += 1 + (unsigned)cJSON_GetArraySize(get(earlier, "judged"));
	ISO_TRY(iso_jsonw_check(&b, "a record", err));
	return iso_cell_add_audit(record, job->audit, err);
}
