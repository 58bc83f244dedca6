// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/rand/rand.h"

/* Also for programs that are no Check suite: a fixture that cannot be made ends the program. */
static void need(iso_status st, const iso_error *err)
{
	if (st == ISO_OK)
		return;
	fprintf(stderr, "fixture: %s\n", err->text);
	exit(99);
}

static const char mixed[] =
	"{\"name\":\"fixture\",\"columns\":["
	"{\"name\":\"age\",\"type\":\"integer\",\"bounds\":[0,100]},"
	"{\"name\":\"income\",\"type\":\"continuous\",\"bounds\":[0,1000],\"missing\":[\"?\"]},"
	"{\"name\":\"city\",\"type\":\"categorical\",\"categories\":[\"north\",\"east\",\"south\","
	"\"west\"]},"
	"{\"name\":\"job\",\"type\":\"ordinal\",\"categories\":[\"none\",\"part\",\"full\"]},"
	"{\"name\":\"member\",\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"no\","
	"\"yes\"],\"positive\":"
	"\"yes\"}]}";
static const char single[] = "{\"name\":\"single\",\"columns\":["
			     "{\"name\":\"x\",\"type\":\"continuous\",\"bounds\":[-1,1]}]}";
static const char pixels[] = "{\"name\":\"images\",\"columns\":["
			     "{\"name\":\"image\",\"type\":\"pixel\",\"shape\":[4,4]},"
			     "{\"name\":\"digit\",\"type\":\"categorical\",\"role\":\"label\","
			     "\"categories\":[\"0\",\"1\",\"2\"]}]}";

static const iso_schema *parse(const char *text, iso_schema **keep)
{
	iso_error err = {0};
	cJSON *v;

	if (*keep)
		return *keep;
	v = cJSON_Parse(text);
	need(iso_schema_from_json(v, "fixture", keep, &err), &err);
	cJSON_Delete(v);
	return *keep;
}

const iso_schema *fx_schema(void)
{
	static iso_schema *s;

	return parse(mixed, &s);
}

const iso_schema *fx_schema_single(void)
{
	static iso_schema *s;

	return parse(single, &s);
}

const iso_schema *fx_schema_pixels(void)
{
	static iso_schema *s;

	return parse(pixels, &s);
}

/* A value of the column around the class: `t` in (0,1) shifted by the label. */
static double cell(const iso_column *c, double t, double y, double classes)
{
	double u = 0.7 * t + 0.3 * (y + 0.5) / classes;

	if (iso_is_discrete(c))
		return floor(u * (double)c->ncategory * 0.999);
	u = c->lo + u * (c->hi - c->lo);
	return c->type == ISO_INTEGER ? rint(u) : u;
}

iso_table *fx_table(const iso_schema *s, size_t n, uint64_t seed)
{
	const iso_key key = iso_key_new(seed, "fixture");
	const size_t classes = iso_schema_classes(s);
	iso_error err = {0};
	iso_table *t;

	need(iso_table_new(s, n, &t, &err), &err);
	for (size_t r = 0; r < n; r++) {
		const double y = classes ? floor(iso_rand_u01(key, r, 1000) * (double)classes) : 0;

		for (size_t j = 0; j < s->ncol; j++) {
			const iso_column *c = &s->column[j];
			const int missing =
				c->nmissing > 0 && iso_rand_u01(key, r, 2000 + j) < 0.05;

			t->cells[r * s->ncol + j] = c->type == ISO_PIXEL ? 0
						    : (int)j == s->label ? y
						    : missing		 ? NAN
							      : cell(c, iso_rand_u01(key, r, j), y,
								     classes ? (double)classes : 1);
		}
		for (size_t p = 0; p < s->npixel; p++)
			t->pixels[r * s->npixel + p] =
				(uint8_t)(255 * iso_rand_u01(key, r, 3000 + p) * (y + 1) /
					  (double)classes);
	}
	return t;
}
