// SPDX-License-Identifier: Apache-2.0
#include "suites/referee/targets.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/data/rows.h"

enum { MEMBER, NONMEMBER };

typedef struct entry {
	uint64_t hash;
	uint32_t row;
	uint8_t side;
} entry;

static int compare_entries(const void *a, const void *b)
{
	const entry *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* All rows of both tables, equal values next to each other.  The 64-bit hash stands for the value:
 * at 10^6 rows two values share one with probability 3e-8. */
static iso_status entries_of(const iso_table *a, const iso_table *b, entry **out, iso_error *err)
{
	entry *e = iso_alloc(a->n + b->n, sizeof(*e));

	if (!e)
		return iso_no_memory(err, "the search for equal rows");
	for (size_t r = 0; r < a->n; r++)
		e[r] = (entry){iso_row_hash(a, r), (uint32_t)r, MEMBER};
	for (size_t r = 0; r < b->n; r++)
		e[a->n + r] = (entry){iso_row_hash(b, r), (uint32_t)r, NONMEMBER};
	qsort(e, a->n + b->n, sizeof(*e), compare_entries);
	*out = e;
	return ISO_OK;
}

/* The run of equal values from e[0]: its length, and how many of it lie on the first side. */
static size_t run_of(const entry *e, size_t n, size_t *first_side)
{
	size_t len = 0;

	*first_side = 0;
	while (len < n && e[len].hash == e[0].hash)
		*first_side += e[len++].side == MEMBER;
	return len;
}

/* copies[side][row] = how often the row's value occurs if the row stands for it, else 0. */
static void count_copies(const entry *e, size_t n, uint32_t *copies[2], iso_targets *t)
{
	size_t members;

	for (size_t at = 0, len; at < n; at += len) {
		len = run_of(e + at, n - at, &members);
		if (members && members < len) {
			t->shared_members += members;
			t->shared_nonmembers += len - members;
		} else {
			copies[e[at].side][e[at].row] = (uint32_t)len;
		}
	}
}

/* Candidates in a random order: all members, and the non-members that stand for a value. */
static size_t shuffled(iso_key key, const uint32_t *copies, size_t n, int all, uint32_t *row)
{
	iso_stream s = iso_stream_new(key);
	size_t m = 0;

	for (size_t r = 0; r < n; r++)
		if (all || copies[r])
			row[m++] = (uint32_t)r;
	iso_shuffle(&s, row, m);
	return m;
}

/* Each non-member in turn with the first unused member whose value occurs as often. */
static void pair_up(uint32_t *copies[2], const uint32_t *in, size_t nin, const uint32_t *out,
		    size_t nout, size_t most, uint32_t *head, uint32_t *next, iso_targets *t)
{
	memset(head, 0xff, (nin + 1) * sizeof(*head)); /* by number of copies; UINT32_MAX = none */
	for (size_t i = nin; i-- > 0;) {
		const uint32_t k = copies[MEMBER][in[i]];

		if (k) {
			next[i] = head[k];
			head[k] = (uint32_t)i;
		}
	}
	for (size_t i = 0; i < nout && t->n < most; i++) {
		const uint32_t k = copies[NONMEMBER][out[i]];

		if (k > nin || head[k] == UINT32_MAX)
			continue;
		t->member[t->n] = in[head[k]];
		t->nonmember[t->n++] = out[i];
		head[k] = next[head[k]];
	}
}

static iso_status find_copies(const iso_table *members, const iso_table *nonmembers, int dedup,
			      uint32_t *copies[2], iso_targets *t, iso_error *err)
{
	entry *e;

	if (!dedup) {
		for (size_t r = 0; r < members->n; r++)
			copies[MEMBER][r] = 1;
		for (size_t r = 0; r < nonmembers->n; r++)
			copies[NONMEMBER][r] = 1;
		return ISO_OK;
	}
	ISO_TRY(entries_of(members, nonmembers, &e, err));
	count_copies(e, members->n + nonmembers->n, copies, t);
	iso_free(e);
	return ISO_OK;
}

iso_status iso_targets_choose(const iso_table *members, const iso_table *nonmembers, int dedup,
			      size_t most, iso_key key, iso_targets *out, iso_error *err)
{
	const size_t n[2] = {members->n, nonmembers->n};
	const size_t least = n[0] < n[1] ? n[0] : n[1];
	uint32_t *copies[2] = {iso_alloc(n[0], sizeof(uint32_t)),
			       iso_alloc(n[1], sizeof(uint32_t))};
	uint32_t *in = iso_alloc(n[0], sizeof(*in)), *other = iso_alloc(n[1], sizeof(*other));
	uint32_t *head = iso_alloc(n[0] + 1, sizeof(*head)), *next = iso_alloc(n[0], sizeof(*next));
	iso_targets t = {.member = iso_alloc(least, sizeof(uint32_t)),
			 .nonmember = iso_alloc(least, sizeof(uint32_t))};
	iso_status st = ISO_OK;

	*out = (iso_targets){0};
	if (!copies[0] || !copies[1] || !in || !other || !head || !next || !t.member ||
	    !t.nonmember)
		st = iso_no_memory(err, "the targets");
	if (st == ISO_OK)
		st = find_copies(members, nonmembers, dedup, copies, &t, err);
	if (st == ISO_OK) {
		const size_t nin =
			shuffled(iso_key_child(key, "members", 0), copies[0], n[0], 1, in);
		const size_t nout =
			shuffled(iso_key_child(key, "non-members", 0), copies[1], n[1], 0, other);

		pair_up(copies, in, nin, other, nout, most, head, next, &t);
		*out = t;
	} else {
		iso_targets_free(&t);
	}
	iso_free(copies[0]);
	iso_free(copies[1]);
	iso_free(in);
	iso_free(other);
	iso_free(head);
	iso_free(next);
	return st;
}

void iso_targets_free(iso_targets *t)
{
	iso_free(t->member);
	iso_free(t->nonmember);
	*t = (iso_targets){0};
}

iso_status iso_rows_shared(const iso_table *a, const iso_table *b, size_t *out, iso_error *err)
{
	entry *e;
	size_t in_a;

	*out = 0;
	ISO_TRY(entries_of(a, b, &e, err));
	for (size_t at = 0, len; at < a->n + b->n; at += len) {
		len = run_of(e + at, a->n + b->n - at, &in_a);
		*out += in_a < len ? in_a : 0;
	}
	iso_free(e);
	return ISO_OK;
}

static int compare_rows(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

iso_status iso_rows_without(const iso_table *a, const iso_table *b, uint32_t **row, size_t *n,
			    iso_error *err)
{
	entry *e;
	size_t in_a;

	*n = 0;
	*row = iso_alloc(a->n, sizeof(**row));
	if (!*row)
		return iso_no_memory(err, "the search for equal rows");
	const iso_status st = entries_of(a, b, &e, err);
	if (st != ISO_OK) {
		iso_free(*row);
		*row = NULL;
		return st;
	}
	for (size_t at = 0, len; at < a->n + b->n; at += len) {
		len = run_of(e + at, a->n + b->n - at, &in_a);
		for (size_t i = 0; i < in_a && in_a == len; i++)
			(*row)[(*n)++] = e[at + i].row;
	}
	iso_free(e);
	qsort(*row, *n, sizeof(**row), compare_rows);
	return ISO_OK;
}
