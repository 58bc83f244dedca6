// SPDX-License-Identifier: Apache-2.0
/* Hand-made records for the tests of this folder. */
#ifndef ISO_TESTS_UNIT_REPORTS_RECORDS_H
#define ISO_TESTS_UNIT_REPORTS_RECORDS_H

#include <stdio.h>
#include <string.h>

#include "results/record.h"
#include "tests/support/testkit.h"

/* A complete record with one metric and one attack; label may hold characters that formats must
 * escape. */
static inline cJSON *record_of(const char *dataset, const char *label, const char *epsilon,
			       int seed, double auroc, double auc)
{
	static char text[6000];
	char key[33];
	iso_error err = {0};
	cJSON *v, *config;

	snprintf(text, sizeof(text),
		 "{\"isoeps\":2,\"key\":\"\",\"suite\":\"t\",\"config\":{\"dataset\":{\"name\":\"%"
		 "s\",\"options\":{},\"hash\":\"h\","
		 "\"split\":{}},\"generator\":{\"name\":\"g\",\"version\":1,\"code\":\"c\","
		 "\"options\":{}},"
		 "\"epsilon\":%s,\"delta\":1e-5,"
		 "\"adjacency\":\"add-remove\",\"accountant\":\"pld\",\"seed\":%d,"
		 "\"secure\":false,\"public_class_counts\":false},"
		 "\"label\":\"%s\",\"mode\":\"sound\",\"status\":\"ok\",\"error\":null,"
		 "\"guarantee\":\"dp\",\"verified\":\"verified\",\"verdict\":null,\"rows\":10,"
		 "\"targets\":2,\"judged\":[],"
		 "\"n\":{\"train\":10,\"holdout\":5,\"aux\":5,\"test\":5,\"features\":3},"
		 "\"privacy\":{\"target_epsilon\":%s,\"delta\":1e-5,\"scale\":1,\"claimed_"
		 "epsilon\":2,\"epsilon\":{\"pld\":"
		 "{\"lower\":0.9,\"upper\":1},\"rdp\":1.1,\"rdp_classic\":1.2,\"moments\":1.3,"
		 "\"gdp\":0.9},"
		 "\"accounted_epsilon\":1,\"audited_epsilon\":null,\"uncharged\":[]},\"ledger\":[],"
		 "\"metrics\":[{\"metric\":\"tstr\",\"name\":\"lr.auroc\",\"title\":\"LR "
		 "AUROC\",\"value\":%.17g,\"low\":null,"
		 "\"high\":null,\"unit\":\"share\",\"direction\":\"higher\",\"headline\":true,"
		 "\"reason\":null}],"
		 "\"attacks\":[{\"label\":\"gan-leaks\",\"attack\":\"gan-leaks\",\"goal\":"
		 "\"membership\",\"knows\":\"FBB\","
		 "\"status\":\"ok\",\"reason\":null,\"n_pos\":2,\"n_neg\":2,\"auc\":%.17g,"
		 "\"scores\":[1,2,3,4],\"truth\":[0,0,1,1]}],"
		 "\"curves\":{},\"model\":{},\"caveats\":[\"bounds were "
		 "learned\"],\"samples\":null,\"run\":{\"fit_seconds\":1}}",
		 "d", epsilon, seed, "a", epsilon, auroc, auc);
	v = cJSON_Parse(text);
	ck_assert_ptr_nonnull(v);
	config = cJSON_GetObjectItem(v, "config");
	cJSON_ReplaceItemInObject(cJSON_GetObjectItem(config, "dataset"), "name",
				  cJSON_CreateString(dataset));
	cJSON_ReplaceItemInObject(v, "label", cJSON_CreateString(label));
	/* the label is no part of the key: two of them need two configurations */
	cJSON_ReplaceItemInObject(cJSON_GetObjectItem(config, "generator"), "name",
				  cJSON_CreateString(label));
	tk_ok(iso_record_key(config, key, &err));
	cJSON_ReplaceItemInObject(v, "key", cJSON_CreateString(key));
	return v;
}

static inline cJSON *tk_record(const char *dataset, const char *label, const char *epsilon,
			       int seed)
{
	return record_of(dataset, label, epsilon, seed, 0.7, 0.6);
}

#endif
