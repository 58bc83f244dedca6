// SPDX-License-Identifier: Apache-2.0
/* The field table and the validator that walks it. */
#include "results/record.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"

enum {
	T_OBJECT = 1,
	T_ARRAY = 2,
	T_STRING = 4,
	T_NUMBER = 8, /* finite */
	T_INF = 16,   /* the string "inf" */
	T_NULL = 32,
	T_BOOL = 64
};
enum { MAY, ALWAYS, IF_OK };
#define T_NUMBER_NULL (T_NUMBER | T_NULL)
#define T_EPSILON (T_NUMBER | T_INF)
#define T_EPSILON_NULL (T_EPSILON | T_NULL)

static const iso_record_field fields[] = {
	{"isoeps", T_NUMBER, ALWAYS, NULL, "format of the record, 2"},
	{"key", T_STRING, ALWAYS, NULL,
	 "32 hex digits: start of SHA-256 over `config` as canonical JSON"},
	{"suite", T_STRING, ALWAYS, NULL, "name of the suite that ran the cell"},
	{"config", T_OBJECT, ALWAYS, NULL, "all that determines the training"},
	{"config.dataset", T_OBJECT, ALWAYS, NULL, "the data"},
	{"config.dataset.name", T_STRING, ALWAYS, NULL, "label of the data set in the suite"},
	{"config.dataset.options", T_OBJECT, ALWAYS, NULL,
	 "options of the data set as the suite gives them"},
	{"config.dataset.hash", T_STRING, ALWAYS, NULL,
	 "SHA-256 over schema and rows, test part included"},
	{"config.dataset.split", T_OBJECT, ALWAYS, NULL,
	 "shares of the rows and how test rows are chosen"},
	{"config.generator", T_OBJECT, ALWAYS, NULL, "the method"},
	{"config.generator.name", T_STRING, ALWAYS, NULL, "name of the generator"},
	{"config.generator.version", T_NUMBER, ALWAYS, NULL,
	 "version of its code: raised when results change"},
	{"config.generator.code", T_STRING, ALWAYS, NULL,
	 "SHA-256 over the code that trains: the method's source or shared object, the shared "
	 "training code and core"},
	{"config.generator.options", T_OBJECT, ALWAYS, NULL, "every option with its value"},
	{"config.epsilon", T_EPSILON, ALWAYS, NULL,
	 "target epsilon; \"inf\" = the generator is not calibrated to one"},
	{"config.delta", T_NUMBER, ALWAYS, NULL, "target delta"},
	{"config.adjacency", T_STRING, ALWAYS, "add-remove|replace-one",
	 "the neighbouring relation"},
	{"config.accountant", T_STRING, ALWAYS, "pld|rdp",
	 "the accountant that calibrates and that the tables show"},
	{"config.seed", T_NUMBER, ALWAYS, NULL,
	 "master seed of split, training, sampling, attacks and metrics"},
	{"config.secure", T_BOOL, ALWAYS, NULL,
	 "the noise comes from the operating system, not from the seed"},
	{"config.public_class_counts", T_BOOL, ALWAYS, NULL,
	 "the number of rows per class is public"},
	{"label", T_STRING, ALWAYS, NULL, "the generator's label in the suite"},
	{"mode", T_STRING | T_NULL, ALWAYS, NULL,
	 "the generator's option `mode` (sound, paper), null without one"},
	{"status", T_STRING, ALWAYS, "ok|error|timeout|memory|crash|unsupported",
	 "how the cell ended"},
	{"error", T_STRING | T_NULL, ALWAYS, NULL, "why it did not end well"},
	{"guarantee", T_STRING, ALWAYS, "dp|heuristic|none",
	 "what the generator promises with these options"},
	{"control", T_STRING | T_NULL, MAY, "copies|blind|floor",
	 "null for a method; a control that returns its rows, never looks, or is the simple "
	 "baseline"},
	{"verified", T_STRING, ALWAYS, "verified|refuted|claimed|none",
	 "what became of a promise of differential privacy: `verified` and `refuted` by the record/"
	 "replay check of this run, `claimed` if it was not checked, `none` if none was made"},
	{"verdict", T_OBJECT | T_NULL, ALWAYS, NULL, "what the record/replay check found"},
	{"audit", T_OBJECT, MAY, NULL,
	 "what the audit found, when the suite asks for one: outcome, bounds, counts of each test"},
	{"rows", T_NUMBER, ALWAYS, NULL, "synthetic rows that were judged"},
	{"targets", T_NUMBER, ALWAYS, NULL,
	 "at most so many members and as many non-members were attacked"},
	{"judged", T_ARRAY, ALWAYS, NULL,
	 "every attack and metric of the record with all that determines it"},
	{"judged[].kind", T_STRING, ALWAYS, "attack|metric", "which of the two"},
	{"judged[].label", T_STRING, ALWAYS, NULL, "label in the suite"},
	{"judged[].name", T_STRING, ALWAYS, NULL, "name of the plug-in"},
	{"judged[].version", T_NUMBER, ALWAYS, NULL, "version of its code"},
	{"judged[].code", T_STRING, ALWAYS, NULL, "SHA-256 over the code that judges"},
	{"judged[].options", T_OBJECT, ALWAYS, NULL, "every option with its value"},
	{"judged[].key", T_STRING, ALWAYS, NULL,
	 "hash of these, of the cell's key, of `rows` and, for attacks, of `targets`"},
	{"judged[].caveats", T_ARRAY, ALWAYS, NULL, "caveats that it added"},
	{"n", T_OBJECT, IF_OK, NULL, "sizes"},
	{"n.train", T_NUMBER, IF_OK, NULL, "rows that the generator was trained on (members)"},
	{"n.holdout", T_NUMBER, IF_OK, NULL, "rows that no training saw (non-members)"},
	{"n.aux", T_NUMBER, IF_OK, NULL, "rows of the attacker"},
	{"n.test", T_NUMBER, IF_OK, NULL, "rows that metrics test on"},
	{"n.features", T_NUMBER, IF_OK, NULL, "feature columns; every pixel counts"},
	{"privacy", T_OBJECT, IF_OK, NULL, "what was spent"},
	{"privacy.target_epsilon", T_EPSILON, IF_OK, NULL, "as config.epsilon"},
	{"privacy.delta", T_NUMBER, IF_OK, NULL, "as config.delta"},
	{"privacy.scale", T_NUMBER_NULL, IF_OK, NULL,
	 "calibrated free noise scale; null without one"},
	{"privacy.claimed_epsilon", T_EPSILON_NULL, IF_OK, NULL,
	 "epsilon that the paper claims for this setting"},
	{"privacy.epsilon", T_OBJECT, IF_OK, NULL, "epsilon of the ledger under every accountant"},
	{"privacy.epsilon.pld", T_OBJECT | T_NULL, IF_OK, NULL,
	 "certified bounds of the privacy loss distribution"},
	{"privacy.epsilon.pld.lower", T_EPSILON_NULL, MAY, NULL, "lower bound"},
	{"privacy.epsilon.pld.upper", T_EPSILON_NULL, MAY, NULL, "upper bound"},
	{"privacy.epsilon.rdp", T_EPSILON_NULL, IF_OK, NULL, "Renyi accountant, tight conversion"},
	{"privacy.epsilon.rdp_classic", T_EPSILON_NULL, IF_OK, NULL,
	 "Renyi accountant, classic conversion"},
	{"privacy.epsilon.moments", T_EPSILON_NULL, IF_OK, NULL,
	 "moments accountant, integer orders"},
	{"privacy.epsilon.gdp", T_EPSILON_NULL, IF_OK, NULL,
	 "central limit: an approximation, not a bound"},
	{"privacy.accounted_epsilon", T_EPSILON, IF_OK, NULL,
	 "what tables show: the calibrating accountant's bound on the ledger; \"inf\" if the "
	 "guarantee is not dp or anything is uncharged"},
	{"privacy.audited_epsilon", T_EPSILON_NULL, IF_OK, NULL,
	 "empirical lower bound, if an audit was made"},
	{"privacy.uncharged", T_ARRAY, IF_OK, NULL,
	 "what was chosen by looking at real data and not paid for"},
	{"ledger", T_ARRAY, IF_OK, NULL,
	 "every release: who, why, mechanism, noise, sampling, count, sensitivity"},
	{"metrics", T_ARRAY, IF_OK, NULL, "measured values"},
	{"metrics[].metric", T_STRING, IF_OK, NULL, "label of the metric"},
	{"metrics[].name", T_STRING, IF_OK, NULL, "which of its outputs"},
	{"metrics[].title", T_STRING, IF_OK, NULL, "head of a table column"},
	{"metrics[].value", T_NUMBER_NULL, IF_OK, NULL, "null = undefined, then `reason` says why"},
	{"metrics[].low", T_EPSILON_NULL, IF_OK, NULL, "95 % interval, if there is one"},
	{"metrics[].high", T_EPSILON_NULL, IF_OK, NULL, "95 % interval, if there is one"},
	{"metrics[].unit", T_STRING, IF_OK, NULL, "share, nats, ..."},
	{"metrics[].direction", T_STRING, IF_OK, "higher|lower|neither", "which way is better"},
	{"metrics[].reason", T_STRING | T_NULL, IF_OK, NULL,
	 "why the value is undefined or not applicable"},
	{"metrics[].section", T_STRING, MAY, NULL, "the table of the page that shows it"},
	{"metrics[].headline", T_BOOL, MAY, NULL, "methods are ranked on it"},
	{"metrics[].range", T_ARRAY, MAY, NULL, "smallest and largest possible value"},
	{"metrics[].ideal", T_NUMBER_NULL, MAY, NULL, "value for perfect synthetic data"},
	{"metrics[].chance", T_NUMBER_NULL, MAY, NULL, "value of a guess that knows nothing"},
	{"metrics[].real", T_STRING | T_NULL, MAY, NULL,
	 "name of the same value for the real training rows"},
	{"metrics[].points_real", T_ARRAY, MAY, NULL,
	 "values of the real rows that the output compares, for a figure; at most 400"},
	{"metrics[].points_synthetic", T_ARRAY, MAY, NULL, "the same values of the synthetic rows"},
	{"metrics[].curve_axis", T_STRING, MAY, NULL,
	 "what the metric varies to draw the output as a curve"},
	{"metrics[].curve_x", T_ARRAY, MAY, NULL, "values of that, rising; at most 400"},
	{"metrics[].curve_y", T_ARRAY, MAY, NULL, "the output at each of them"},
	{"attacks", T_ARRAY, IF_OK, NULL, "attacks with the statistics that the referee computed"},
	{"attacks[].label", T_STRING, IF_OK, NULL, "label of the attack in the suite"},
	{"attacks[].attack", T_STRING, IF_OK, NULL, "name of the attack"},
	{"attacks[].goal", T_STRING, IF_OK, NULL,
	 "membership, attribute, reconstruction, linkage, neighbour, federated, redrawn, "
	 "singling-out, property, inversion"},
	{"attacks[].knows", T_STRING, IF_OK, NULL, "what the attacker holds: NB, FBB, PBB, WB, SH"},
	{"attacks[].status", T_STRING, IF_OK, "ok|unsupported|error", "how the attack ended"},
	{"attacks[].reason", T_STRING | T_NULL, IF_OK, NULL, "why it did not end well"},
	{"attacks[].n_pos", T_NUMBER, MAY, NULL, "member targets"},
	{"attacks[].n_neg", T_NUMBER, MAY, NULL, "non-member targets"},
	{"attacks[].auc", T_NUMBER, MAY, NULL, "area under the ROC curve; 0.5 = chance"},
	{"attacks[].auc_se", T_NUMBER, MAY, NULL, "DeLong standard error"},
	{"attacks[].auc_low", T_NUMBER, MAY, NULL, "95 % interval"},
	{"attacks[].auc_high", T_NUMBER, MAY, NULL, "95 % interval"},
	{"attacks[].auc_even", T_NUMBER_NULL, MAY, NULL,
	 "AUC over the targets at even places: the strongest attack is chosen by it"},
	{"attacks[].auc_odd", T_NUMBER_NULL, MAY, NULL,
	 "AUC over the others: how strong the chosen attack is"},
	{"attacks[].advantage", T_NUMBER, MAY, NULL,
	 "max over thresholds of TPR - FPR; biased upwards"},
	{"attacks[].bal_acc_median", T_NUMBER, MAY, NULL, "balanced accuracy at the median score"},
	{"attacks[].tpr_fpr_10", T_NUMBER, MAY, NULL,
	 "true positive rate at a false positive rate of at most 10 %"},
	{"attacks[].tpr_fpr_10_low", T_NUMBER, MAY, NULL, "95 % Clopper-Pearson interval"},
	{"attacks[].tpr_fpr_10_high", T_NUMBER, MAY, NULL, "95 % Clopper-Pearson interval"},
	{"attacks[].tpr_fpr_1", T_NUMBER, MAY, NULL, "the same at 1 %"},
	{"attacks[].tpr_fpr_1_low", T_NUMBER, MAY, NULL, "95 % Clopper-Pearson interval"},
	{"attacks[].tpr_fpr_1_high", T_NUMBER, MAY, NULL, "95 % Clopper-Pearson interval"},
	{"attacks[].tpr_fpr_0_1", T_NUMBER, MAY, NULL, "the same at 0.1 %"},
	{"attacks[].interp_fpr_10", T_NUMBER, MAY, NULL,
	 "the height of the ROC curve at a false positive rate of 10 %, straight between its "
	 "points"},
	{"attacks[].interp_fpr_1", T_NUMBER, MAY, NULL, "the same at 1 %"},
	{"attacks[].interp_fpr_0_1", T_NUMBER, MAY, NULL, "the same at 0.1 %"},
	{"attacks[].fpr_denominator_ok", T_BOOL, MAY, NULL,
	 "at least 1,000 non-members: TPR at FPR 1 % may be quoted"},
	{"attacks[].values", T_ARRAY, MAY, NULL,
	 "what the game measured, as its outputs declare it"},
	{"attacks[].values[].name", T_STRING, MAY, NULL, "which of the game's outputs"},
	{"attacks[].values[].title", T_STRING, MAY, NULL, "head of a table column"},
	{"attacks[].values[].value", T_NUMBER_NULL, MAY, NULL, "null = undefined"},
	{"attacks[].values[].low", T_NUMBER_NULL, MAY, NULL, "95 % interval, if there is one"},
	{"attacks[].values[].high", T_NUMBER_NULL, MAY, NULL, "95 % interval, if there is one"},
	{"attacks[].values[].unit", T_STRING, MAY, NULL, "share, rows, ..."},
	{"attacks[].values[].direction", T_STRING, MAY, "higher|lower|neither",
	 "which way is better"},
	{"attacks[].values[].section", T_STRING, MAY, NULL, "the table of the page that shows it"},
	{"attacks[].values[].headline", T_BOOL, MAY, NULL, "methods are ranked on it"},
	{"attacks[].values[].range", T_ARRAY, MAY, NULL, "smallest and largest possible value"},
	{"attacks[].values[].ideal", T_NUMBER_NULL, MAY, NULL, "value for perfect synthetic data"},
	{"attacks[].values[].chance", T_NUMBER_NULL, MAY, NULL,
	 "value of a guess that knows nothing"},
	{"attacks[].values[].real", T_STRING | T_NULL, MAY, NULL,
	 "name of the same value for the real training rows"},
	{"attacks[].scores", T_ARRAY, MAY, NULL,
	 "raw scores, so that every statistic can be recomputed"},
	{"attacks[].truth", T_ARRAY, MAY, NULL, "1 = member"},
	{"curves", T_OBJECT, IF_OK, NULL, "training curves: name -> [[step, value], ...]"},
	{"model", T_OBJECT, IF_OK, NULL, "facts that the generator states about the fitted model"},
	{"caveats", T_ARRAY, ALWAYS, NULL, "what a reader must know beside the numbers"},
	{"samples", T_STRING | T_NULL, ALWAYS, NULL,
	 "file of the synthetic rows, below the output directory"},
	{"digest", T_STRING, MAY, NULL,
	 "SHA-256 over the bytes of the file before this line; always in a file"},
	{"run", T_OBJECT, ALWAYS, NULL,
	 "all that may differ between two correct runs: times, machine, build, memory"},
	{0},
};

const iso_record_field *iso_record_fields(void)
{
	return fields;
}

static const struct {
	unsigned bit;
	const char *name;
} type_names[] = {
	{T_OBJECT, "object"}, {T_ARRAY, "array"},	 {T_STRING, "text"}, {T_NUMBER, "number"},
	{T_INF, "\"inf\""},   {T_BOOL, "true or false"}, {T_NULL, "null"},
};

static void type_text(unsigned types, char *out, size_t size)
{
	size_t used = 0;

	out[0] = 0;
	for (size_t i = 0; i < ISO_COUNT(type_names); i++)
		if (types & type_names[i].bit && used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%s",
						 used ? " or " : "", type_names[i].name);
}

void iso_record_describe(iso_str *out)
{
	char types[80];

	iso_str_add(out, "| field | type | there | meaning |\n| --- | --- | --- | --- |\n");
	for (const iso_record_field *f = fields; f->path; f++) {
		type_text(f->types, types, sizeof(types));
		iso_str_addf(out, "| `%s` | %s", f->path, types);
		if (f->choices) {
			iso_str_add(out, " (");
			for (const char *c = f->choices; *c; c++)
				iso_str_addn(out, *c == '|' ? ", " : c, *c == '|' ? 2 : 1);
			iso_str_add(out, ")");
		}
		iso_str_addf(out, " | %s | %s |\n",
			     f->need == ALWAYS	? "always"
			     : f->need == IF_OK ? "when status is ok"
						: "may be",
			     f->meaning);
	}
}

static unsigned type_of(const cJSON *v)
{
	if (cJSON_IsObject(v))
		return T_OBJECT;
	if (cJSON_IsArray(v))
		return T_ARRAY;
	if (cJSON_IsNumber(v))
		return isfinite(v->valuedouble) ? T_NUMBER : 0;
	if (cJSON_IsString(v))
		return strcmp(v->valuestring, "inf") == 0 ? T_STRING | T_INF : T_STRING;
	if (cJSON_IsBool(v))
		return T_BOOL;
	return cJSON_IsNull(v) ? T_NULL : 0;
}

static int is_choice(const char *text, const char *choices)
{
	size_t n = strlen(text);

	for (const char *c = choices; c; c = strchr(c, '|')) {
		c += *c == '|';
		if (strncmp(c, text, n) == 0 && (c[n] == '|' || c[n] == 0))
			return 1;
	}
	return 0;
}

static iso_status check_value(const iso_record_field *f, const cJSON *v, const char *where,
			      iso_error *err)
{
	char types[80];

	if (!(type_of(v) & f->types)) {
		type_text(f->types, types, sizeof(types));
		return iso_fail(err, ISO_E_DATA,
				"damaged record (%s: %s): it must be %s; run the cell again", where,
				f->path, types);
	}
	if (f->choices && cJSON_IsString(v) && !is_choice(v->valuestring, f->choices))
		return iso_fail(
			err, ISO_E_DATA,
			"damaged record (%s: %s): \"%.40s\" is none of %s; run the cell again",
			where, f->path, v->valuestring, f->choices);
	return ISO_OK;
}

/* Checks field f under `v`, of which `rest` is the remaining path.  A parent that is absent was
 * judged by its own row. */
static iso_status check_path(const iso_record_field *f, const cJSON *v, const char *rest, int ok,
			     const char *where, iso_error *err)
{
	size_t n = strcspn(rest, ".[");
	char name[64];
	const cJSON *child, *item;

	snprintf(name, sizeof(name), "%.*s", (int)n, rest);
	child = cJSON_GetObjectItemCaseSensitive(v, name);
	if (rest[n] == 0) {
		if (!child && (f->need == ALWAYS || (f->need == IF_OK && ok)))
			return iso_fail(
				err, ISO_E_DATA,
				"damaged record (%s: %s): it is missing; run the cell again", where,
				f->path);
		return child ? check_value(f, child, where, err) : ISO_OK;
	}
	if (rest[n] == '.')
		return cJSON_IsObject(child) ? check_path(f, child, rest + n + 1, ok, where, err)
					     : ISO_OK;
	cJSON_ArrayForEach(item, child)
	{
		if (!cJSON_IsObject(item))
			return iso_fail(err, ISO_E_DATA,
					"damaged record (%s: %s): its items must be objects; run "
					"the cell again",
					where, f->path);
		ISO_TRY(check_path(f, item, rest + n + 3, ok, where, err));
	}
	return ISO_OK;
}

static iso_status check_scores(const cJSON *record, const char *where, iso_error *err)
{
	const cJSON *attack, *score, *truth;

	cJSON_ArrayForEach(attack, cJSON_GetObjectItemCaseSensitive(record, "attacks"))
	{
		const cJSON *scores = cJSON_GetObjectItemCaseSensitive(attack, "scores");
		const cJSON *truths = cJSON_GetObjectItemCaseSensitive(attack, "truth");

		if (!scores && !truths)
			continue;
		score = scores ? scores->child : NULL;
		truth = truths ? truths->child : NULL;
		while (score && truth && cJSON_IsNumber(score) && isfinite(score->valuedouble) &&
		       cJSON_IsNumber(truth) &&
		       (truth->valuedouble == 0 || truth->valuedouble == 1)) {
			score = score->next;
			truth = truth->next;
		}
		ISO_FAIL_IF(score || truth, err, ISO_E_DATA,
			    "damaged record (%s: attacks[].scores): scores must be numbers, each "
			    "with a truth of 0 or 1; run "
			    "the cell again",
			    where);
	}
	return ISO_OK;
}

static iso_status check_label(const cJSON *label, const char *path, const char *where,
			      iso_error *err)
{
	const char *fault = cJSON_IsString(label) ? iso_label_fault(label->valuestring) : NULL;

	ISO_FAIL_IF(fault, err, ISO_E_DATA, "damaged record (%s: %s): \"%.64s\": %s", where, path,
		    label->valuestring, fault);
	return ISO_OK;
}

/* samples/ and 32 hex digits: never a path that leaves the directory. */
static int is_sample_file(const char *path)
{
	return strncmp(path, "samples/", 8) == 0 && strspn(path + 8, "0123456789abcdef") == 32 &&
	       strcmp(path + 40, ".csv.gz") == 0;
}

/* Labels and file names are held to the rules that suites are held to: records travel. */
static iso_status check_names(const cJSON *record, const char *where, iso_error *err)
{
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(record, "config"), *item;
	const cJSON *samples = cJSON_GetObjectItemCaseSensitive(record, "samples");

	ISO_TRY(check_label(cJSON_GetObjectItemCaseSensitive(record, "label"), "label", where,
			    err));
	ISO_TRY(check_label(cJSON_GetObjectItemCaseSensitive(
				    cJSON_GetObjectItemCaseSensitive(config, "dataset"), "name"),
			    "config.dataset.name", where, err));
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(record, "attacks"))
		ISO_TRY(check_label(cJSON_GetObjectItemCaseSensitive(item, "label"),
				    "attacks[].label", where, err));
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(record, "metrics"))
		ISO_TRY(check_label(cJSON_GetObjectItemCaseSensitive(item, "metric"),
				    "metrics[].metric", where, err));
	ISO_FAIL_IF(cJSON_IsString(samples) && !is_sample_file(samples->valuestring), err,
		    ISO_E_DATA, "damaged record (%s: samples): the file must be samples/KEY.csv.gz",
		    where);
	return ISO_OK;
}

iso_status iso_record_check(const cJSON *record, const char *where, iso_error *err)
{
	char key[33];
	const cJSON *status, *format;
	int ok;

	ISO_FAIL_IF(!cJSON_IsObject(record), err, ISO_E_DATA,
		    "damaged record (%s): not a JSON object; run the cell again", where);
	format = cJSON_GetObjectItemCaseSensitive(record, "isoeps");
	ISO_FAIL_IF(cJSON_IsNumber(format) && format->valuedouble != ISO_RECORD_FORMAT, err,
		    ISO_E_DATA,
		    "unknown record format (%s: isoeps): it is %g, this program reads %d; use the "
		    "program that wrote it, or run the suite again",
		    where, format->valuedouble, ISO_RECORD_FORMAT);
	status = cJSON_GetObjectItemCaseSensitive(record, "status");
	ok = cJSON_IsString(status) && strcmp(status->valuestring, "ok") == 0;
	for (const iso_record_field *f = fields; f->path; f++)
		ISO_TRY(check_path(f, record, f->path, ok, where, err));
	ISO_TRY(iso_record_key(cJSON_GetObjectItemCaseSensitive(record, "config"), key, err));
	ISO_FAIL_IF(strcmp(key, cJSON_GetObjectItemCaseSensitive(record, "key")->valuestring) != 0,
		    err, ISO_E_DATA,
		    "damaged record (%s: key): the configuration hashes to %s; run the cell again",
		    where, key);
	ISO_TRY(check_names(record, where, err));
	return check_scores(record, where, err);
}
