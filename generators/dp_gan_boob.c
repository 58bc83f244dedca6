// SPDX-License-Identifier: Apache-2.0
/* dp-gan-boob: a private GAN with clusters of coordinates, a warm start and a private choice among
 * its checkpoints (Boob, Cummings, Kimpara, Tantipongpipat, Waites, Zimmerman 2018).
 *
 * ALGORITHM (their Algorithms 1 and 2 and section 4; loop in kit/gan_loop.c).
 *   warm_steps steps of ordinary training on the public rows (section 4.2); then n_d D steps per G
 *   step:
 *     the coordinates of w fall into `groups` clusters by the size of their public gradients, and
 *     c_j is the mean norm of public records' gradients in cluster j (section 4.1; kit/groups.h)
 *     g_i = grad_w [ log D(x_i) + log(1 - D(G(z_i))) ], each cluster of it clipped at c_j
 *     w <- Adam on (1/B) [ sum_i g_i + N(0, s_j^2) on the coordinates of cluster j ]
 *   theta <- Adam on mean log D(G(z))
 *   holdout of the rows take no part; of `checkpoints` generators `picks` are chosen by how well a
 *   task goes on their rows (section 4.4, kit/choice.h), and take turns in a sample.
 *
 *   integers of fewer than 15 values are bits, larger ones numbers that are rounded; categories are
 *   Gumbel-softmax draws; latitudes and longitudes are numbers inside their bounds (section 4.5).
 *
 * ABLATION.  cluster=none, bound=fixed, warm_steps=0 and picks=0 switch off one part each.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - "disc-step": both halves of record i stand under the clips of the clusters; all clusters of a
 * step are one Gaussian of multiplier sigma (kit/groups.h).  Clusters, bounds and warm start read
 * public rows.
 *  - "checkpoint-choice" (evaluator=task): one reserved record moves every count of right answers
 * by at most 1; `picks` noisy maxima.  "evaluator-step" (evaluator=private): DP-SGD on the reserved
 * rows, judging is post-processing.  Reserved and training rows are disjoint: one group, the dearer
 * part counts.
 *  - "label-histogram" (label=input): one noisy histogram over all rows.  G: post-processing.
 *
 * DEVIATIONS.  Per-record clipping (Algorithm 2 clips the batch's gradient).  Noise is allocated to
 * the clusters for the least total (allocation=equal: as printed).  Without public rows: one fixed
 * bound, no clusters, no warm start.  Clusters are formed every `regroup` steps on at most 64
 * public records.  The non-saturating loss of G.  Graphs (section 4.5) are not a kind of data here.
 * Tasks without labels have no evaluator: picks=0 there.
 *
 * COST.  Every record's gradient is written out: about 2 B P multiply-adds and as many bytes moved.
 */
#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_OPT_ENUM(iso_gan_options, bound, "auto", "fixed|decay|public|auto",
		     "bounds of a record's gradient: clip; the public rows' mean norms; public "
		     "where there are public rows"),
	ISO_OPT_REAL(iso_gan_options, bound_floor, "1e-3", 1e-9, 1e6, "least public bound"),
	ISO_OPT_ENUM(iso_gan_options, cluster, "auto", "none|weight-bias|tensor|coordinate|auto",
		     "groups of parameters with a bound each, from public rows; auto: coordinates "
		     "where there are public rows"),
	ISO_GAN_OPT_ALLOCATION("8"),
	ISO_GAN_OPT_WARM,
	ISO_OPT_INT(iso_gan_options, picks, "-1", -1, 64,
		    "checkpoints that are given out; 0: the last (averaged) weights alone; -1: 3 "
		    "with classes to judge by"),
	ISO_OPT_INT(iso_gan_options, checkpoints, "20", 1, 4096, "checkpoints to choose among"),
	ISO_OPT_INT(iso_gan_options, choice_rows, "1000", 10, 1000000,
		    "synthetic rows that judge a checkpoint"),
	ISO_OPT_ENUM(iso_gan_options, evaluator, "task", "task|private",
		     "a classifier trained on synthetic rows, counted on reserved ones; or one "
		     "trained privately on reserved rows, counted on synthetic ones"),
	ISO_OPT_REAL(iso_gan_options, holdout, "0.1", 0.001, 0.9, "share of the rows reserved"),
	ISO_OPT_REAL(iso_gan_options, choice_share, "0.8", 0.001, 1,
		     "evaluator=task: epsilon of all picks over the whole (reserved rows pay for "
		     "nothing else but the labels)"),
	ISO_GAN_OPT_STEPS("D steps; 0: 300 epochs, at most 20000"),
	ISO_GAN_OPT_ND("2"),
	ISO_OPT_BOOL(iso_gan_options, bits, "true",
		     "integers of fewer than 15 values as binary codes instead of as numbers"),
	ISO_GAN_OPT_LABEL,
	ISO_GAN_OPT_LABELS,
	ISO_GAN_OPT_NETS("128,128", "128"),
	ISO_GAN_OPT_NOISE("1"),
	ISO_GAN_OPT_RATES("1e-3", "5e-4"),
	ISO_OPT_REAL(iso_gan_options, beta1, "0.5", 0, 0.999, "first-moment decay of Adam"),
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	iso_gan_spec s = iso_wgan_spec("dp-gan-boob", env, ISO_ADAM);
	s.loss = ISO_GAN_BCE;
	if (s.o.picks < 0)
		s.o.picks = iso_schema_classes(env->schema) > 0 ? 3 : 0;
	s.choice = (iso_choice_options){.picks = s.o.picks,
					.checkpoints = s.o.checkpoints,
					.rows = s.o.choice_rows,
					.evaluator = s.o.evaluator,
					.holdout = s.o.holdout,
					.share = s.o.choice_share};
	return s;
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_dp_gan_boob = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dp-gan-boob",
	.title = "DP-GAN of Boob et al.: coordinate clusters, warm start, private choice of "
		 "checkpoints",
	.citation = "D. Boob, R. Cummings, D. Kimpara, U. Tantipongpipat, C. Waites, K. Zimmerman, "
		    "\"Differentially Private Synthetic Data Generation via GANs\", TPDP 2018",
	.card = "A GAN whose discriminator is trained by DP-SGD, with the noise allocated to "
		"clusters of coordinates by public gradients, a public warm start, and checkpoints "
		"chosen by a task on reserved rows.\n"
		"Privacy: all clusters of a step are one Poisson-subsampled Gaussian; the choice "
		"costs noisy maxima (or a private evaluator) on rows that take no part in the "
		"training, so the dearer of the two counts.\n"
		"Deviations: per-record clipping; optimal allocation of noise; without public rows "
		"one fixed bound and no warm start.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL | ISO_ACCEPTS_PUBLIC,
	.version = 1,
	ISO_GAN_SLOTS,
};
