// SPDX-License-Identifier: Apache-2.0
/* The epsilon of a stored cell, recomputed from its ledger alone: a record cannot claim what its
 * events do not give. */
#include <math.h>
#include <string.h>

#include "core/io/json.h"
#include "suites/flow/verify.h"

/* A record holds 12 significant digits of noise and of epsilon. */
#define REL 1e-8
/* The bounds of the PLD accountant are found on a grid whose nodes rounding of the noise may shift.
 */
#define REL_PLD 1e-5

static const cJSON *at(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

/* A number, or "inf"; null and absent are NaN. */
static double number(const cJSON *v)
{
	if (cJSON_IsNumber(v))
		return v->valuedouble;
	if (cJSON_IsString(v) && strcmp(v->valuestring, "inf") == 0)
		return INFINITY;
	return NAN;
}

static iso_status compare(const char *key, const char *name, double stored, double found,
			  double rel, iso_error *err)
{
	if (isnan(stored) && isnan(found)) /* this accountant has no number for these events */
		return ISO_OK;
	ISO_FAIL_IF(isnan(stored), err, ISO_E_CHECK,
		    "epsilon missing (cell %.40s, %s): the record has no number where its events "
		    "give %.9g; do not trust this record",
		    key, name, found);
	if (stored == found || (isfinite(found) && fabs(stored - found) <= rel * fabs(found)))
		return ISO_OK;
	return iso_fail(err, ISO_E_CHECK,
			"epsilon not borne out by the ledger (cell %.40s, %s): the record says "
			"%.9g, its events give "
			"%.9g; do not trust this record",
			key, name, stored, found);
}

static iso_status read_setting(const cJSON *record, const char *key, double *delta,
			       iso_adjacency *adj, iso_accountant *acc, iso_error *err)
{
	const cJSON *config = at(record, "config"), *privacy = at(record, "privacy");
	const cJSON *a = at(config, "adjacency"), *w = at(config, "accountant");

	if (!a)
		a = at(record, "adjacency");
	*delta = number(at(privacy ? privacy : record, "delta"));
	if (isnan(*delta))
		*delta = number(at(config, "delta"));
	ISO_FAIL_IF(!(*delta >= 0 && *delta < 1), err, ISO_E_DATA,
		    "malformed record (cell %.40s, \"delta\"): expected a number from 0 "
		    "to below 1; run the cell again",
		    key);
	ISO_FAIL_IF(
		!cJSON_IsString(a), err, ISO_E_DATA,
		"malformed record (cell %.40s, \"adjacency\"): expected a name; run the cell again",
		key);
	*adj = strcmp(a->valuestring, iso_adjacency_name(ISO_REPLACE_ONE)) == 0 ? ISO_REPLACE_ONE
										: ISO_ADD_REMOVE;
	ISO_FAIL_IF(strcmp(a->valuestring, iso_adjacency_name(*adj)) != 0, err, ISO_E_DATA,
		    "malformed record (cell %.40s, \"adjacency\"): unknown name %.40s; run the "
		    "cell again",
		    key, a->valuestring);
	*acc = cJSON_IsString(w) && strcmp(w->valuestring, iso_accountant_name(ISO_ACC_RDP)) == 0
		       ? ISO_ACC_RDP
		       : ISO_ACC_PLD;
	return ISO_OK;
}

/* Something uncharged: infinite under every accountant that has a number for these events. */
static void infinite(iso_epsilons *e, int gdp)
{
	*e = (iso_epsilons){.pld_lower = INFINITY,
			    .pld_upper = INFINITY,
			    .rdp = INFINITY,
			    .rdp_classic = INFINITY,
			    .moments = INFINITY,
			    .gdp = gdp ? INFINITY : NAN,
			    .rdp_order = NAN,
			    .data_dependent_rdp = NAN};
}

/* No promise and no events: no numbers.  A promise without events is one of epsilon 0. */
static void nothing(iso_epsilons *e)
{
	*e = (iso_epsilons){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
}

void iso_ledger_memo_free(iso_ledger_memo *m)
{
	iso_str_free(&m->text);
	*m = (iso_ledger_memo){0};
}

static iso_status account(const cJSON *ledger, iso_adjacency adj, double delta, iso_ledger_memo *m,
			  iso_error *err)
{
	iso_events events = {0};
	iso_status st;

	m->e = (iso_epsilons){.rdp_order = NAN, .data_dependent_rdp = NAN};
	ISO_TRY(iso_ledger_events_from_json(ledger, &events, &m->uncharged, err));
	m->n = events.n;
	st = events.n ? iso_account_epsilon(&events, adj, delta, ISO_WANT_ALL, &m->e, err) : ISO_OK;
	iso_events_free(&events);
	return st;
}

static iso_status account_once(const cJSON *ledger, iso_adjacency adj, double delta,
			       iso_ledger_memo *m, iso_error *err)
{
	iso_str text = {0};
	iso_status st;

	iso_str_addf(&text, "%.17g %d ", delta, (int)adj);
	st = iso_json_canonical(ledger, &text, err);
	if (st == ISO_OK)
		st = iso_str_check(&text, err);
	if (st == ISO_OK && m->text.p && strcmp(m->text.p, text.p) == 0) {
		iso_str_free(&text);
		return ISO_OK;
	}
	iso_str_free(&m->text);
	if (st == ISO_OK)
		st = account(ledger, adj, delta, m, err);
	if (st == ISO_OK)
		m->text = text;
	else
		iso_str_free(&text);
	return st;
}

iso_status iso_verify_record(const cJSON *record, iso_ledger_memo *memo, double *accounted,
			     iso_error *err)
{
	const cJSON *name = at(record, "key"), *privacy = at(record, "privacy");
	const char *key = cJSON_IsString(name) ? name->valuestring : "?";
	const cJSON *eps = at(privacy ? privacy : record, "epsilon"), *pld = at(eps, "pld"),
		    *label = at(record, "guarantee");
	iso_ledger_memo once = {0}, *m = memo ? memo : &once;
	iso_epsilons e;
	iso_adjacency adj = ISO_ADD_REMOVE;
	iso_accountant acc = ISO_ACC_PLD;
	double delta;
	iso_status st;

	*accounted = NAN;
	ISO_TRY(read_setting(record, key, &delta, &adj, &acc, err));
	st = account_once(at(record, "ledger"), adj, delta, m, err);
	e = m->e;
	if (m->uncharged > 0)
		infinite(&e, m->n == 0 || !isnan(e.gdp));
	else if (m->n == 0 &&
		 (!cJSON_IsString(label) ||
		  strcmp(label->valuestring, iso_guarantee_name(ISO_GUARANTEE_DP)) != 0))
		nothing(&e);
	iso_ledger_memo_free(&once);
	ISO_TRY(st);
	ISO_TRY(compare(key, "pld lower", number(at(pld, "lower")), e.pld_lower, REL_PLD, err));
	ISO_TRY(compare(key, "pld upper", number(at(pld, "upper")), e.pld_upper, REL_PLD, err));
	ISO_TRY(compare(key, "rdp", number(at(eps, "rdp")), e.rdp, REL, err));
	ISO_TRY(compare(key, "rdp classic", number(at(eps, "rdp_classic")), e.rdp_classic, REL,
			err));
	ISO_TRY(compare(key, "moments", number(at(eps, "moments")), e.moments, REL, err));
	ISO_TRY(compare(key, "gdp", number(at(eps, "gdp")), e.gdp, REL, err));
	*accounted = iso_epsilon_bound(&e, acc);
	if (!cJSON_IsString(label) ||
	    strcmp(label->valuestring, iso_guarantee_name(ISO_GUARANTEE_DP)) != 0)
		*accounted = INFINITY;
	return compare(key, "accounted epsilon", number(at(privacy, "accounted_epsilon")),
		       *accounted, acc == ISO_ACC_RDP ? REL : REL_PLD, err);
}
