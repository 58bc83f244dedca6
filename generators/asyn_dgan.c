// SPDX-License-Identifier: Apache-2.0
/* asyn-dgan: one generator in the centre, one discriminator at every client (Chang et al. 2020).
 *
 * ALGORITHM (card "asyn-dgan" section 7; loop in kit/gan_site.c).  In every round, for each client
 * j:
 *     n_d times: conditions y go to the centre, fakes G(z, y) come back,
 *                D_j <- Adam on the log loss of its rows against those fakes
 *     for fakes of the round, e_j = dL/dfakes goes to the centre, L the loss of G under D_j
 *   theta <- Adam on sum_j pi_j dL/dtheta, from the e_j alone; pi_j in proportion to N_j
 * The D_j are never synchronised and never leave; they are no part of the model.
 *
 * The clients are those of a column of role client; without one, `clients` equal shares dealt by a
 * keyed hash of each row's identity.
 *
 * PRIVACY ARGUMENT (mode=sound, an extension: the paper has no privacy but distance).  Record
 * level. Neighbours: add or remove one record.
 *  - "disc-step", part j: D_j is trained by DP-SGD on client j's rows, rate B / N_j, N_j public;
 * the fakes are a fixed number.
 *  - "label-histogram", part j: client j's conditions follow its own noisy histogram.
 *  - e_j is a function of D_j and of fakes: post-processing.  A record is at one client, so the
 * parts compose in parallel and epsilon is the largest epsilon_j (under replace-one: in sequence).
 *  - Digests of all messages are part of the saved model, so `verify` compares them.
 *
 * MODE=PAPER (guarantee "none", epsilon infinite).  As published: conditions are the labels of the
 * client's own batch, D_j is trained without noise, and with l1 > 0 (their 100 on one data set) e_j
 * holds l1 sign(G - x): the client's row can be read off the message.
 *
 * DEVIATIONS.  Rows and labels instead of images and masks; dense networks (net=conv: rows that are
 * one image) instead of a residual generator and patch discriminators; no perceptual term, which
 * needs a pre-trained network; pi_j by size (their code: equal); Adam at 1e-3 and 5e-4 (their 2e-4,
 * decaying to 0 over the second half); averaged weights of G.
 *
 * COST.  As dp-cgan, times the number of clients.
 */
#include <math.h>

#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_GAN_OPT_MODE("paper: as published, labels of the batch, no noise; not private"),
	ISO_OPT_INT(iso_gan_options, clients, "10", 2, 4096,
		    "clients, when the data have no column of role client"),
	ISO_GAN_OPT_LABELS,
	ISO_GAN_OPT_STEPS("steps of each D; 0: 300 epochs of a client, at most 5000"),
	ISO_GAN_OPT_ND("1"),
	ISO_GAN_OPT_NETS("128", "100"),
	ISO_GAN_OPT_CONV(ISO_NET_CHOICES, "16,32"),
	ISO_GAN_OPT_NOISE("1"),
	ISO_GAN_OPT_RATES("1e-3", "5e-4"),
	ISO_OPT_REAL(iso_gan_options, beta1, "0.5", 0, 0.999, "first-moment decay of Adam"),
	ISO_OPT_REAL(iso_gan_options, l1, "0", 0, 1e6,
		     "mode=paper: weight of |G - x| in what a client sends (code: 100)"),
	ISO_OPT_ENUM(iso_gan_options, log, "digest", "digest|last",
		     "what is kept of the messages: digests, or the last message of each kind too"),
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	const iso_gan_options *asked = env->options;
	const size_t k = iso_federation_clients(env, (size_t)asked->clients);
	iso_gan_spec s = iso_wgan_spec("asyn-dgan", env, ISO_ADAM);
	const int paper = s.o.mode == 1;
	s.o.batch = asked->batch;
	s.o.steps = asked->steps;
	iso_gan_settle(&s.o, env->n / k + 1, 64, 300, 5000);
	s.o.clients = (int64_t)k;
	s.loss = ISO_GAN_BCE;
	s.conditional = 1;
	s.clients = k;
	s.schedule = ISO_SCHEDULE_SITES;
	s.fakes = paper ? ISO_FAKES_SHARED : ISO_FAKES_PUBLIC;
	s.is_private = !paper;
	s.private_generator_step = paper;
	if (paper)
		s.o.labels = ISO_LABELS_EXACT;
	return s;
}

static iso_guarantee guarantee_of(const void *o)
{
	return ((const iso_gan_options *)o)->mode == 1 ? ISO_GUARANTEE_NONE : ISO_GUARANTEE_DP;
}

ISO_GAN_SLOT_FIT(spec_of)
ISO_GAN_SLOTS_OF_ENV(spec_of)

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	const iso_gan_spec s = spec_of(env);
	ISO_FAIL_IF(s.o.l1 > 0 && s.o.mode != 1, err, ISO_E_CONFIG,
		    "l1 (asyn-dgan): the term shows the private row to the server; set l1=0, or "
		    "mode=paper for the method as published");
	return iso_gan_check(env, &s, err);
}

const iso_generator iso_generator_asyn_dgan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "asyn-dgan",
	.title = "AsynDGAN: a central generator and a discriminator at every client",
	.citation = "Q. Chang, H. Qu, Y. Zhang, M. Sabuncu, C. Chen, T. Zhang, D. Metaxas, "
		    "\"Synthetic Learning: Learn From Distributed Asynchronized Discriminator GAN "
		    "Without Sharing Medical Image Data\", CVPR 2020, arXiv:2006.00080",
	.card = "Clients keep their discriminators; the centre trains the generator from the "
		"gradients of its fakes that they send back.\n"
		"Privacy (sound): record level; every discriminator is trained by DP-SGD, "
		"conditions follow a noisy histogram of each client, clients compose in parallel.\n"
		"mode=paper has no privacy: labels of the batch, no noise; with l1 the gradient "
		"shows the row; verify finds the messages changed.\n"
		"Deviations: rows and labels instead of images and masks, small networks, no "
		"perceptual term, clients weighted by size; mode=sound is this project's.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_CLASSES | ISO_ACCEPTS_CLIENTS,
	.version = 1,
	.guarantee_of = guarantee_of,
	ISO_GAN_SLOTS_UNSCORED,
};
