// SPDX-License-Identifier: Apache-2.0
/* generate --dry-run: what would be released and how long it takes. */
#ifndef ISO_CLI_DRY_GENERATE_H
#define ISO_CLI_DRY_GENERATE_H

#include "suites/trial.h"

typedef struct iso_dry_generate {
	iso_guarantee guarantee;
	double accounted, scale; /* scale: of the noise, 0 without any */
	size_t n, rows, releases;
	int learned;
	char large_delta[256]; /* what is to be said of it; "" = nothing */
	iso_trial_training trial;
} iso_dry_generate;

/* Calibrates, and trains for a moment in a process of its own.  rows: 0 = as many as there are. */
iso_status iso_dry_generate_run(iso_training_request *r, size_t rows, iso_dry_generate *out,
				iso_error *err) ISO_MUST_CHECK;
/* Prints it; the exit status. */
int iso_dry_generate_say(const iso_dry_generate *d, const iso_training_request *r, int json);
/* What epsilon speaks of, one line. */
void iso_neighbours_text(iso_adjacency adjacency, size_t n, iso_str *out);

#endif
