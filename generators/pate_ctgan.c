// SPDX-License-Identifier: Apache-2.0
/* pate-ctgan: CTGAN's generator, told a category of one column, against a student that noisy votes
 * of teachers have taught (Rosenblatt et al. 2020).
 *
 * ALGORITHM (card "pate-ctgan"; rounds of kit/pate_loop.c, as pate-gan).  A condition c is a
 * discrete column, all as likely, and a category of it by the released frequencies; its one-hot is
 * an input of G, of the teachers and of the student.  k INDEPENDENT teachers on disjoint rows,
 * dealt once: a teacher's real row comes with the category of a column drawn by the row's identity
 * and the step. votes on Q queries in all: fakes under their conditions, and probes of the public
 * domain under a category of their own;  student: BCE on the released labels G: max(0, 1 - S(G(z,
 * c), c)) + anchor |G - u(z)|^2 + agree CE(c, G's probabilities of the column)
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - "votes": a record touches one teacher, so a query moves two counts by one; every query booked,
 * data-independent bound, as pate-gan.
 *  - "category-histograms": the frequencies of all discrete columns, one Gaussian release, L2
 * sensitivity sqrt(columns), share label_share; nothing with labels=uniform.
 *  - The term CE(c, .) sees fakes and their conditions only; G and S are post-processing.
 *
 * WHAT WAS WRONG.  In the released code all teachers and the student are one network object, so the
 * student is trained on real rows; lambda = 0.001 makes every vote a coin; the frequencies are
 * exact. None of this can be written with this kit: teachers are made apart, and the student sees
 * labels.
 *
 * DEVIATIONS.  Those of pate-gan (probes, uniform start, least, anchor; 0 each: as published), and
 * dense layers without residual batch norm and dropout.
 *
 * COST.  As pate-gan.
 */
#include "generators/kit/labels.h"
#include "generators/kit/pate_loop.h"

static const iso_option options[] = {
	ISO_OPT_ENUM(iso_pate_options, labels, "histogram", "histogram|uniform",
		     "law of the conditions: noisy histograms of all discrete columns, or uniform"),
	ISO_PATE_OPTIONS,
	ISO_OPT_REAL(iso_pate_options, agree, "1", 0, 1000,
		     "weight of the cross entropy between a fake and its condition"),
	{0},
};

static iso_pate_spec spec_of(const iso_gen_env *env)
{
	const iso_pate_options *const o = env->options;
	return (iso_pate_spec){.who = "pate-ctgan", .by_column = 1, .agree = o->agree};
}

ISO_PATE_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_pate_ctgan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "pate-ctgan",
	.title = "PATE-CTGAN: a conditional GAN against a student of noisy votes",
	.citation = "L. Rosenblatt, X. Liu, S. Pouyanfar, E. de Leon, A. Desai, J. Allen, "
		    "\"Differentially Private Synthetic Data: Applied Evaluations and "
		    "Enhancements\", 2020, arXiv:2011.05537",
	.card = "As pate-gan, with generator, teachers and student told a category of one discrete "
		"column drawn at random; the label is one of the columns.\n"
		"Privacy: votes with the data-independent bound, a record in one teacher; the "
		"frequencies of all categories are one noisy release.\n"
		"The released code shares one network between all teachers and the student and "
		"uses exact frequencies; here neither can happen.\n"
		"Deviations: those of pate-gan; dense layers without normalisation and dropout.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	ISO_PATE_SLOTS,
};
