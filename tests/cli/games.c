// SPDX-License-Identifier: Apache-2.0
/* Each game with a toy attack whose success is known beforehand, and the pool of shadow models. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/data/catalogue.h"
#include "core/data/split.h"
#include "suites/referee/blank.h"
#include "suites/referee/pool.h"
#include "tests/support/testkit.h"

static iso_error err;
static iso_dataset *data;
static iso_table *members, *others, *aux;
static iso_training_request request;
static int64_t options[32];

static void setup(void)
{
	cJSON *o = cJSON_Parse("{\"rows\": 600}"), *resolved;
	iso_split split;
	const iso_generator *g;

	tk_ok(iso_dataset_load("sim-census", o, &data, &err));
	cJSON_Delete(o);
	tk_ok(iso_split_make(data->table, 1, 0.5, 0.25, 0.25, &split, &err));
	tk_ok(iso_table_select(data->table, split.train, split.ntrain, &members, &err));
	tk_ok(iso_table_select(data->table, split.holdout, split.nholdout, &others, &err));
	tk_ok(iso_table_select(data->table, split.aux, split.naux, &aux, &err));
	iso_split_free(&split);
	tk_ok(iso_generator_find("memorise", &g, &err));
	tk_ok(iso_options_resolve(g->options, NULL, "memorise", options, g->options_size, &resolved,
				  &err));
	cJSON_Delete(resolved);
	request = (iso_training_request){.generator = g,
					 .options = options,
					 .train = members,
					 .epsilon = INFINITY,
					 .delta = 1e-5,
					 .seed = 1};
}

static iso_game *referee(const iso_table *synthetic)
{
	const iso_game_setup s = {.members = members,
				  .nonmembers = others,
				  .auxiliary = aux,
				  .synthetic = synthetic,
				  .request = &request,
				  .max_targets = 60,
				  .worlds = 6,
				  .dedup = 1,
				  .seed = 5};
	iso_game *g;

	tk_ok(iso_game_new(&s, &g, &err));
	return g;
}

static double outcome(const iso_play *p, const char *key)
{
	for (size_t i = 0; i < p->measures.n; i++)
		if (strcmp(p->measures.outputs[i].key, key) == 0)
			return p->measures.v[i].value;
	ck_abort_msg("no output %s", key);
}

/* The synthetic row that agrees with row r of t in the most cells that are not blanked. */
static size_t most_alike(const iso_table *t, size_t r, const iso_table *s)
{
	size_t best = 0, most = 0;

	for (size_t i = 0; i < s->n; i++) {
		size_t same = 0;

		for (size_t c = 0; c < s->schema->ncol; c++)
			same += iso_table_cell(t, r, c) == iso_table_cell(s, i, c);
		if (same > most) {
			most = same;
			best = i;
		}
	}
	return best;
}

/* ---- toy attacks ---- */

static iso_status look_up_secret(const iso_attack_view *v, const void *o, void *state,
				 iso_guess *guess, iso_error *e)
{
	(void)o;
	(void)state;
	(void)e;
	for (size_t i = 0; i < v->targets->n; i++) {
		ck_assert(isnan(iso_table_cell(v->targets, i, (size_t)v->secret)));
		guess[i] = (iso_guess){1, iso_table_cell(v->synthetic,
							 most_alike(v->targets, i, v->synthetic),
							 (size_t)v->secret)};
	}
	return ISO_OK;
}

static iso_status guess_zero(const iso_attack_view *v, const void *o, void *state, iso_guess *guess,
			     iso_error *e)
{
	(void)o;
	(void)state;
	(void)e;
	for (size_t i = 0; i < v->targets->n * (v->nworld ? v->nworld : 1); i++)
		guess[i] = (iso_guess){0, 0};
	return ISO_OK;
}

static iso_status link_halves(const iso_attack_view *v, const void *o, void *state,
			      iso_guess *guess, iso_error *e)
{
	(void)o;
	(void)state;
	(void)e;
	for (size_t i = 0; i < v->targets->n; i++)
		guess[i] = (iso_guess){1, most_alike(v->targets, i, v->synthetic) ==
						  most_alike(v->partners, i, v->synthetic)};
	return ISO_OK;
}

static iso_status complete_rows(const iso_attack_view *v, const void *o, void *state,
				iso_guess *guess, iso_error *e)
{
	const size_t ncol = v->schema->ncol;

	(void)o;
	(void)state;
	(void)e;
	for (size_t i = 0; i < v->targets->n; i++) {
		const size_t k = most_alike(v->targets, i, v->synthetic);

		guess[i] = (iso_guess){0, 0};
		for (size_t c = 0; c < ncol; c++)
			if (isnan(iso_table_cell(v->targets, i, c)))
				v->rebuilt->cells[i * ncol + c] =
					iso_table_cell(v->synthetic, k, c);
	}
	return ISO_OK;
}

static size_t equal_cells(const iso_table *a, size_t r, const iso_table *b, size_t k)
{
	size_t n = 0;

	for (size_t c = 0; c < a->schema->ncol; c++) {
		const double x = iso_table_cell(a, r, c), y = iso_table_cell(b, k, c);

		n += x == y || (isnan(x) && isnan(y));
	}
	return n;
}

/* In the world whose rows hold the target. */
static iso_status search_worlds(const iso_attack_view *v, const void *o, void *state,
				iso_guess *guess, iso_error *e)
{
	const size_t k = v->targets->n;

	(void)o;
	(void)state;
	for (size_t w = 0; w < v->nworld; w++) {
		iso_table *rows;

		ISO_TRY(v->models->draw(v->world[w], 0, 2 * members->n, &rows, e));
		for (size_t t = 0; t < k; t++) {
			size_t best = 0;

			for (size_t r = 0; r < rows->n; r++) {
				const size_t same = equal_cells(v->targets, t, rows, r);

				best = same > best ? same : best;
			}
			guess[w * k + t] = (iso_guess){(double)best, 0};
		}
		iso_table_free(rows);
	}
	return ISO_OK;
}

static iso_attack toy(iso_goal goal, uint32_t knows,
		      iso_status (*guess)(const iso_attack_view *, const void *, void *,
					  iso_guess *, iso_error *))
{
	return (iso_attack){.abi = ISO_ATTACK_ABI,
			    .name = "toy",
			    .title = "t",
			    .citation = "c",
			    .card = "c",
			    .goal = goal,
			    .knows = knows,
			    .version = 1,
			    .knowledge = "NB",
			    .guess = guess};
}

/* ---- games ---- */

/* On a table that is the training table, looking up beats the control; on fresh rows it does not; a
 * constant guess never has a risk. */
START_TEST(attribute)
{
	const iso_attack a = toy(ISO_GOAL_ATTRIBUTE, ISO_KNOWS_SYNTHETIC, look_up_secret),
			 z = toy(ISO_GOAL_ATTRIBUTE, ISO_KNOWS_SYNTHETIC, guess_zero);
	iso_game *g = referee(members);
	iso_play p;

	tk_ok(iso_game_attack(g, &a, "a", NULL, &p, &err));
	ck_assert_uint_eq(p.n, 120);
	tk_assert_close(outcome(&p, "main"), 1, 0, 0);
	ck_assert(outcome(&p, "control") < 0.95);
	ck_assert(outcome(&p, "risk") > 0.5);
	iso_play_free(&p);
	tk_ok(iso_game_attack(g, &z, "z", NULL, &p, &err));
	ck_assert(isnan(outcome(&p, "risk")));
	iso_play_free(&p);
	iso_game_free(g);
	g = referee(aux);
	tk_ok(iso_game_attack(g, &a, "a", NULL, &p, &err));
	ck_assert(isnan(outcome(&p, "risk")) || outcome(&p, "risk") < 0.4);
	iso_play_free(&p);
	iso_game_free(g);
}
END_TEST

START_TEST(linkage)
{
	const iso_attack a = toy(ISO_GOAL_LINKAGE, ISO_KNOWS_SYNTHETIC, link_halves);
	iso_game *g = referee(members);
	iso_play p;

	tk_ok(iso_game_attack(g, &a, "a", NULL, &p, &err));
	ck_assert_uint_eq(p.n, 180);
	ck_assert_msg(outcome(&p, "main") > outcome(&p, "control") + 0.05 &&
			      outcome(&p, "main") > outcome(&p, "naive") + 0.05 &&
			      outcome(&p, "risk") > 0.05,
		      "main %g, control %g, naive %g", outcome(&p, "main"), outcome(&p, "control"),
		      outcome(&p, "naive"));
	iso_play_free(&p);
	iso_game_free(g);
}
END_TEST

START_TEST(reconstruction)
{
	const iso_attack a = toy(ISO_GOAL_RECONSTRUCTION, ISO_KNOWS_SYNTHETIC, complete_rows),
			 z = toy(ISO_GOAL_RECONSTRUCTION, ISO_KNOWS_SYNTHETIC, guess_zero);
	iso_game *g = referee(members);
	iso_play p;

	tk_ok(iso_game_attack(g, &a, "a", NULL, &p, &err));
	ck_assert(outcome(&p, "main") > 0.5);
	ck_assert(outcome(&p, "main") > outcome(&p, "control") + 0.3);
	ck_assert(outcome(&p, "naive") < 0.2);
	iso_play_free(&p);
	tk_ok(iso_game_attack(g, &z, "z", NULL, &p, &err)); /* nothing filled in: nothing right */
	tk_assert_close(outcome(&p, "main"), 0, 0, 0);
	iso_play_free(&p);
	iso_game_free(g);
}
END_TEST

START_TEST(neighbour)
{
	const iso_attack a = toy(ISO_GOAL_NEIGHBOUR, ISO_KNOWS_SHADOW, search_worlds),
			 z = toy(ISO_GOAL_NEIGHBOUR, 0, guess_zero);
	iso_game *g = referee(members);
	iso_play p, again;
	size_t in = 0;

	tk_ok(iso_game_attack(g, &a, "a", NULL, &p, &err));
	ck_assert_uint_eq(p.n, 6 * 20);
	for (size_t i = 0; i < p.n; i++)
		in += p.truth[i];
	ck_assert(in > 35 && in < 85); /* 120 fair coins: 4.5 sd */
	ck_assert_msg(p.roc.auc > 0.9, "AUC %g", p.roc.auc);
	ck_assert(outcome(&p, "auc_worst") > 0.9);
	tk_ok(iso_game_attack(g, &z, "z", NULL, &again, &err));
	tk_assert_close(again.roc.auc, 0.5, 0, 0);
	ck_assert_mem_eq(p.truth, again.truth, p.n); /* the same worlds for every attack */
	iso_play_free(&p);
	iso_play_free(&again);
	iso_game_free(g);
}
END_TEST

/* The GAN attack against a method with these options, trained on `in`, judged by `out`. */
static iso_play hitaj(const char *method, const char *text, const iso_table *in,
		      const iso_table *out)
{
	iso_training_request r = request;
	const iso_attack *a;
	int64_t of_method[256] = {0}, of_attack[128] = {0};
	cJSON *values = cJSON_Parse(text);
	iso_game_setup s = {
		.members = in, .nonmembers = out, .request = &r, .max_targets = 200, .seed = 5};
	iso_game *g;
	iso_play p;

	r.train = in;
	tk_ok(iso_generator_find(method, &r.generator, &err));
	ck_assert_uint_le(r.generator->options_size, sizeof(of_method));
	tk_ok(iso_options_resolve(r.generator->options, values, method, of_method,
				  r.generator->options_size, NULL, &err));
	cJSON_Delete(values);
	r.options = of_method;
	tk_ok(iso_attack_find("gan-attack", &a, &err));
	ck_assert_uint_le(a->options_size, sizeof(of_attack));
	tk_ok(iso_options_resolve(a->options, NULL, "gan-attack", of_attack, a->options_size, NULL,
				  &err));
	tk_ok(iso_game_new(&s, &g, &err));
	tk_ok(iso_game_attack(g, a, "a", of_attack, &p, &err));
	iso_game_free(g);
	return p;
}

static double end(const iso_play *p, const char *key, int upper)
{
	for (size_t i = 0; i < p->measures.n; i++)
		if (strcmp(p->measures.outputs[i].key, key) == 0)
			return upper ? p->measures.v[i].high : p->measures.v[i].low;
	ck_abort_msg("no output %s", key);
}

/* Clients that publish their rows: the attack must catch the victim's, and its class.  Clients that
 * publish uniform rows: both intervals cover chance. */
START_TEST(federated)
{
	iso_play p = hitaj("3dgl", "{\"inner\":\"memorise\"}", members, others);

	ck_assert_uint_eq(p.roc.n_pos, p.roc.n_neg);
	ck_assert_msg(p.roc.auc > 0.9, "AUC %g", p.roc.auc);
	ck_assert_msg(end(&p, "gain", 0) > 0.1, "gain %g, share %g", outcome(&p, "gain"),
		      outcome(&p, "share"));
	ck_assert(outcome(&p, "distance") < outcome(&p, "distance_without"));
	iso_play_free(&p);
	p = hitaj("3dgl", "{\"inner\":\"uniform\"}", members, others);
	ck_assert_msg(p.roc.low < 0.5 && p.roc.high > 0.5, "AUC %g", p.roc.auc);
	ck_assert_msg(end(&p, "gain", 0) < 0 && end(&p, "gain", 1) > 0, "gain %g",
		      outcome(&p, "gain"));
	iso_play_free(&p);
}
END_TEST

/* The paper's own case: a network shared without noise shows the digit that another client alone
 * holds, and no rows of it. */
START_TEST(federated_classifier)
{
	iso_dataset *digits;
	iso_split split;
	iso_table *in, *out;

	tk_ok(iso_dataset_load("digits", NULL, &digits, &err));
	tk_ok(iso_split_make(digits->table, 1, 0.5, 0.5, 0, &split, &err));
	tk_ok(iso_table_select(digits->table, split.train, split.ntrain, &in, &err));
	tk_ok(iso_table_select(digits->table, split.holdout, split.nholdout, &out, &err));
	iso_split_free(&split);
	iso_play p = hitaj("fedavg", "{\"mode\":\"paper\",\"model\":\"mlp\"}", in, out);

	ck_assert_msg(end(&p, "gain", 0) > 0.5, "gain %g: %g, %g without", outcome(&p, "gain"),
		      outcome(&p, "share"), outcome(&p, "share_without"));
	ck_assert_msg(p.roc.auc < 0.7, "AUC %g", p.roc.auc);
	iso_play_free(&p);
	iso_table_free(in);
	iso_table_free(out);
	iso_dataset_free(digits);
}
END_TEST

START_TEST(not_federated)
{
	const iso_attack a = toy(ISO_GOAL_FEDERATED, ISO_KNOWS_ROUNDS, guess_zero);
	iso_game *g = referee(members);
	iso_play p;

	tk_fails(iso_game_attack(g, &a, "a", NULL, &p, &err), ISO_E_UNSUPPORTED, "not federated");
	iso_game_free(g);
}
END_TEST

/* A shadow model is a function of (rows, seed): trained once, whoever asks. */
START_TEST(pool)
{
	iso_pool *a, *b;
	const iso_model *m[4];
	iso_table *x, *y;

	tk_ok(iso_pool_new(&request, NULL, &a, &err));
	tk_ok(iso_pool_new(&request, NULL, &b, &err));
	tk_ok(iso_pool_train(a, aux, 0, &m[0], &err));
	tk_ok(iso_pool_train(a, aux, 0, &m[1], &err));
	ck_assert_ptr_eq(m[0], m[1]);
	tk_ok(iso_pool_train(a, aux, 1, &m[1], &err));
	tk_ok(iso_pool_train(a, others, 0, &m[2], &err));
	ck_assert(m[0] != m[1] && m[0] != m[2]);
	ck_assert_uint_eq(iso_pool_trained(a), 3);
	tk_ok(iso_pool_train(b, others, 0, &m[3], &err)); /* another order of asking */
	tk_ok(iso_pool_models(a)->draw(m[2], 7, 50, &x, &err));
	tk_ok(iso_pool_models(b)->draw(m[3], 7, 50, &y, &err));
	ck_assert_mem_eq(x->cells, y->cells, 50 * data->schema->ncol * sizeof(double));
	iso_table_free(y);
	tk_ok(iso_pool_models(a)->draw(m[2], 8, 50, &y, &err));
	ck_assert(memcmp(x->cells, y->cells, 50 * data->schema->ncol * sizeof(double)) != 0);
	iso_table_free(x);
	iso_table_free(y);
	iso_pool_free(a);
	iso_pool_free(b);
}
END_TEST

/* A shadow is a task with an artefact: another pool takes it from the directory, whole or not at
 * all, and another method never does. */
START_TEST(pool_on_disk)
{
	const char *dir = tk_tempdir();
	char folder[4200], file[8400];
	iso_pool_store store = {.dir = dir, .method = "{\"generator\":\"a\"}"};
	iso_pool *p[4];
	const iso_model *m[4];
	iso_table *x, *y;
	DIR *d;
	struct dirent *e;
	FILE *f;

	snprintf(folder, sizeof(folder), "%s/shadows", dir);
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	for (int i = 0; i < 4; i++) {
		if (i == 2)
			store.method = "{\"generator\":\"b\"}";
		if (i == 3) { /* both files damaged */
			d = opendir(folder);
			while ((e = readdir(d)) != NULL) {
				snprintf(file, sizeof(file), "%s/%s", folder, e->d_name);
				if (e->d_name[0] != '.' && (f = fopen(file, "a")) != NULL) {
					fputs("x", f);
					fclose(f);
				}
			}
			closedir(d);
		}
		tk_ok(iso_pool_new(&request, &store, &p[i], &err));
		tk_ok(iso_pool_train(p[i], aux, 0, &m[i], &err));
		ck_assert_uint_eq(iso_pool_taken(p[i]), i == 1);
	}
	tk_ok(iso_pool_models(p[0])->draw(m[0], 7, 50, &x, &err));
	tk_ok(iso_pool_models(p[1])->draw(m[1], 7, 50, &y, &err));
	ck_assert_mem_eq(x->cells, y->cells, 50 * data->schema->ncol * sizeof(double));
	iso_table_free(x);
	iso_table_free(y);
	for (int i = 0; i < 4; i++)
		iso_pool_free(p[i]);
}
END_TEST

START_TEST(right_guesses)
{
	const iso_column number = {.type = ISO_CONTINUOUS, .lo = -10, .hi = 10},
			 category = {.type = ISO_CATEGORICAL, .ncategory = 3};

	ck_assert(iso_guess_right(&number, 0, 1) && iso_guess_right(&number, -0.5, 0.5));
	ck_assert(!iso_guess_right(&number, 0, 1.01) && !iso_guess_right(&number, 0, NAN));
	ck_assert(!iso_guess_right(&number, NAN, NAN));
	ck_assert(iso_guess_right(&category, 2, 2) && !iso_guess_right(&category, 2, 1));
}
END_TEST

/* The shipped attacks of these games: a risk on a copy of the training table, none on fresh rows.
 */
START_TEST(shipped)
{
	static const struct {
		const char *name;
		double least;
	} a[] = {{"attribute-nearest", 0.3},
		 {"linkability", 0.05},
		 {"reconstruction-nearest", 0.2},
		 {"singling-out", 0.3}};

	for (size_t i = 0; i < ISO_COUNT(a); i++) {
		const iso_attack *x;
		int64_t o[64] = {0};
		iso_play p;

		tk_ok(iso_attack_find(a[i].name, &x, &err));
		ck_assert_uint_le(x->options_size, sizeof(o));
		if (x->options_size)
			tk_ok(iso_options_resolve(x->options, NULL, x->name, o, x->options_size,
						  NULL, &err));
		for (int copy = 0; copy < 2; copy++) {
			iso_game *g = referee(copy ? members : aux);

			tk_ok(iso_game_attack(g, x, "a", o, &p, &err));
			const double risk = outcome(&p, "risk");
			if (copy)
				ck_assert_msg(risk > a[i].least, "%s: risk %g on a copy", a[i].name,
					      risk);
			else
				ck_assert_msg(isnan(risk) || p.measures.v[3].low < 0.1,
					      "%s: risk %g, at least %g, on fresh rows", a[i].name,
					      risk, p.measures.v[3].low);
			iso_play_free(&p);
			iso_game_free(g);
		}
	}
}
END_TEST

static iso_play played(const char *name, const char *text)
{
	const iso_attack *x;
	int64_t o[64] = {0};
	cJSON *v = cJSON_Parse(text);
	iso_game *g = referee(members);
	iso_play p;

	ck_assert_ptr_nonnull(v);
	tk_ok(iso_attack_find(name, &x, &err));
	ck_assert_uint_le(x->options_size, sizeof(o));
	tk_ok(iso_options_resolve(x->options, v, x->name, o, x->options_size, NULL, &err));
	tk_ok(iso_game_attack(g, x, name, o, &p, &err));
	iso_game_free(g);
	cJSON_Delete(v);
	return p;
}

static void be_blind(void)
{
	static int64_t none[32];
	const iso_generator *uniform;

	tk_ok(iso_generator_find("uniform", &uniform, &err));
	tk_ok(iso_options_resolve(uniform->options, NULL, "uniform", none, uniform->options_size,
				  NULL, &err));
	request.generator = uniform;
	request.options = none;
}

/* 301 secrets drawn anew.  memorise gives its rows as they are, so that the nearest row knows the
 * secret.  A blind generator: one half, at se .029. */
START_TEST(redrawn)
{
	static const char *const linear[] = {"{}", "{\"rows\":3000}"};
	const iso_training_request before = request;
	iso_play p = played("attribute-redrawn", "{}");

	ck_assert_uint_eq(p.n, members->n);
	tk_assert_close(outcome(&p, "chance"), 0.5, 0, 0);
	ck_assert_msg(outcome(&p, "main") > 0.98, "%g", outcome(&p, "main"));
	tk_assert_close(outcome(&p, "risk"), 2 * outcome(&p, "main") - 1, 1e-12, 1e-12);
	iso_play_free(&p);
	for (int i = 0; i < 2; i++) {
		p = played("linear-reconstruction", linear[i]);
		ck_assert_msg(outcome(&p, "main") > 0.95 && outcome(&p, "auc") > 0.98,
			      "%s: main %g, auc %g", linear[i], outcome(&p, "main"),
			      outcome(&p, "auc"));
		iso_play_free(&p);
	}
	be_blind();
	p = played("attribute-redrawn", "{}");
	ck_assert_msg(fabs(outcome(&p, "main") - 0.5) < 0.1, "%g", outcome(&p, "main"));
	iso_play_free(&p);
	p = played("linear-reconstruction", "{\"rows\":3000}");
	ck_assert_msg(fabs(outcome(&p, "main") - 0.5) < 0.1, "%g", outcome(&p, "main"));
	ck_assert_msg(fabs(outcome(&p, "auc") - 0.5) < 0.12, "%g", outcome(&p, "auc"));
	iso_play_free(&p);
	request = before;
}
END_TEST

/* Shares of one quarter and three quarters: memorise shows them, a blind generator does not. */
START_TEST(property)
{
	const iso_training_request before = request;
	iso_play p = played("property-inference", "{}");

	ck_assert_uint_eq(p.n, 6);
	ck_assert_msg(outcome(&p, "auc") == 1, "%g", outcome(&p, "auc"));
	iso_play_free(&p);
	be_blind();
	p = played("property-inference", "{}");
	ck_assert_msg(p.roc.low < 0.5 && p.roc.high > 0.5, "AUC %g [%g, %g]", p.roc.auc, p.roc.low,
		      p.roc.high);
	iso_play_free(&p);
	request = before;
}
END_TEST

/* Class means of the members themselves lie nearer to them than to the others. */
START_TEST(inversion)
{
	iso_play p = played("model-inversion", "{\"target\":\"generator\"}");

	ck_assert_uint_eq(p.n, 2);
	ck_assert_msg(outcome(&p, "leak") > 0, "%g", outcome(&p, "leak"));
	ck_assert(outcome(&p, "hit") >= 0.5 && outcome(&p, "distance") >= 0);
	iso_play_free(&p);
}
END_TEST

/* Attacks with shadows: the name, the options, and the least area on a generator that memorises
 * (120 pairs of world and target: se .04).  By default a model gives as many rows as there are
 * auxiliary ones, half as many as it was trained on; 1,200 rows hold all that memorise has seen. */
static const struct {
	const char *name, *options;
	double least;
} shadowed[] = {
	{"lira", "{}", 0.65},
	{"lira", "{\"rows\":1200}", 0.9},
	{"lira", "{\"rows\":1200,\"statistic\":\"density\"}", 0.9},
	{"lira", "{\"rows\":1200,\"offline\":true}", 0.9},
	{"shadow-features", "{}", 0.7},
};

static void with_shadows(size_t i, int blind)
{
	const iso_attack *x;
	int64_t o[16] = {0};
	cJSON *text = cJSON_Parse(shadowed[i].options);
	iso_game *g = referee(members);
	iso_play p;

	tk_ok(iso_attack_find(shadowed[i].name, &x, &err));
	tk_ok(iso_options_resolve(x->options, text, x->name, o, x->options_size, NULL, &err));
	tk_ok(iso_game_attack(g, x, "a", o, &p, &err));
	if (blind)
		ck_assert_msg(p.roc.low < 0.5 && p.roc.high > 0.5, "%s %s: AUC %g [%g, %g]",
			      x->name, shadowed[i].options, p.roc.auc, p.roc.low, p.roc.high);
	else
		ck_assert_msg(p.roc.auc > shadowed[i].least, "%s %s: AUC %g", x->name,
			      shadowed[i].options, p.roc.auc);
	iso_play_free(&p);
	iso_game_free(g);
	cJSON_Delete(text);
}

/* Features of whole tables say little of one row in 150, but much of one in twenty. */
START_TEST(few_rows)
{
	static const char *const kind[] = {"naive", "histogram", "correlation", "ensemble",
					   "queries"};
	const iso_training_request before = request;
	iso_table *const all[2] = {members, aux};
	uint32_t row[20];

	for (uint32_t i = 0; i < 20; i++)
		row[i] = i;
	tk_ok(iso_table_select(all[0], row, 20, &members, &err));
	tk_ok(iso_table_select(all[1], row, 20, &aux, &err));
	request.train = members;
	for (size_t i = 0; i < ISO_COUNT(kind); i++) {
		const iso_attack *x;
		int64_t o[16] = {0};
		char text[128];
		cJSON *v;
		iso_game *g = referee(members);
		iso_play p;

		snprintf(text, sizeof(text), "{\"features\":\"%s\",\"shadows\":64,\"rows\":400}",
			 kind[i]);
		v = cJSON_Parse(text);
		tk_ok(iso_attack_find("shadow-features", &x, &err));
		tk_ok(iso_options_resolve(x->options, v, x->name, o, x->options_size, NULL, &err));
		tk_ok(iso_game_attack(g, x, "a", o, &p, &err));
		ck_assert_msg(p.roc.low > 0.5 && p.roc.auc > 0.7, "%s: AUC %g [%g, %g]", kind[i],
			      p.roc.auc, p.roc.low, p.roc.high);
		iso_play_free(&p);
		iso_game_free(g);
		cJSON_Delete(v);
	}
	iso_table_free(members);
	iso_table_free(aux);
	members = all[0];
	aux = all[1];
	request = before;
}
END_TEST

/* They tell the worlds of a generator that memorises, and those of one that sees nothing not. */
START_TEST(shadows)
{
	const iso_training_request before = request;

	for (size_t i = 0; i < ISO_COUNT(shadowed); i++)
		with_shadows(i, 0);
	be_blind();
	for (size_t i = 0; i < ISO_COUNT(shadowed); i++)
		with_shadows(i, 1);
	request = before;
}
END_TEST

/* Half of the targets are the members that lie farthest from all others. */
START_TEST(isolated_targets)
{
	const iso_attack z = toy(ISO_GOAL_NEIGHBOUR, 0, guess_zero);
	iso_game *g = referee(members);
	iso_play p;

	tk_ok(iso_game_attack(g, &z, "z", NULL, &p, &err));
	tk_assert_close(outcome(&p, "auc_isolated"), 0.5, 0, 0);
	tk_assert_close(outcome(&p, "auc_random"), 0.5, 0, 0);
	iso_play_free(&p);
	iso_game_free(g);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("games");
	TCase *c = tcase_create("games");

	tcase_add_unchecked_fixture(c, setup, NULL);
	tcase_add_test(c, attribute);
	tcase_add_test(c, linkage);
	tcase_add_test(c, reconstruction);
	tcase_add_test(c, neighbour);
	tcase_add_test(c, federated);
	tcase_add_test(c, federated_classifier);
	tcase_add_test(c, not_federated);
	tcase_add_test(c, pool);
	tcase_add_test(c, pool_on_disk);
	tcase_add_test(c, right_guesses);
	tcase_add_test(c, shipped);
	tcase_add_test(c, redrawn);
	tcase_add_test(c, property);
	tcase_add_test(c, inversion);
	tcase_add_test(c, shadows);
	tcase_add_test(c, few_rows);
	tcase_add_test(c, isolated_targets);
	suite_add_tcase(s, c);
	return tk_run(s);
}
