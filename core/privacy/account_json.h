// SPDX-License-Identifier: Apache-2.0
/* `isoeps account` as a function from text to text (design section 10). */
#ifndef ISO_PRIVACY_ACCOUNT_JSON_H
#define ISO_PRIVACY_ACCOUNT_JSON_H

#include "core/base/str.h"
#include "core/privacy/accountant.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is asked, when not asked inside the input; NaN and -1 = not given.  Options override the
 * input's keys. */
typedef struct iso_account_options {
	double delta;
	int adjacency;	       /* iso_adjacency or -1 */
	double epsilon;	       /* ask for delta at this epsilon */
	double target_epsilon; /* ask for the noise that reaches it */
	const char *solve;     /* "noise_multiplier" or "scale"; NULL = what the first event has */
	int accountant;	       /* iso_accountant or -1 (pld) */
	int json;	       /* JSON on one line, else text for people */
} iso_account_options;
#define ISO_ACCOUNT_OPTIONS_NONE \
	{ \
		.delta = NAN, .adjacency = -1, .epsilon = NAN, .target_epsilon = NAN, \
		.accountant = -1 \
	}

/* One input; `name` stands in errors ("plan.json").  The answer is appended to out, with a final
 * newline. */
iso_status iso_account_text(const char *text, size_t n, const char *name,
			    const iso_account_options *options, iso_str *out,
			    iso_error *err) ISO_MUST_CHECK;
/* JSON Lines, one by one: the answer to the next line (n bytes, no newline) is appended to out;
 * nothing for a blank line.  *failed = 1 for a line that gave an error, which its answer holds.
 * Answers are remembered, so that a line that differs in "id" alone is not computed again. */
typedef struct iso_account_lines iso_account_lines;
iso_status iso_account_lines_new(const char *name, const iso_account_options *options,
				 iso_account_lines **out, iso_error *err) ISO_MUST_CHECK;
iso_status iso_account_lines_next(iso_account_lines *b, const char *line, size_t n, iso_str *out,
				  int *failed, iso_error *err) ISO_MUST_CHECK;
void iso_account_lines_free(iso_account_lines *b);
/* The same for a whole text: one output line per input line that is not blank; *bad = lines that
 * gave an error. */
iso_status iso_account_batch(const char *text, size_t n, const char *name,
			     const iso_account_options *options, iso_str *out, size_t *bad,
			     iso_error *err) ISO_MUST_CHECK;
/* Events in the spelling of design section 10 (a JSON array), for whoever reads them elsewhere.
 * need_noise 0: a missing noise stands for 1, to be scaled. */
struct cJSON;
iso_status iso_events_from_json(const struct cJSON *array, const char *where, int need_noise,
				iso_events *out, iso_error *err) ISO_MUST_CHECK;
/* Shortest text that reads back as x; "inf" in quotes, NaN as null. */
void iso_account_number(double x, iso_str *out);

#ifdef __cplusplus
}
#endif

#endif
