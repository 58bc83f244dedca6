// SPDX-License-Identifier: Apache-2.0
#include "reports/caveats.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

/* The length of the number at p ("12", "2,000", "0.05"), 0 if none begins here; digits inside a
 * word ("tvd2", "1e-05") are letters. */
static size_t number_at(const char *start, const char *p)
{
	const char *q = p;

	if (!isdigit((unsigned char)*p) ||
	    (p > start && (isalnum((unsigned char)p[-1]) || strchr("_-.,", p[-1]))))
		return 0;
	while (isdigit((unsigned char)*q) ||
	       (strchr(".,", *q) && *q && isdigit((unsigned char)q[1])))
		q++;
	return isalpha((unsigned char)*q) || *q == '_' || *q == '-' ? 0 : (size_t)(q - p);
}

/* The next number at or after *p; 0 at the end of the text. */
static size_t next_number(const char *start, const char **p)
{
	for (; **p; (*p)++) {
		const size_t n = number_at(start, *p);

		if (n)
			return n;
	}
	return 0;
}

static int same_shape(const char *a, const char *b)
{
	const char *p = a, *q = b;

	for (size_t k = 0;; k++) {
		const char *from_p = p, *from_q = q;
		const size_t n = next_number(a, &p), m = next_number(b, &q);

		if (p - from_p != q - from_q || memcmp(from_p, from_q, (size_t)(p - from_p)) != 0)
			return 0;
		if (!n || !m)
			return !n && !m;
		if (k >= ISO_CAVEAT_NUMBERS && (n != m || memcmp(p, q, n) != 0))
			return 0;
		p += n;
		q += m;
	}
}

static double value_of(const char *number)
{
	char plain[64];
	size_t n = 0;

	for (; *number && n + 1 < sizeof(plain); number++)
		if (*number != ',')
			plain[n++] = *number;
	plain[n] = 0;
	return strtod(plain, NULL);
}

static iso_status keep(char **slot, const char *number, size_t n, iso_error *err)
{
	char *copy = iso_alloc(n + 1, 1);

	if (!copy)
		return iso_no_memory(err, "caveats");
	memcpy(copy, number, n);
	copy[n] = 0;
	iso_free(*slot);
	*slot = copy;
	return ISO_OK;
}

static iso_status widen(iso_caveat *c, const char *text, iso_error *err)
{
	const char *p = text;

	for (size_t k = 0; k < ISO_CAVEAT_NUMBERS; k++) {
		const size_t n = next_number(text, &p);
		char number[64];

		if (!n)
			break;
		memcpy(number, p, n < sizeof(number) ? n : sizeof(number) - 1);
		number[n < sizeof(number) ? n : sizeof(number) - 1] = 0;
		if (!c->low[k] || value_of(number) < value_of(c->low[k]))
			ISO_TRY(keep(&c->low[k], p, n, err));
		if (!c->high[k] || value_of(number) > value_of(c->high[k]))
			ISO_TRY(keep(&c->high[k], p, n, err));
		p += n;
	}
	return ISO_OK;
}

iso_status iso_caveats_add(iso_caveats *c, const char *text, iso_error *err)
{
	for (size_t i = 0; i < c->n; i++)
		if (same_shape(c->v[i].text, text))
			return widen(&c->v[i], text, err);
	ISO_TRY(iso_grow(&c->v, &c->cap, c->n + 1, sizeof(*c->v), err));
	memset(&c->v[c->n], 0, sizeof(*c->v));
	ISO_TRY(keep(&c->v[c->n].text, text, strlen(text), err));
	return widen(&c->v[c->n++], text, err);
}

void iso_caveat_text(const iso_caveats *c, size_t i, iso_str *out)
{
	const iso_caveat *v = &c->v[i];
	const char *p = v->text;

	for (size_t k = 0;; k++) {
		const char *from = p;
		const size_t n = next_number(v->text, &p);

		iso_str_addn(out, from, (size_t)(p - from));
		if (!n)
			return;
		if (k < ISO_CAVEAT_NUMBERS && strcmp(v->low[k], v->high[k]) != 0)
			iso_str_addf(out, "%s to %s", v->low[k], v->high[k]);
		else
			iso_str_addn(out, p, n);
		p += n;
	}
}

void iso_caveats_free(iso_caveats *c)
{
	for (size_t i = 0; i < c->n; i++) {
		iso_free(c->v[i].text);
		for (size_t k = 0; k < ISO_CAVEAT_NUMBERS; k++) {
			iso_free(c->v[i].low[k]);
			iso_free(c->v[i].high[k]);
		}
	}
	iso_free(c->v);
	*c = (iso_caveats){0};
}
