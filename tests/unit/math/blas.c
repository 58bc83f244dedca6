// SPDX-License-Identifier: Apache-2.0
/* The door to OpenBLAS: right answers on small exact cases, one thread, and the core type fixed by
 * one re-execution. */
#include "core/math/blas.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/testkit.h"

/* Small integers: exact in any order of summation. */
START_TEST(small_integer_products_are_exact)
{
	enum { M = 5, N = 6, K = 7 };
	float a[M * K], at[K * M], b[K * N], bt[N * K], c[M * N];
	int i, j, k, t, beta;

	for (i = 0; i < M; i++)
		for (k = 0; k < K; k++)
			a[i * K + k] = at[k * M + i] = (float)((i * 5 + k * 3) % 7 - 3);
	for (k = 0; k < K; k++)
		for (j = 0; j < N; j++)
			b[k * N + j] = bt[j * K + k] = (float)((k * 2 + j * 11) % 9 - 4);
	for (t = 0; t < 6; t++) {
		beta = t / 3;
		for (i = 0; i < M * N; i++)
			c[i] = (float)i;
		if (t % 3 == 0)
			iso_blas_sgemm(ISO_NN, M, N, K, a, K, b, N, beta, c, N);
		else if (t % 3 == 1)
			iso_blas_sgemm(ISO_NT, M, N, K, a, K, bt, K, beta, c, N);
		else
			iso_blas_sgemm(ISO_TN, M, N, K, at, M, b, N, beta, c, N);
		for (i = 0; i < M; i++)
			for (j = 0; j < N; j++) {
				float want = beta ? (float)(i * N + j) : 0;

				for (k = 0; k < K; k++)
					want += a[i * K + k] * b[k * N + j];
				ck_assert(c[i * N + j] == want);
			}
	}
}
END_TEST

START_TEST(zero_sizes)
{
	float x = 3, c[2] = {5, 6};

	iso_blas_sgemm(ISO_NN, 0, 2, 1, &x, 1, &x, 1, 0, c, 2);
	iso_blas_sgemm(ISO_NN, 2, 0, 1, &x, 1, &x, 1, 0, c, 1);
	ck_assert(c[0] == 5 && c[1] == 6);
	iso_blas_sgemm(ISO_NN, 1, 2, 0, &x, 0, &x, 2, 1, c, 2);
	ck_assert(c[0] == 5 && c[1] == 6);
	iso_blas_sgemm(ISO_NN, 1, 2, 0, &x, 0, &x, 2, 0, c, 2);
	ck_assert(c[0] == 0 && c[1] == 0);
}
END_TEST

#ifdef __x86_64__
/* main() below answers to --core after fixing it. */
static void core_of_child(const char *preset, char *core, size_t size)
{
	char command[600], self[400];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	FILE *p;

	ck_assert(n > 0);
	self[n] = 0;
	snprintf(command, sizeof(command), "env -u OPENBLAS_CORETYPE %s '%s' --core", preset, self);
	p = popen(command, "r");
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(fgets(core, (int)size, p));
	ck_assert_int_eq(pclose(p), 0);
	core[strcspn(core, "\n")] = 0;
}

START_TEST(core_type_matches_the_cpu)
{
	char core[64];

	core_of_child("", core, sizeof(core));
	ck_assert_str_ne(core, "");
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
		ck_assert_msg(strcasecmp(core, "SkylakeX") == 0 ||
				      strcasecmp(core, "Cooperlake") == 0 ||
				      strcasecmp(core, "SapphireRapids") == 0,
			      "core %s on a CPU with AVX-512", core);
	else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		ck_assert_str_ne(core, "Prescott");
	/* what the user asks for stays */
	core_of_child("OPENBLAS_CORETYPE=Nehalem", core, sizeof(core));
	ck_assert_msg(strcasecmp(core, "Nehalem") == 0, "asked for Nehalem, got %s", core);
}
END_TEST
#endif

START_TEST(texts)
{
	ck_assert_ptr_nonnull(strstr(iso_blas_config(), "OpenBLAS"));
	ck_assert_str_ne(iso_blas_core(), "");
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s;
	TCase *t;

	if (argc > 1 && strcmp(argv[1], "--core") == 0) {
		iso_blas_fix_core(argv);
		printf("%s\n", iso_blas_core());
		return 0;
	}
	s = suite_create("math/blas");
	t = tcase_create("blas");
	tcase_add_test(t, small_integer_products_are_exact);
	tcase_add_test(t, zero_sizes);
#ifdef __x86_64__
	tcase_add_test(t, core_type_matches_the_cpu);
#endif
	tcase_add_test(t, texts);
	suite_add_tcase(s, t);
	return tk_run(s);
}
