// SPDX-License-Identifier: Apache-2.0
#include "tests/support/testkit.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#define TK_DIRS 64
#define TK_PATHS 1024
static char dirs[TK_DIRS][64];
static size_t ndirs;
static char *paths[TK_PATHS];
static size_t npaths;
static pid_t owner;

int tk_close(double a, double b, double rel, double abs_tol)
{
	if (isinf(a) || isinf(b))
		return a == b;
	return fabs(a - b) <= abs_tol + rel * fabs(b);
}

cJSON *tk_golden(const char *name)
{
	char path[512];
	size_t n = 0, cap = 1 << 16;
	char *text = malloc(cap);
	cJSON *json;
	gzFile f;
	int got;

	snprintf(path, sizeof(path), "%s/tests/data/%s", ISO_SOURCE_DIR, name);
	f = gzopen(path, "rb");
	ck_assert_msg(f != NULL, "cannot open %s", path);
	while ((got = gzread(f, text + n, (unsigned)(cap - n - 1))) > 0) {
		n += (size_t)got;
		if (cap - n < 2)
			text = realloc(text, cap *= 2);
	}
	gzclose(f);
	text[n] = 0;
	json = cJSON_Parse(text);
	ck_assert_msg(json != NULL, "%s is not JSON", path);
	free(text);
	return json;
}

double tk_number(const cJSON *object, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);

	if (cJSON_IsNumber(v))
		return v->valuedouble;
	if (cJSON_IsString(v) && strcmp(v->valuestring, "inf") == 0)
		return INFINITY;
	if (cJSON_IsString(v) && strcmp(v->valuestring, "-inf") == 0)
		return -INFINITY;
	return NAN;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void clean(void)
{
	if (getpid() != owner)
		return;
	for (size_t i = 0; i < ndirs; i++)
		nftw(dirs[i], remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i < npaths; i++)
		free(paths[i]);
	ndirs = npaths = 0; /* a forked test inherits this handler and may register it once more */
}

const char *tk_tempdir(void)
{
	char *d;

	ck_assert(ndirs < TK_DIRS);
	if (!owner || owner != getpid()) {
		owner = getpid();
		ndirs = npaths = 0;
		atexit(clean);
	}
	d = dirs[ndirs++];
	snprintf(d, sizeof(dirs[0]), "/tmp/isoeps-test-XXXXXX");
	ck_assert_msg(mkdtemp(d) != NULL, "mkdtemp failed");
	return d;
}

const char *tk_write(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	ck_assert_msg(f != NULL, "cannot write %s", path);
	fputs(text, f);
	fclose(f);
	ck_assert(npaths < TK_PATHS);
	return paths[npaths++] = strdup(path);
}

static int *skipped; /* shared with the forked tests */

void tk_skip(const char *format, ...)
{
	va_list args;

	printf("skipped: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	__atomic_fetch_add(skipped, 1, __ATOMIC_RELAXED);
}

int tk_run(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed, ran, left_out;

	skipped = mmap(NULL, sizeof(*skipped), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (skipped == MAP_FAILED)
		return 1;
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	ran = srunner_ntests_run(r);
	left_out = *skipped;
	srunner_free(r);
	munmap(skipped, sizeof(*skipped));
	if (ran == 0)
		printf("no test ran\n");
	return failed || ran == 0 ? 1 : left_out ? 77 : 0;
}

const char *tk_shared_data(void)
{
	static char path[512];
	const char *env = getenv("ISOEPS_DATA");

	snprintf(path, sizeof(path), "%s", env ? env : ISO_SOURCE_DIR "/../shared/data");
	return access(path, R_OK) == 0 ? path : NULL;
}
