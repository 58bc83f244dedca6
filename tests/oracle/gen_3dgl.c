// SPDX-License-Identifier: Apache-2.0
/* 3dgl: whose rows come from whom, what each client pays, and what is exchanged. */
#include <stdio.h>
#include <string.h>

#include "core/data/split.h"
#include "tests/oracle/gen_support.h"

static iso_error err;

/* n rows dealt to three clients in shares of 1/2, 1/4, 1/4. */
static iso_table *dealt(size_t n)
{
	iso_table *t = fx_table(fx_schema(), n, 3);

	tk_ok(iso_table_add_clients(t, 3, &err));
	for (size_t r = 0; r < n; r++)
		t->client[r] = r % 4 == 0 ? 1 : r % 4 == 1 ? 2 : 0;
	return t;
}

static int same_row(const iso_table *a, size_t i, const iso_table *b, size_t k)
{
	return memcmp(a->cells + i * a->schema->ncol, b->cells + k * b->schema->ncol,
		      a->schema->ncol * sizeof(double)) == 0;
}

/* Clients that publish their rows: row i of a sample is a row of client i mod 3, and no client's
 * generator knows another's. */
START_TEST(rows_come_from_the_clients_in_turn)
{
	iso_table *t = dealt(240);
	void *o;
	iso_training m = gen_train(gen_find("3dgl"), "inner=memorise", t, INFINITY, 0, NULL, &o);
	iso_table *s = gen_sample(&m, t->schema, 90), *more = gen_sample(&m, t->schema, 91);

	ck_assert_int_eq(m.guarantee, ISO_GUARANTEE_NONE);
	for (size_t i = 0; i < 90; i++) {
		size_t k = 0;

		while (k < t->n && !(t->client[k] == i % 3 && same_row(s, i, t, k)))
			k++;
		ck_assert_msg(k < t->n, "row %zu is no row of client %zu", i, i % 3);
		ck_assert(same_row(s, i, more, i));
	}
	iso_table_free(s);
	iso_table_free(more);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
}
END_TEST

/* The ledger of each client is that of its inner generator alone at the same noise scale; the
 * smallest client, whose batches are the largest share of its rows, has the whole epsilon. */
START_TEST(every_client_pays_for_itself)
{
	static const size_t rows[3] = {240, 120, 120};
	iso_table *t = dealt(480);
	void *o, *p;
	iso_training m =
		gen_train(gen_find("3dgl"), "inner_set=epochs=2;batch=24", t, 2, 0, NULL, &o);
	iso_epsilons whole, one[3];

	tk_ok(iso_ledger_epsilon(m.ledger, 1e-5, ISO_WANT_RDP | ISO_WANT_PLD, &whole, &err));
	tk_assert_close(whole.rdp, 2, 1e-3, 0); /* the fixture calibrates by RDP */
	for (int k = 0; k < 3; k++) {
		iso_table *own = fx_table(fx_schema(), rows[k], 5);
		iso_training alone = gen_train(gen_find("ddp-bvae"), "epochs=2 batch=24", own, 2,
					       m.scale, NULL, &p);
		iso_epsilons e;

		tk_ok(iso_ledger_epsilon(alone.ledger, 1e-5, ISO_WANT_PLD, &e, &err));
		tk_ok(iso_ledger_epsilon_in(m.ledger, k + 1, 1e-5, ISO_WANT_PLD, &one[k], &err));
		tk_assert_close(one[k].pld_upper, e.pld_upper, 1e-12, 0);
		iso_training_free(&alone);
		iso_free(p);
		iso_table_free(own);
	}
	ck_assert(one[0].pld_upper < 0.95 * one[1].pld_upper);
	tk_assert_close(one[1].pld_upper, whole.pld_upper, 1e-12, 0);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
}
END_TEST

/* The bytes of the part `name` of a saved model. */
static size_t part(const iso_str *s, const char *name, const char **out)
{
	const char *at = s->p;

	while (at < s->p + s->n) {
		const char *line = memchr(at, '\n', (size_t)(s->p + s->n - at));
		unsigned long n = 0;
		char head[64];

		ck_assert(line && sscanf(at, "%63s %lu", head, &n) == 2);
		if (strcmp(head, name) == 0) {
			*out = line + 1;
			return n;
		}
		at = line + 1 + n;
	}
	ck_abort_msg("no part %s", name);
}

/* One message from every client, and the pool: decoders and class laws, no encoder, nothing else.
 */
START_TEST(nothing_but_the_generators_is_exchanged)
{
	static const char *const who[4] = {"client0", "client1", "client2", "server"};
	iso_table *t = dealt(240);
	iso_str saved = {0};
	const char *log, *line, *bytes;
	size_t total = 0, size[3];
	void *o;
	iso_training m = gen_train(gen_find("3dgl"), "inner_set=epochs=2", t, 2, 0, NULL, &o);

	tk_ok(m.generator->save(m.model, &saved, &err));
	for (int k = 0; k < 3; k++) {
		size[k] = part(&saved, who[k], &bytes);
		total += size[k];
		ck_assert_ptr_null(memmem(bytes, size[k], "encoder", 7));
		ck_assert_ptr_nonnull(memmem(bytes, size[k], "generator0.", 11));
	}
	const size_t n = part(&saved, "messages", &log);

	line = log;
	for (int k = 0; k < 4; k++)
		for (int kind = 0; kind < 2; kind++) {
			char sender[16], what[16];
			unsigned long count, sent;
			const int mine = (k == 3) == kind;

			ck_assert_int_eq(
				sscanf(line, "%15s %15s %lu %lu", sender, what, &count, &sent), 4);
			ck_assert_str_eq(sender, who[k]);
			ck_assert_str_eq(what, kind ? "pool" : "generator");
			ck_assert_uint_eq(count, !mine ? 0 : k == 3 ? 3 : 1);
			ck_assert_uint_eq(sent, !mine ? 0 : k == 3 ? total : size[k]);
			line = strchr(line, '\n') + 1;
		}
	ck_assert_ptr_eq(line, log + n);
	iso_str_free(&saved);
	iso_training_free(&m);
	iso_free(o);
	iso_table_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("3dgl");
	TCase *c = tcase_create("3dgl");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, rows_come_from_the_clients_in_turn);
	tcase_add_test(c, every_client_pays_for_itself);
	tcase_add_test(c, nothing_but_the_generators_is_exchanged);
	suite_add_tcase(s, c);
	return tk_run(s);
}
