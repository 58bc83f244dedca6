// SPDX-License-Identifier: Apache-2.0
/* What a method can take, decided in one place. */
#include "generators/generator.h"

static const char *const any_label =
	"a numeric label, classes or none"; /* every label bit is set */

static iso_status check_columns(const iso_generator *g, const iso_schema *s, iso_error *err)
{
	for (size_t k = 0; k < s->ncol; k++) {
		const iso_column *c = &s->column[k];

		if (c->role != ISO_FEATURE)
			continue;
		ISO_FAIL_IF(c->type == ISO_PIXEL && !(g->accepts & ISO_ACCEPTS_IMAGE), err,
			    ISO_E_UNSUPPORTED,
			    "image (%s, data %s): column %s is an image and this method takes "
			    "none; choose another method, or give the column the role id to "
			    "leave it out",
			    g->name, s->name, c->name);
		ISO_FAIL_IF(c->sequence && !(g->accepts & ISO_ACCEPTS_SEQUENCE), err,
			    ISO_E_UNSUPPORTED,
			    "sequence (%s, data %s): column %s is a step of a sequence and this "
			    "method takes none; choose another method",
			    g->name, s->name, c->name);
		ISO_FAIL_IF(c->type != ISO_PIXEL && !c->sequence &&
				    !(g->accepts & ISO_ACCEPTS_TABULAR),
			    err, ISO_E_UNSUPPORTED,
			    "flat column (%s, data %s): column %s is neither an image nor a "
			    "sequence, and this method takes nothing else beside the label; "
			    "choose another method, or give the column the role id to leave it "
			    "out",
			    g->name, s->name, c->name);
	}
	return ISO_OK;
}

static iso_status check_label(const iso_generator *g, const iso_schema *s, iso_error *err)
{
	const size_t classes = iso_schema_classes(s);

	if (s->label < 0) {
		ISO_FAIL_IF(!(g->accepts & ISO_ACCEPTS_NO_LABEL), err, ISO_E_UNSUPPORTED,
			    "no label (%s, data %s): this method needs %s to condition on; give "
			    "one column the role \"label\", or choose another method",
			    g->name, s->name,
			    g->accepts & (ISO_ACCEPTS_CLASSES | ISO_ACCEPTS_BINARY)
				    ? "a label of classes"
				    : "a numeric label");
		return ISO_OK;
	}
	if (classes == 0) {
		const iso_column *c = &s->column[s->label];

		ISO_FAIL_IF(!(g->accepts & ISO_ACCEPTS_REGRESSION), err, ISO_E_UNSUPPORTED,
			    "numeric label (%s, data %s): label %s is %s: this method needs "
			    "classes; bin it or choose another",
			    g->name, s->name, c->name, iso_type_name(c->type));
		return ISO_OK;
	}
	if (g->accepts & ISO_ACCEPTS_CLASSES)
		return ISO_OK;
	ISO_FAIL_IF(!(g->accepts & ISO_ACCEPTS_BINARY), err, ISO_E_UNSUPPORTED,
		    "label of classes (%s, data %s): label %s has %zu classes: this method needs "
		    "a numeric label; choose another label or another method",
		    g->name, s->name, s->column[s->label].name, classes);
	ISO_FAIL_IF(classes != 2, err, ISO_E_UNSUPPORTED,
		    "label (%s, data %s): label %s has %zu classes: this method needs exactly "
		    "two; merge classes, or choose another label or another method",
		    g->name, s->name, s->column[s->label].name, classes);
	return ISO_OK;
}

iso_status iso_generator_accepts(const iso_generator *g, const iso_gen_env *env, iso_error *err)
{
	const iso_schema *s = env->schema;

	ISO_TRY(check_columns(g, s, err));
	ISO_TRY(check_label(g, s, err));
	ISO_FAIL_IF((g->accepts & ISO_REQUIRES_PUBLIC) &&
			    (!env->public_rows || env->public_rows->n == 0),
		    err, ISO_E_UNSUPPORTED,
		    "no public rows (%s, data %s): this method learns from public rows and there "
		    "are none; give the split a \"public\" share, or the data set a "
		    "\"public_csv\"",
		    g->name, s->name);
	ISO_FAIL_IF((g->accepts & ISO_REQUIRES_CLIENTS) && env->nclient < 2, err, ISO_E_UNSUPPORTED,
		    "no clients (%s, data %s): this method trains over several clients and the "
		    "data have %zu; give one column the role \"client\", or the data set "
		    "\"clients\"",
		    g->name, s->name, env->nclient);
	return ISO_OK;
}

/* Adds the words of the bits that are set, with `and` before the last. */
static void add_bits(iso_str *out, uint32_t bits, const uint32_t *bit, const char *const *word,
		     size_t n, const char *and)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++)
		left += (bits & bit[i]) != 0;
	for (size_t i = 0; i < n; i++)
		if (bits & bit[i]) {
			iso_str_add(out, word[i]);
			left--;
			iso_str_add(out, left > 1 ? ", " : left == 1 ? and : "");
		}
}

void iso_generator_accepts_text(const iso_generator *g, iso_str *out)
{
	static const uint32_t column[] = {ISO_ACCEPTS_TABULAR, ISO_ACCEPTS_IMAGE,
					  ISO_ACCEPTS_SEQUENCE};
	static const char *const columns[] = {"flat columns", "images", "sequences"};
	static const uint32_t label[] = {ISO_ACCEPTS_CLASSES, ISO_ACCEPTS_REGRESSION,
					 ISO_ACCEPTS_NO_LABEL};
	static const char *const labels[] = {"classes", "a numeric label", "no label"};
	const uint32_t a = g->accepts;

	add_bits(out, a, column, columns, ISO_COUNT(column), " and ");
	iso_str_add(out, "; ");
	if ((a & ISO_ACCEPTS_ANY_LABEL) == ISO_ACCEPTS_ANY_LABEL)
		iso_str_add(out, any_label);
	else if ((a & ISO_ACCEPTS_BINARY) && !(a & ISO_ACCEPTS_CLASSES))
		iso_str_add(out, a & ISO_ACCEPTS_NO_LABEL ? "two classes or no label"
							  : "a label of two classes");
	else
		add_bits(out, a, label, labels, ISO_COUNT(label), " or ");
	if (a & ISO_REQUIRES_PUBLIC)
		iso_str_add(out, "; needs public rows");
	else if (a & ISO_ACCEPTS_PUBLIC)
		iso_str_add(out, "; uses public rows");
	if (a & ISO_REQUIRES_CLIENTS)
		iso_str_add(out, "; needs clients");
	else if (a & ISO_ACCEPTS_CLIENTS)
		iso_str_add(out, "; uses clients");
}
