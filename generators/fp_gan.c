// SPDX-License-Identifier: Apache-2.0
/* fp-gan: a GAN whose discriminator clips and noises an activation in the forward pass (Triastcyn
 * and Faltings 2018).
 *
 * WHAT.  The paper argues that a discriminator whose output is private has private gradients, so
 * that a layer of Gaussian noise in the forward pass is enough.  It is not; the method is here as
 * published, and repaired in two ways.
 *
 * ALGORITHM (card "fp-gan" section 7; loop in kit/gan_loop.c).  h = phi(x), the layers of D in
 * front of the noise:
 *     h <- h min(1, C / |h|) + N(0, (s C)^2 I), fresh in every pass, for real rows and fakes, in
 *          D's and in G's steps
 *     D, G: Adam on the log loss, non-saturating
 * label=input: the label beside x; label=outputs: D has an output per class and one for fakes
 * (Salimans et al. 2016).
 *
 *   mode=frozen  phi is random and never trained; every step releases slots of noisy sums of
 *                clipped activations (kit/gan_slots.c), and the layers above are trained on them
 *   mode=dp-sgd  no noise in the forward pass; gradients of all of D clipped and noised per record
 *   mode=paper   all of D trained by ordinary gradients through the noise
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - frozen, "disc-step": a record is in one slot and moves it by at most C: a Poisson-subsampled
 * Gaussian of multiplier sigma.  Its label reaches D through phi alone (label=outputs is refused:
 * the loss would read it).  What is above is trained on the release.
 *  - dp-sgd, "disc-step": as dp-cgan; fakes are a fixed number with labels of the released law.
 *  - "label-histogram": one noisy histogram, sensitivity 1.  G: post-processing.
 *
 * MODE=PAPER (guarantee "none", epsilon infinite).  The proof treats the gradient as a function of
 * output and label.  But dL/dW1 = delta_1 x^T: at and below the noise every gradient multiplies raw
 * activations, and later passes, D above, and G inherit them.  `verify` sees D's first convolution
 * differ, whether labels are withheld or not.  The claim is what the theorem would give for layer
 * noise s = layer_noise: `steps` Gaussians of multiplier s at rate B/n.
 *
 * DEVIATIONS.  C, s, epochs and widths are not stated in the paper.  Its batch normalisation behind
 * the noise and in G, its fractional max-pooling and its fifth deconvolution are left out; its
 * four convolutions are two of stride 2 and two of stride 1, noise after the third.  frozen has
 * sums in slots instead of one activation per record, since a list would show how many records the
 * batch has.  Its unrolled updates of D are not built.  Adam at 1e-3 and 5e-4
 * (paper: 2e-4).  Averaged weights are given out.
 *
 * COST.  On MNIST with channels 16,32,32,32 about 20 ms per step of 32 rows.
 */
#include <math.h>

#include "generators/kit/gan_loop.h"

enum { FROZEN, DP_SGD, PAPER };

static const iso_option options[] = {
	ISO_OPT_ENUM(iso_gan_options, mode, "dp-sgd", "frozen|dp-sgd|paper",
		     "noise on the activations of frozen layers; on gradients; on activations of "
		     "trained layers, as published: not private"),
	ISO_GAN_OPT_LABELS,
	ISO_GAN_OPT_STEPS("D steps; 0: 300 epochs, at most 20000"),
	ISO_GAN_OPT_ND("1"),
	ISO_OPT_ENUM(iso_gan_options, label, "input", "column|input|outputs",
		     "the label is a generated column; told to D; or D has an output per class "
		     "and one for fakes"),
	ISO_GAN_OPT_NETS("128,64", "100"),
	ISO_GAN_OPT_CONV(ISO_NET_CHOICES, "16,32,32,32"),
	ISO_OPT_REAL(iso_gan_options, layer_clip, "1", 1e-6, 1e6,
		     "L2 bound C of the activation (frozen, paper)"),
	ISO_OPT_REAL(iso_gan_options, layer_noise, "0.584", 0, 1000,
		     "mode=paper: noise on the activation, over its bound (0.584: 3.45 after 50 "
		     "epochs of MNIST)"),
	ISO_GAN_OPT_NOISE("1"),
	ISO_GAN_OPT_RATES("1e-3", "5e-4"),
	ISO_OPT_REAL(iso_gan_options, beta1, "0.5", 0, 0.999, "first-moment decay of Adam"),
	ISO_GAN_OPT_AVERAGE("-1"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	iso_gan_spec s = iso_wgan_spec("fp-gan", env, ISO_ADAM);
	const int mode = s.o.mode;
	const int64_t layers = s.o.net == ISO_NET_CONV ? s.o.channels[0] : s.o.hidden[0];
	s.loss = ISO_GAN_BCE;
	s.fakes = ISO_FAKES_PUBLIC;
	s.is_private = mode != PAPER;
	s.frozen = mode == FROZEN;
	if (mode == PAPER && s.o.labels == ISO_LABELS_HISTOGRAM)
		s.o.labels = ISO_LABELS_EXACT;
	if (mode == FROZEN)
		s.o.clip = s.o.layer_clip;
	if (mode != DP_SGD) /* behind the third layer of four, in front of the last of fewer */
		s.noise = (iso_scorer_noise){.at = (size_t)(layers > 3	 ? 3
							    : layers > 1 ? layers - 1
									 : 1),
					     .clip = s.o.layer_clip,
					     .sd = s.o.layer_clip * s.o.layer_noise};
	return s;
}

static iso_guarantee guarantee_of(const void *o)
{
	return ((const iso_gan_options *)o)->mode == PAPER ? ISO_GUARANTEE_NONE : ISO_GUARANTEE_DP;
}

/* Of the theorem that does not hold. */
static double claimed_epsilon(const iso_gen_env *env)
{
	const iso_gan_spec s = spec_of(env);
	const iso_event e = {.mechanism = ISO_MECH_GAUSSIAN,
			     .noise = s.o.layer_noise,
			     .sampling = ISO_SAMPLING_POISSON,
			     .rate = iso_rate_of((size_t)s.o.batch, env->n),
			     .count = (uint64_t)s.o.steps};
	iso_events list = {0};
	iso_epsilons eps = {.rdp = NAN};
	iso_error err;
	if (s.o.mode != PAPER || !(e.noise > 0) || !(e.rate < 1))
		return NAN;
	if (iso_events_add(&list, &e, &err) != ISO_OK ||
	    iso_account_epsilon(&list, ISO_ADD_REMOVE, env->delta, ISO_WANT_RDP, &eps, &err) !=
		    ISO_OK)
		eps.rdp = NAN;
	iso_events_free(&list);
	return eps.rdp;
}

ISO_GAN_SLOT_FIT(spec_of)
ISO_GAN_SLOTS_OF_ENV(spec_of)

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const iso_gan_spec s = spec_of(env);
	ISO_FAIL_IF(s.frozen && s.o.label == ISO_LABEL_OUTPUTS, err, ISO_E_UNSUPPORTED,
		    "label=outputs (fp-gan, mode=frozen): the loss would read the labels, which no "
		    "noise covers; set label=input or mode=dp-sgd");
	return iso_gan_check(env, &s, err);
}

const iso_generator iso_generator_fp_gan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "fp-gan",
	.title = "FP-GAN: noise in the discriminator's forward pass, and what it takes to make it "
		 "private",
	.citation = "A. Triastcyn, B. Faltings, \"Generating Differentially Private Datasets Using "
		    "GANs\", submitted to ICLR 2018, arXiv:1803.03148v1",
	.card = "The discriminator clips an activation and adds Gaussian noise in every pass.\n"
		"mode=frozen: the layers below are random and fixed, and noisy slots of their "
		"activations are the only release; mode=dp-sgd: gradients are clipped and noised "
		"instead.  Both are Poisson-subsampled Gaussians; the label law is one noisy "
		"histogram.\n"
		"mode=paper trains all layers through the noise: gradients of the layers below "
		"multiply raw rows, so epsilon is infinite although the theorem claims a small "
		"one; verify finds the first layer's weights changed.\n"
		"Deviations: no batch normalisation, no unrolled updates; slots instead of one "
		"noisy activation per record.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_CLASSES,
	.version = 1,
	.guarantee_of = guarantee_of,
	.claimed_epsilon = claimed_epsilon,
	ISO_GAN_SLOTS,
};
