// SPDX-License-Identifier: Apache-2.0
/* The table of verbs: dispatch, help, man pages and completions follow it. */
#ifndef ISO_CLI_VERBS_H
#define ISO_CLI_VERBS_H

typedef struct iso_verb {
	const char *name; /* NULL ends the table */
	int (*run)(int argc, char **argv);
	const char *operands, *summary;
} iso_verb;

extern const iso_verb iso_verbs[];

#endif
