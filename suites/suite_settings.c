// SPDX-License-Identifier: Apache-2.0
/* Suite files: typed access, and every key that is not a list of data sets or plug-ins. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "suites/suite_parts.h"

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

iso_status iso_suite_bool(const cJSON *obj, const char *key, int *out, const char *where,
			  iso_error *err)
{
	const cJSON *v = get(obj, key);

	if (!v)
		return ISO_OK;
	ISO_FAIL_IF(!cJSON_IsBool(v), err, ISO_E_CONFIG,
		    "wrong type (%s): \"%s\" must be true or false", where, key);
	*out = cJSON_IsTrue(v);
	return ISO_OK;
}

iso_status iso_suite_whole(const cJSON *obj, const char *key, double lo, double hi, double *out,
			   const char *where, iso_error *err)
{
	ISO_TRY(iso_json_get_number(obj, key, 0, lo, hi, out, where, err));
	ISO_FAIL_IF(*out != floor(*out), err, ISO_E_CONFIG,
		    "not a whole number (%s): \"%s\" is %g; give a whole number", where, key, *out);
	return ISO_OK;
}

iso_status iso_suite_object(const cJSON *obj, const char *key, const cJSON **out, const char *where,
			    iso_error *err)
{
	const cJSON *v = get(obj, key);

	*out = NULL;
	if (!v)
		return ISO_OK;
	ISO_FAIL_IF(!cJSON_IsObject(v), err, ISO_E_CONFIG,
		    "wrong type (%s): \"%s\" must be an object {...}", where, key);
	*out = v;
	return ISO_OK;
}

/* A list; *n = 0 and *out = NULL when it is not there. */
iso_status iso_suite_list(const cJSON *obj, const char *key, const cJSON **out, size_t *n,
			  const char *where, iso_error *err)
{
	const cJSON *v = get(obj, key);

	*out = NULL;
	*n = 0;
	if (!v)
		return ISO_OK;
	ISO_FAIL_IF(!cJSON_IsArray(v), err, ISO_E_CONFIG,
		    "wrong type (%s): \"%s\" must be a list [...]", where, key);
	*n = (size_t)cJSON_GetArraySize(v);
	ISO_FAIL_IF(*n > ISO_LIST_MAX, err, ISO_E_CONFIG,
		    "list too long (%s): \"%s\" has %zu entries, at most %d are allowed; split the "
		    "suite",
		    where, key, *n, ISO_LIST_MAX);
	*out = v;
	return ISO_OK;
}

void *iso_suite_room(iso_suite_place *p, size_t n, size_t size)
{
	return iso_arena_alloc(&p->s->arena, n ? n : 1, size);
}

iso_status iso_suite_numbers(iso_suite_place *p, const cJSON *list, size_t n, double lo, double hi,
			     int whole, double **out, const char *where)
{
	size_t i = 0;
	const cJSON *v;

	*out = iso_suite_room(p, n, sizeof(**out));
	if (!*out)
		return iso_no_memory(p->err, "a suite");
	cJSON_ArrayForEach(v, list)
	{
		double x = cJSON_IsNumber(v) ? v->valuedouble : NAN;

		ISO_FAIL_IF(!(x >= lo && x <= hi) || (whole && x != floor(x)), p->err, ISO_E_CONFIG,
			    "bad number (%s[%zu]): %s from %g to %g is expected", where, i,
			    whole ? "a whole number" : "a number", lo, hi);
		for (size_t j = 0; j < i; j++)
			ISO_FAIL_IF((*out)[j] == x, p->err, ISO_E_CONFIG,
				    "repeated number (%s[%zu]): %g is listed twice; "
				    "remove one",
				    where, i, x);
		(*out)[i++] = x;
	}
	return ISO_OK;
}

iso_status iso_suite_epsilons(iso_suite_place *p, const cJSON *obj, double **out, size_t *n,
			      const char *where)
{
	const cJSON *list;
	char here[ISO_WHERE_MAX + 16];

	ISO_TRY(iso_suite_list(obj, "epsilons", &list, n, where, p->err));
	if (!list)
		return ISO_OK;
	ISO_FAIL_IF(*n == 0, p->err, ISO_E_CONFIG,
		    "empty list (%s): \"epsilons\" names no epsilon; give at least one", where);
	snprintf(here, sizeof(here), "%s: epsilons", where);
	return iso_suite_numbers(p, list, *n, 1e-6, 1e6, 0, out, here);
}

/* ------------------------------------------------------------------ settings */

static iso_status read_choice(const cJSON *obj, const char *key, const char *const *words, int n,
			      int *out, const char *where, iso_error *err)
{
	const char *text = NULL, *near;

	ISO_TRY(iso_json_get_string(obj, key, 0, &text, where, err));
	if (!text)
		return ISO_OK;
	for (int i = 0; i < n; i++)
		if (strcmp(text, words[i]) == 0) {
			*out = i;
			return ISO_OK;
		}
	near = iso_nearest_word(text, words, (size_t)n);
	return iso_fail(err, ISO_E_CONFIG, "unknown value (%s): \"%s\" is \"%s\"; use \"%s\"",
			where, key, text, near ? near : words[0]);
}

static iso_status read_privacy(iso_suite_place *p)
{
	static const char *const adjacency[] = {"add-remove", "replace-one"},
				 *const accountant[] = {"pld", "rdp"};
	iso_suite *s = p->s;
	const cJSON *delta = get(s->root, "delta");
	int which = 0;

	s->delta = 1e-5;
	if (cJSON_IsString(delta)) {
		ISO_FAIL_IF(strcmp(delta->valuestring, "1/n") != 0, p->err, ISO_E_CONFIG,
			    "bad delta (%s): \"%s\" is not a number; use one such as 1e-5, or "
			    "\"1/n\"",
			    p->file, delta->valuestring);
		s->delta = ISO_DELTA_ONE_OVER_N;
	} else {
		ISO_TRY(iso_json_get_number(s->root, "delta", 0, 1e-15, 0.5, &s->delta, p->file,
					    p->err));
	}
	ISO_TRY(iso_suite_bool(s->root, "allow_large_delta", &s->allow_large_delta, p->file,
			       p->err));
	ISO_TRY(read_choice(s->root, "adjacency", adjacency, 2, &which, p->file, p->err));
	s->adjacency = which ? ISO_REPLACE_ONE : ISO_ADD_REMOVE;
	which = 0;
	ISO_TRY(read_choice(s->root, "accountant", accountant, 2, &which, p->file, p->err));
	s->accountant = which ? ISO_ACC_RDP : ISO_ACC_PLD;
	ISO_TRY(iso_suite_epsilons(p, s->root, &s->epsilon, &s->nepsilon, p->file));
	if (!s->epsilon) {
		s->epsilon = iso_suite_room(p, 1, sizeof(*s->epsilon));
		if (!s->epsilon)
			return iso_no_memory(p->err, "a suite");
		s->epsilon[0] = 1;
		s->nepsilon = 1;
	}
	return ISO_OK;
}

static iso_status read_sizes(iso_suite_place *p)
{
	static const char *const limit_keys[] = {"seconds", "memory_mib"}, *const public_keys[] = {
										   "class_counts"};
	iso_suite *s = p->s;
	const cJSON *rows = get(s->root, "rows"), *keep = get(s->root, "keep_samples"), *v;
	double x = 0, seconds = 3600, memory = 4096, targets = 1000;
	char where[ISO_WHERE_MAX];

	if (cJSON_IsString(rows)) {
		ISO_FAIL_IF(strcmp(rows->valuestring, "train") != 0, p->err, ISO_E_CONFIG,
			    "bad number of rows (%s): \"rows\" is \"%s\"; use a number, or "
			    "\"train\" for as many as training rows",
			    p->file, rows->valuestring);
	} else {
		ISO_TRY(iso_suite_whole(s->root, "rows", 1, 1e8, &x, p->file, p->err));
		s->rows = (size_t)x;
	}
	x = 0;
	if (cJSON_IsBool(keep)) {
		s->keep_samples = cJSON_IsTrue(keep) ? ISO_KEEP_ALL : 0;
	} else {
		ISO_TRY(iso_suite_whole(s->root, "keep_samples", 0, 1e8, &x, p->file, p->err));
		s->keep_samples = (size_t)x;
	}
	ISO_TRY(iso_suite_whole(s->root, "attack_targets", 1, 1e7, &targets, p->file, p->err));
	s->attack_targets = (size_t)targets;
	snprintf(where, sizeof(where), "%.200s: limits", p->file);
	ISO_TRY(iso_suite_object(s->root, "limits", &v, p->file, p->err));
	if (v) {
		ISO_TRY(iso_json_only_keys(v, limit_keys, ISO_COUNT(limit_keys), where, p->err));
		ISO_TRY(iso_json_get_number(v, "seconds", 0, 0.01, 1e7, &seconds, where, p->err));
		ISO_TRY(iso_json_get_number(v, "memory_mib", 0, 1, 1e7, &memory, where, p->err));
	}
	s->limit_seconds = seconds;
	s->limit_bytes = (size_t)(memory * 1048576.0);
	snprintf(where, sizeof(where), "%.200s: public", p->file);
	ISO_TRY(iso_suite_object(s->root, "public", &v, p->file, p->err));
	if (!v)
		return ISO_OK;
	ISO_TRY(iso_json_only_keys(v, public_keys, ISO_COUNT(public_keys), where, p->err));
	return iso_suite_bool(v, "class_counts", &s->public_class_counts, where, p->err);
}

static iso_status read_trust(iso_suite_place *p)
{
	static const char *const keys[] = {"models"};
	iso_suite *s = p->s;
	const cJSON *keep;
	char where[ISO_WHERE_MAX];

	s->verify = s->keep_models = 1;
	ISO_TRY(iso_suite_bool(s->root, "secure", &s->secure, p->file, p->err));
	ISO_TRY(iso_suite_bool(s->root, "verify", &s->verify, p->file, p->err));
	ISO_TRY(iso_suite_object(s->root, "keep", &keep, p->file, p->err));
	if (!keep)
		return ISO_OK;
	snprintf(where, sizeof(where), "%.200s: keep", p->file);
	ISO_TRY(iso_json_only_keys(keep, keys, ISO_COUNT(keys), where, p->err));
	return iso_suite_bool(keep, "models", &s->keep_models, where, p->err);
}

static iso_status read_audits(iso_suite_place *p)
{
	static const char *const keys[] = {"runs", "alpha", "threshold"};
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(p->s->root, "audits");
	iso_suite_audits *a = &p->s->audits;
	double runs = 300;
	char where[ISO_WHERE_MAX];

	if (!v || cJSON_IsFalse(v))
		return ISO_OK;
	*a = (iso_suite_audits){.alpha = 1e-3, .threshold = "fixed"};
	if (!cJSON_IsTrue(v)) {
		ISO_TRY(iso_suite_object(p->s->root, "audits", &v, p->file, p->err));
		snprintf(where, sizeof(where), "%.200s: audits", p->file);
		ISO_TRY(iso_json_only_keys(v, keys, ISO_COUNT(keys), where, p->err));
		ISO_TRY(iso_suite_whole(v, "runs", 12, 1e6, &runs, where, p->err));
		ISO_TRY(iso_json_get_number(v, "alpha", 0, 1e-12, 0.5, &a->alpha, where, p->err));
		ISO_TRY(iso_json_get_string(v, "threshold", 0, &a->threshold, where, p->err));
		ISO_FAIL_IF(strcmp(a->threshold, "fixed") != 0 &&
				    strcmp(a->threshold, "hold-out") != 0 &&
				    strcmp(a->threshold, "bonferroni") != 0,
			    p->err, ISO_E_CONFIG,
			    "unknown threshold (%s): \"%.40s\" is not one of fixed, hold-out and "
			    "bonferroni",
			    where, a->threshold);
	}
	a->runs = (size_t)runs;
	return ISO_OK;
}

iso_status iso_suite_settings(iso_suite_place *p)
{
	ISO_TRY(read_privacy(p));
	ISO_TRY(read_sizes(p));
	ISO_TRY(read_trust(p));
	return read_audits(p);
}
