// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "core/base/alloc.h"
#include "core/io/idx.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *copy = iso_alloc(n, 1);
	iso_error err = {0};
	size_t total = 1;
	unsigned sum = 0;
	iso_idx x;

	FUZZ_CHECK(copy != NULL);
	if (n)
		memcpy(copy, data, n);
	if (iso_idx_take(copy, n, "input", &x, &err) != ISO_OK) {
		FUZZ_CHECK(x.data == NULL && err.text[0]);
		return 0;
	}
	for (size_t i = 0; i < x.ndim; i++)
		total *= x.dim[i];
	FUZZ_CHECK(total == n - 4 - 4 * x.ndim);
	for (size_t i = 0; i < total; i++)
		sum += x.data[i];
	FUZZ_CHECK(sum <= 255 * total);
	iso_idx_free(&x);
	return 0;
}
