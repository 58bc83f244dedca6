// SPDX-License-Identifier: Apache-2.0
/* "clients" of a data set: how its training rows are dealt to clients, for federated methods. */
#include <string.h>

#include "suites/plan.h"
#include "suites/suite_parts.h"

static const struct {
	const char *word;
	iso_partition_kind kind;
} partitions[] = {{"stratified", ISO_PARTITION_STRATIFIED},
		  {"iid", ISO_PARTITION_IID},
		  {"dirichlet", ISO_PARTITION_DIRICHLET},
		  {"label", ISO_PARTITION_LABEL},
		  {"column", ISO_PARTITION_COLUMN}};

static iso_status read_kind(const cJSON *v, iso_partition_kind *out, const char *where,
			    iso_error *err)
{
	const char *text = "stratified", *words[ISO_COUNT(partitions)], *near;

	ISO_TRY(iso_json_get_string(v, "partition", 0, &text, where, err));
	for (size_t i = 0; i < ISO_COUNT(partitions); i++) {
		words[i] = partitions[i].word;
		*out = partitions[i].kind;
		if (strcmp(text, words[i]) == 0)
			return ISO_OK;
	}
	near = iso_nearest_word(text, words, ISO_COUNT(partitions));
	return iso_fail(err, ISO_E_CONFIG, "unknown partition (%s: clients): \"%.40s\"; use \"%s\"",
			where, text, near ? near : words[0]);
}

iso_status iso_suite_clients(const cJSON *v, iso_suite_dataset *d, const char *where,
			     iso_error *err)
{
	static const char *const keys[] = {"partition", "count", "alpha", "column"};
	double count = 10;
	const cJSON *o;

	ISO_TRY(iso_suite_object(v, "clients", &o, where, err));
	if (!o)
		return ISO_OK;
	d->clients_json = o;
	d->clients.alpha = 0.3;
	ISO_TRY(iso_json_only_keys(o, keys, ISO_COUNT(keys), where, err));
	ISO_TRY(read_kind(o, &d->clients.kind, where, err));
	ISO_TRY(iso_suite_whole(o, "count", 2, 65536, &count, where, err));
	ISO_TRY(iso_json_get_number(o, "alpha", 0, 1e-6, 1e6, &d->clients.alpha, where, err));
	ISO_TRY(iso_json_get_string(o, "column", 0, &d->clients.column, where, err));
	ISO_FAIL_IF((d->clients.kind == ISO_PARTITION_COLUMN) != (d->clients.column != NULL), err,
		    ISO_E_CONFIG,
		    "clients (%s): \"column\" and \"partition\": \"column\" go together; give both "
		    "or neither",
		    where);
	d->clients.nclient = (size_t)count;
	return ISO_OK;
}

iso_status iso_division_clients(const iso_suite_dataset *d, const iso_table *t, uint64_t seed,
				iso_division *v, iso_error *err)
{
	iso_table *train = NULL;
	iso_status st;

	if (!d->clients_json && !t->client)
		return ISO_OK;
	ISO_TRY(iso_table_select(t, v->split.train, v->split.ntrain, &train, err));
	if (d->clients_json)
		ISO_TRY_OUT(iso_partition_make(train, seed, &d->clients, err));
	v->nclient = train->nclient;
	v->client_count = iso_alloc(v->nclient, sizeof(*v->client_count));
	if (!v->client_count) {
		st = iso_no_memory(err, "the clients of a data set");
		goto out;
	}
	for (size_t r = 0; r < train->n; r++)
		v->client_count[train->client[r]]++;
	v->client = train->client; /* moved */
	train->client = NULL;
	st = ISO_OK;
out:
	iso_table_free(train);
	return st;
}
