// SPDX-License-Identifier: Apache-2.0
/* Rows of sequences whose length varies. */
#include <math.h>

#include "core/data/schema.h"

size_t iso_sequence_length(const iso_series *q, const double *cells)
{
	size_t n = q->steps;

	for (size_t i = 0; q->variable_length && i < q->steps; i++)
		if (isnan(cells[q->first + i * q->variables])) {
			n = i;
			break;
		}
	return n;
}

const char *iso_sequences_fault(const iso_schema *s, const double *cells, const char **name,
				size_t *step)
{
	for (size_t k = 0; k < s->nsequence; k++) {
		const iso_series *q = &s->sequence[k];
		const size_t n = iso_sequence_length(q, cells);

		*name = q->name;
		*step = n;
		if (n == 0)
			return "has length 0: its first step is missing";
		for (size_t i = 0; q->variable_length && i < q->steps * q->variables; i++) {
			if (isnan(cells[q->first + i]) == (i / q->variables >= n))
				continue;
			*step = i / q->variables;
			return *step < n ? "misses one of several variables"
					 : "goes on behind a missing step";
		}
	}
	return NULL;
}

void iso_sequences_settle(const iso_schema *s, double *cells)
{
	for (size_t k = 0; k < s->nsequence; k++) {
		const iso_series *q = &s->sequence[k];
		size_t n = 0;

		if (!q->variable_length)
			continue;
		n = iso_sequence_length(q, cells);
		n = n > 0 ? n : 1;
		for (size_t i = 0; i < q->steps * q->variables; i++) {
			const iso_column *c = &s->column[q->first + i];
			double *x = &cells[q->first + i];
			const double middle = c->lo + (c->hi - c->lo) / 2;

			if (i / q->variables >= n)
				*x = NAN;
			else if (isnan(*x))
				*x = iso_is_discrete(c) ? 0
				     : iso_is_whole(c)	? floor(middle)
							: middle;
		}
	}
}
