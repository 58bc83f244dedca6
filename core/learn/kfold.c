// SPDX-License-Identifier: Apache-2.0
#include "core/learn/kfold.h"

#include "core/base/alloc.h"

/* Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S). */
iso_status iso_subset(iso_key key, size_t n, size_t m, uint32_t **out, iso_error *err)
{
	ISO_FAIL_IF(m > n, err, ISO_E_USAGE, "a subset of %zu rows of %zu", m, n);
	uint32_t *row = iso_alloc(m, sizeof(*row));
	if (!row)
		return iso_no_memory(err, "a subset of rows");
	iso_stream s = iso_stream_new(key);
	size_t got = 0;
	for (size_t i = 0; got < m; i++)
		if (m == n || iso_next_below(&s, n - i) < m - got)
			row[got++] = (uint32_t)i;
	*out = row;
	return ISO_OK;
}

iso_status iso_stratified_folds(iso_key key, const uint32_t *y, size_t n, size_t classes,
				size_t folds, uint32_t *fold, iso_error *err)
{
	ISO_FAIL_IF(!folds, err, ISO_E_USAGE, "zero folds");
	uint32_t *member = iso_alloc(n, sizeof(*member));
	if (!member)
		return iso_no_memory(err, "the folds of a cross-validation");
	size_t dealt = 0;
	for (size_t c = 0; c < classes; c++) {
		iso_stream s = iso_stream_new(iso_key_child(key, "fold", c));
		size_t m = 0;
		for (size_t i = 0; i < n; i++)
			if (y[i] == c)
				member[m++] = (uint32_t)i;
		iso_shuffle(&s, member, m);
		for (size_t i = 0; i < m; i++)
			fold[member[i]] = (uint32_t)(dealt++ % folds);
	}
	iso_free(member);
	return ISO_OK;
}
