// SPDX-License-Identifier: Apache-2.0
/* The one predicate that decides whether a method takes data: every bit against every kind of
 * schema, and the words of each refusal. */
#include <stdio.h>
#include <string.h>

#include "core/io/json.h"
#include "generators/generator.h"
#include "tests/support/testkit.h"

static iso_error err;

#define NUMBER "{\"name\":\"x\",\"type\":\"continuous\",\"bounds\":[0,1]}"
#define IMAGE "{\"name\":\"im\",\"type\":\"pixel\",\"shape\":[2,2]}"
#define SERIES "{\"name\":\"s\",\"type\":\"sequence\",\"shape\":[3],\"bounds\":[0,1]}"
#define TWO "{\"name\":\"y\",\"type\":\"binary\",\"role\":\"label\",\"categories\":[\"a\",\"b\"]}"
#define THREE "{\"name\":\"y\",\"type\":\"categorical\",\"role\":\"label\",\"categories\":[1,2,3]}"
#define REAL "{\"name\":\"target\",\"type\":\"continuous\",\"role\":\"label\",\"bounds\":[0,9]}"

static iso_schema *schema_of(const char *columns)
{
	char text[1024];
	cJSON *v = NULL;
	iso_schema *s = NULL;

	snprintf(text, sizeof(text), "{\"name\":\"own\",\"columns\":[%s]}", columns);
	tk_ok(iso_json_parse(text, strlen(text), "test", &v, &err));
	tk_ok(iso_schema_from_json(v, "test", &s, &err));
	cJSON_Delete(v);
	return s;
}

static iso_status ask(uint32_t accepts, const char *columns, size_t public_rows, size_t nclient)
{
	const iso_generator g = {.name = "mine", .accepts = accepts};
	iso_schema *s = schema_of(columns);
	iso_table *t = NULL;
	iso_status st;

	tk_ok(iso_table_new(s, public_rows, &t, &err));
	st = iso_generator_accepts(
		&g, &(iso_gen_env){.schema = s, .public_rows = t, .nclient = nclient}, &err);
	iso_table_free(t);
	iso_schema_free(s);
	return st;
}

#define REFUSED(accepts, columns, text) \
	tk_fails(ask(accepts, columns, 0, 0), ISO_E_UNSUPPORTED, text)
#define TAKEN(accepts, columns) tk_ok(ask(accepts, columns, 0, 0))

START_TEST(columns)
{
	const uint32_t any = ISO_ACCEPTS_ANY_LABEL;

	TAKEN(any | ISO_ACCEPTS_TABULAR, NUMBER);
	TAKEN(any | ISO_ACCEPTS_IMAGE, IMAGE "," TWO);
	TAKEN(any | ISO_ACCEPTS_SEQUENCE, SERIES);
	TAKEN(any | ISO_ACCEPTS_ANY_COLUMN, NUMBER "," IMAGE "," SERIES "," TWO);
	REFUSED(any | ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE, NUMBER "," IMAGE,
		"column im is an image and this method takes none");
	REFUSED(any | ISO_ACCEPTS_TABULAR, NUMBER "," SERIES,
		"column s_0 is a step of a sequence and this method takes none");
	REFUSED(any | ISO_ACCEPTS_IMAGE, IMAGE "," NUMBER,
		"column x is neither an image nor a sequence");
	/* ids are dropped before anybody sees them */
	TAKEN(any | ISO_ACCEPTS_IMAGE, IMAGE ",{\"name\":\"n\",\"role\":\"id\"}");
}
END_TEST

START_TEST(labels)
{
	const uint32_t t = ISO_ACCEPTS_TABULAR;

	TAKEN(t | ISO_ACCEPTS_NO_LABEL, NUMBER);
	TAKEN(t | ISO_ACCEPTS_CLASSES, NUMBER "," TWO);
	TAKEN(t | ISO_ACCEPTS_CLASSES, NUMBER "," THREE);
	TAKEN(t | ISO_ACCEPTS_BINARY, NUMBER "," TWO);
	TAKEN(t | ISO_ACCEPTS_REGRESSION, NUMBER "," REAL);
	REFUSED(t | ISO_ACCEPTS_CLASSES, NUMBER, "no label (mine, data own)");
	REFUSED(t | ISO_ACCEPTS_REGRESSION, NUMBER, "needs a numeric label");
	REFUSED(t | ISO_ACCEPTS_BINARY, NUMBER "," THREE,
		"label y has 3 classes: this method needs exactly two");
	REFUSED(t | ISO_ACCEPTS_CLASSES | ISO_ACCEPTS_NO_LABEL, NUMBER "," REAL,
		"label target is continuous: this method needs classes; bin it or choose another");
	REFUSED(t | ISO_ACCEPTS_REGRESSION, NUMBER "," THREE,
		"label y has 3 classes: this method needs a numeric label");
}
END_TEST

START_TEST(public_rows_and_clients)
{
	const uint32_t a = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_NO_LABEL;

	tk_ok(ask(a | ISO_ACCEPTS_PUBLIC | ISO_ACCEPTS_CLIENTS, NUMBER, 0, 0));
	tk_ok(ask(a | ISO_REQUIRES_PUBLIC, NUMBER, 1, 0));
	tk_ok(ask(a | ISO_REQUIRES_CLIENTS, NUMBER, 0, 2));
	tk_fails(ask(a | ISO_REQUIRES_PUBLIC, NUMBER, 0, 2), ISO_E_UNSUPPORTED, "no public rows");
	tk_fails(ask(a | ISO_REQUIRES_CLIENTS, NUMBER, 1, 1), ISO_E_UNSUPPORTED, "the data have 1");
}
END_TEST

static const char *text_of(uint32_t accepts)
{
	static char text[256];
	const iso_generator g = {.name = "mine", .accepts = accepts};
	iso_str s = {0};

	iso_generator_accepts_text(&g, &s);
	tk_ok(iso_str_check(&s, &err));
	snprintf(text, sizeof(text), "%s", s.p);
	iso_str_free(&s);
	return text;
}

START_TEST(words)
{
	ck_assert_str_eq(text_of(ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL),
			 "flat columns, images and sequences; a numeric label, classes or none");
	ck_assert_str_eq(text_of(ISO_ACCEPTS_IMAGE | ISO_ACCEPTS_BINARY | ISO_REQUIRES_PUBLIC),
			 "images; a label of two classes; needs public rows");
	ck_assert_str_eq(text_of(ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE | ISO_ACCEPTS_CLASSES |
				 ISO_ACCEPTS_NO_LABEL | ISO_ACCEPTS_CLIENTS),
			 "flat columns and sequences; classes or no label; uses clients");
}
END_TEST

START_TEST(no_bits_no_registration)
{
	iso_generator g = *iso_generator_at(0);

	g.name = "bare";
	g.accepts = ISO_ACCEPTS_ANY_LABEL;
	tk_fails(iso_generator_register(&g, &err), ISO_E_PLUGIN, "accepts (some kind of column)");
	g.accepts = ISO_ACCEPTS_ANY_COLUMN;
	tk_fails(iso_generator_register(&g, &err), ISO_E_PLUGIN, "accepts (some kind of label");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("accepts");
	TCase *t = tcase_create("accepts");

	tcase_add_test(t, columns);
	tcase_add_test(t, labels);
	tcase_add_test(t, public_rows_and_clients);
	tcase_add_test(t, words);
	tcase_add_test(t, no_bits_no_registration);
	suite_add_tcase(s, t);
	return tk_run(s);
}
