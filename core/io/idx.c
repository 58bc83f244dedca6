// SPDX-License-Identifier: Apache-2.0
/* IDX: two zero bytes, type (8 = unsigned byte), number of dimensions, the dimensions as 32-bit
 * big-endian numbers, the values in row-major order (LeCun, Cortes, Burges, "The MNIST database").
 */
#include "core/io/idx.h"

#include <string.h>

#include "core/base/alloc.h"
#include "core/io/file.h"

#define IDX_UBYTE 8

static size_t big_endian(const uint8_t *p)
{
	return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static iso_status read_header(const uint8_t *p, size_t n, const char *path, iso_idx *x,
			      size_t *head, size_t *total, iso_error *err)
{
	ISO_FAIL_IF(n < 4 || p[0] || p[1], err, ISO_E_DATA,
		    "not an IDX file (%s): it must start with two zero bytes, a type and a number "
		    "of dimensions; check "
		    "the path",
		    path);
	ISO_FAIL_IF(p[2] != IDX_UBYTE, err, ISO_E_DATA,
		    "IDX file of another type (%s): byte 3 is 0x%02x, only unsigned bytes (0x08) "
		    "are read; convert it",
		    path, p[2]);
	ISO_FAIL_IF(
		p[3] < 1 || p[3] > 4, err, ISO_E_DATA,
		"IDX file of another shape (%s): it has %u dimensions, 1 to 4 are read; convert it",
		path, p[3]);
	x->ndim = p[3];
	*head = 4 + 4 * x->ndim;
	ISO_FAIL_IF(n < *head, err, ISO_E_DATA,
		    "truncated IDX file (%s): the header ends early; fetch it again", path);
	*total = 1;
	for (size_t i = 0; i < x->ndim; i++) {
		x->dim[i] = big_endian(p + 4 + 4 * i);
		ISO_FAIL_IF(x->dim[i] && *total > SIZE_MAX / x->dim[i], err, ISO_E_DATA,
			    "malformed IDX file (%s): its dimensions overflow; fetch it again",
			    path);
		*total *= x->dim[i];
	}
	return ISO_OK;
}

iso_status iso_idx_take(char *text, size_t n, const char *name, iso_idx *out, iso_error *err)
{
	iso_idx x = {0};
	size_t head = 0, total = 0;
	iso_status st = read_header((const uint8_t *)text, n, name, &x, &head, &total, err);

	memset(out, 0, sizeof(*out));
	if (st == ISO_OK && n - head != total)
		st = iso_fail(
			err, ISO_E_DATA,
			"%s IDX file (%s): %zu bytes of values, the header promises %zu; fetch it "
			"again",
			n - head < total ? "truncated" : "malformed", name, n - head, total);
	if (st != ISO_OK) {
		iso_free(text);
		return st;
	}
	memmove(text, text + head, total);
	x.data = (uint8_t *)text;
	*out = x;
	return ISO_OK;
}

iso_status iso_idx_read(const char *path, iso_idx *out, iso_error *err)
{
	char *text = NULL;
	size_t n = 0;

	memset(out, 0, sizeof(*out));
	ISO_TRY(iso_file_read(path, 0, &text, &n, err));
	return iso_idx_take(text, n, path, out, err);
}

void iso_idx_free(iso_idx *x)
{
	iso_free(x->data);
	memset(x, 0, sizeof(*x));
}
