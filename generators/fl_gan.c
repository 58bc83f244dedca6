// SPDX-License-Identifier: Apache-2.0
/* fl-gan: Private FL-GAN, a Wasserstein GAN handed from client to client (Xin et al. 2020).
 *
 * ALGORITHM (card "fl-gan" section 7, a reconstruction: the paper is not open; loop in
 * kit/gan_loop.c).  The server fixes the order of the clients; for k = 1..K client k takes
 *   T_k critic steps, n_critic = 5 per generator step, each on a Poisson batch of its own rows:
 *     g_i = grad_w [ D(G(z_i)) - D(x_i) ] clipped at C
 *     w <- RMSProp on (1/B) [ sum_i g_i + N(0, (sigma C)^2 I) ];  w <- clip(w, -c_p, c_p)
 *   theta <- RMSProp on -mean D(G(z)) after every n_critic of them
 * and hands (w, theta) on.  One pass; after client K the model is final.
 * schedule=fedavg is the paper's baseline: in each of `rounds` rounds every client trains a copy of
 * (w, theta) on its own rows with fresh optimisers, and the server averages the copies by N_k.
 *
 * The clients are those of a column of role client; without one, `clients` equal shares dealt by a
 * keyed hash of each row's identity.
 *
 * PRIVACY ARGUMENT.  Record level.  Neighbours: add or remove one record.
 *  - "disc-step", part k: the pair (x_i, z_i) stands under one clip, so each step of client k is a
 * Poisson-subsampled Gaussian at rate B / N_k; the numbers N_k are public.
 *  - A record belongs to one client; whatever later clients do is post-processing of what was
 * handed on.  So the parts compose in parallel: epsilon is the largest epsilon_k.  Under
 * replace-one they compose in sequence.
 *  - What a client sends is (w, theta), a function of noisy releases; digests of all messages are
 * part of the saved model ("messages"), so `verify` compares them.
 *  - No label law is released: the label is a generated column.
 *
 * DEVIATIONS.  Optimiser moments travel with the model (serial).  Dense networks, relaxed draws of
 * categories; averaged weights of the last fifth, that is, of the last clients.
 *
 * COST.  As dp-gan-xie.
 */
#include "generators/kit/gan_loop.h"

static const iso_option options[] = {
	ISO_OPT_INT(iso_gan_options, clients, "10", 2, 4096,
		    "clients, when the data have no column of role client"),
	ISO_OPT_ENUM(iso_gan_options, schedule, "serial", "serial|fedavg",
		     "clients one after the other, or averages of their copies"),
	ISO_OPT_INT(iso_gan_options, rounds, "20", 1, 100000, "rounds of fedavg"),
	ISO_OPT_ENUM(iso_gan_options, log, "digest", "digest|last",
		     "what is kept of the messages: digests, or the last message of each kind too"),
	ISO_GAN_OPT_STEPS("critic steps of all clients together; 0: 300 epochs, at most 20000"),
	ISO_GAN_OPT_ND("5"),
	ISO_GAN_OPT_NETS("128,128", "100"),
	ISO_GAN_OPT_NOISE("1"),
	ISO_GAN_OPT_RATES("5e-4", "5e-4"),
	ISO_GAN_OPT_CLIP_WEIGHTS("0.1"),
	ISO_GAN_OPT_AVERAGE("0.2"),
	{0},
};

static iso_gan_spec spec_of(const iso_gen_env *env)
{
	iso_gan_spec s = iso_wgan_spec("fl-gan", env, ISO_RMSPROP);
	const size_t k = iso_federation_clients(env, (size_t)s.o.clients);
	s.clients = k;
	s.schedule = s.o.schedule;
	s.o.clients = (int64_t)k;
	/* every client takes the same number of steps */
	s.o.steps = (int64_t)(((size_t)s.o.steps + k - 1) / k * k);
	return s;
}

ISO_GAN_SLOT_FUNCTIONS(spec_of)

const iso_generator iso_generator_fl_gan = {
	.abi = ISO_GENERATOR_ABI,
	.name = "fl-gan",
	.title = "Private FL-GAN: a private Wasserstein GAN handed from client to client",
	.citation = "B. Xin, W. Yang, Y. Geng, S. Chen, S. Wang, L. Huang, \"Private FL-GAN: "
		    "Differential Privacy Synthetic Data Generation Based on Federated "
		    "Learning\", ICASSP 2020, doi 10.1109/ICASSP40776.2020.9054559",
	.card = "One critic and one generator travel from client to client; each trains them by "
		"DP-SGD on its own rows.\n"
		"Privacy: record level; a record belongs to one client, so the clients compose in "
		"parallel and epsilon is the largest of theirs.\n"
		"schedule=fedavg averages copies of the model instead; messages are logged.\n"
		"Deviations: a reconstruction; optimiser moments travel with the model.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL | ISO_ACCEPTS_CLIENTS,
	.version = 1,
	ISO_GAN_SLOTS,
};
