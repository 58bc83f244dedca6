// SPDX-License-Identifier: Apache-2.0
/* replay CORPUS [MUTATIONS]: runs a target over every file of a directory and over MUTATIONS
 * variants of each (default 200), the same ones every time. */
#include <dirent.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX 65536

static uint64_t state;

static uint64_t next_word(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Flip, overwrite, insert, delete, copy or cut; a few steps on top of each other. */
static size_t mutate(uint8_t *p, size_t n)
{
	static const char tokens[] = "{}[]\",:\\\n\r 0-1e9.\0x\xff\x80\x7fnull?";
	size_t steps = 1 + next_word() % 6;

	while (steps-- > 0) {
		size_t at = n ? next_word() % n : 0, len = 1 + next_word() % 8;
		uint8_t token = (uint8_t)tokens[next_word() % (sizeof(tokens) - 1)];

		switch (next_word() % 6) {
		case 0:
			if (n)
				p[at] ^= (uint8_t)(1u << next_word() % 8);
			break;
		case 1:
			if (n)
				p[at] = token;
			break;
		case 2:
			if (n + 1 < INPUT_MAX) {
				memmove(p + at + 1, p + at, n - at);
				p[at] = token;
				n++;
			}
			break;
		case 3:
			len = len < n - at ? len : n - at;
			memmove(p + at, p + at + len, n - at - len);
			n -= len;
			break;
		case 4:
			len = len < n - at ? len : n - at;
			if (n + len < INPUT_MAX) {
				memmove(p + at + len, p + at, n - at);
				n += len;
			}
			break;
		default:
			n = next_word() % 8 == 0 ? at : n;
		}
	}
	return n;
}

/* The target sees an exact heap block, so that a read past its end is caught. */
static void run(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	FUZZ_CHECK(copy != NULL);
	if (n)
		memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static size_t replay_file(const char *path, size_t mutations)
{
	static uint8_t seed[INPUT_MAX], variant[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return 0;
	n = fread(seed, 1, INPUT_MAX / 2, f);
	fclose(f);
	run(seed, n);
	state = 0x9e3779b97f4a7c15u ^ n;
	for (size_t i = 0; i < mutations; i++) {
		memcpy(variant, seed, n);
		run(variant, mutate(variant, n));
	}
	return 1;
}

int main(int argc, char **argv)
{
	size_t done = 0, mutations = argc > 2 ? (size_t)atol(argv[2]) : 200;
	struct dirent *entry;
	DIR *d = argc > 1 ? opendir(argv[1]) : NULL;

	if (!d) {
		fprintf(stderr, "usage: %s CORPUS [MUTATIONS]\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(d)) != NULL) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		done += replay_file(path, mutations);
	}
	closedir(d);
	printf("%zu inputs, %zu variants each\n", done, mutations);
	return done ? 0 : 1;
}
