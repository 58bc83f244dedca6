// SPDX-License-Identifier: Apache-2.0
/* pate-gan: a student discriminator taught by the noisy votes of teachers on disjoint data (Jordon
 * et al. 2019).
 *
 * k teacher discriminators, each on its own part of the rows, judge public rows; a student learns
 * from their noisy majority alone; the generator plays against the student.
 *
 * ALGORITHM (card "pate-gan" section 7).  Rows are dealt to k parts once (kit/teachers.h).  G
 * begins at the uniform law of the public domain.  R rounds:
 *   n_T times, every teacher i: Adam on BCE of ~b rows of part i (target 1) and b fakes (target 0)
 *   Q/R queries u_j, half of them fakes and half drawn over the domain:
 *     n_1(j) = #{i: T_i(u_j) > 1/2}, n_0 = k - n_1,
 *     r_j = argmax(n_0 + V_0, n_1 + V_1), V ~ N(0, s^2) (gnmax) or Lap(s) (lnmax) on each count
 *   n_S times: Adam step of the student S on BCE(S(u), r) over released pairs (u, r)
 *   n_G times: Adam step of G on max(0, 1 - S(G(z))) + anchor |G(z) - u(z)|^2, z ~ U[-1,1]^z
 * With classes the label is drawn from a noisy histogram and G, T and S are conditional, with a
 * first layer per class.  Q is fixed beforehand and s calibrated to it: nothing stops on a
 * data-dependent epsilon.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - A record touches one teacher, through all its steps, and that teacher can change its vote on
 * every query: per query (n_0, n_1) moves by (1, 1): L1 2, L2 sqrt 2.  A threshold of a teacher's
 * own (`least`) is part of its vote.
 *  - "votes": iso_mech_votes, booked query by query under full composition, also where the teachers
 * agree; data-independent curve (LNMax: 2/s-DP per query; GNMax: Gaussian of multiplier s / sqrt
 * 2).
 *  - "label-histogram": one noisy histogram, share label_share.
 *  - S and G see fakes, probes, released labels and keys: post-processing.  Teachers, counts and
 * the sizes of parts stay with the curator.  "unanimous-vote-right" is the ceiling of the share of
 * labels that equal the majority, Phi(k / (s sqrt 2)); the share itself is a function of the
 * counts: diagnose=true shows it, books it as uncharged and gives up the guarantee.
 *
 * DEVIATIONS, all to learn from some hundred votes.  probes=0 least=0 start_steps=0 anchor=0
 * average=0 takes those away that can be taken away, and is still not the published method: the
 * networks stay conditional, the student keeps its pairs, and the stop is data-independent.
 *  - probes: a student that is only asked about fakes never hears where the data are.
 *  - start_steps: a generator with random weights stands in a corner of the domain, where every
 * vote says "fake" and no direction is better than another.
 *  - least: where all fakes are poor a teacher still calls the best quarter real.
 *  - anchor: the student of few votes is wrong about most of the domain; a fake moves only as far
 * as the gain is worth the way.  The hinge ends its way where S takes it for real.
 *  - The student keeps the released pairs, with smoothed labels; half of each batch is new.
 *  - Categories of fakes are relaxed draws in G's step and one-hot for teachers and queries.
 *  - Data-independent stop; teachers share the fakes of a step; a running average of G is given
 * out.  COST: about R n_T k b rows through teachers forward and backward, and Q k forward.
 */
#include "generators/kit/labels.h"
#include "generators/kit/pate_loop.h"

static const iso_option options[] = {
	ISO_OPT_ENUM(iso_pate_options, labels, "histogram", ISO_LABEL_CHOICES,
		     "law of the labels: a noisy histogram, uniform, or the suite's public class "
		     "counts"),
	ISO_PATE_OPTIONS,
	{0},
};

static iso_pate_spec spec_of(const iso_gen_env *env)
{
	(void)env;
	return (iso_pate_spec){.who = "pate-gan"};
}

ISO_PATE_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_pate_gan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "pate-gan",
	.title = "PATE-GAN: a student discriminator taught by noisy votes of teachers",
	.citation = "J. Jordon, J. Yoon, M. van der Schaar, \"PATE-GAN: Generating Synthetic Data "
		    "with Differential Privacy Guarantees\", ICLR 2019 (openreview S1zk9iRqF7); "
		    "pitfalls of G. Ganev, M. S. M. S. Annamalai, E. De Cristofaro, "
		    "arXiv:2406.13985",
	.card = "Teachers on a fixed disjoint partition of the rows vote on fakes and on probes of "
		"the public domain; a student discriminator learns from the noisy votes, the "
		"generator from the student.\n"
		"Privacy: a record belongs to one teacher, so each query moves two counts by one; "
		"every query is booked with the data-independent bound, their number is fixed and "
		"the noise is calibrated to it. The number of teachers follows from epsilon and "
		"the queries; fewer than twice the noise are refused.\n"
		"Deviations: probes among the queries, a uniform start, a pull back to it, at "
		"least "
		"a quarter of the queries called real, a first layer per class, kept pairs.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_TABULAR | ISO_ACCEPTS_SEQUENCE | ISO_ACCEPTS_ANY_LABEL,
	.version = 3,
	ISO_PATE_SLOTS,
};
