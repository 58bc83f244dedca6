// SPDX-License-Identifier: Apache-2.0
/* One function per target: it must return for any input, and holds its own properties by
 * FUZZ_CHECK.  Built with libFuzzer it is fuzzed (see README.md); built with replay.c it runs over
 * the corpus and over mutations of it. */
#ifndef ISO_TESTS_FUZZ_H
#define ISO_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define FUZZ_CHECK(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: property broken: %s\n", __FILE__, __LINE__, \
				#cond); \
			abort(); \
		} \
	} while (0)

#endif
