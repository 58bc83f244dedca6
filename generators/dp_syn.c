// SPDX-License-Identifier: Apache-2.0
/* dp-syn: per class an auto-encoder by DP-SGD and a mixture by DP-EM on its codes (Abay et al.
 * 2018).
 *
 * ALGORITHM (their Algorithm 1, recovered through the authors' later chapter on HoneyData; kit/
 * coded.h).  For every class c:
 *     theta_c = DP-Auto(rows of c):  E = F(X theta), D = F(Z theta^T); Adam on
 *         (1/B) [ sum_{x in Poisson(B/n_c) batch} clip_C(grad of the cross-entropy) + N(0, (sigma_c
 * C)^2) ] Z = E(rows of c);  Z' = DPEM(Z), J noisy sums of sufficient statistics (dp_em.c) Sample:
 * class by its noisy count, code from the mixture, row = D(code), label c.
 *
 * PRIVACY ARGUMENT.  Neighbours: add or remove one record.
 *  - "label-histogram": one Gaussian histogram of the classes, sensitivity 1.
 *  - "ae-step", part c: with tied weights a record's gradient is the sum of the encoder's and the
 *    decoder's outer products; it is clipped to C as one vector.  The rate B/n_c and the number of
 *    steps follow from the noisy count, so the plan holds a cap in RDP and sigma_c is the noise
 * with which all steps stay below it (kit/pace.h): Feldman and Zrnic 2021, Theorem 4.3.
 *  - "moments", part c: theta_c is released, so a record's code depends on it and the record alone;
 *    its statistics have a norm of at most sqrt(1 + 2 z).  J Gaussian sums.
 *  - A record lives in one class: the classes compose in parallel (group 1).  Decoding is
 *    post-processing.  Under replace-one two classes change: they compose in sequence then, and
 *    rates come from public numbers.
 *
 * DEVIATIONS.  The paper gives half of epsilon to either phase and stops when the moments
 * accountant says so; here one joint account, half of rho each (em_share), with the noise solved
 * for.  Class counts are released with noise (the paper takes them exactly).  DP-EM in sum form.
 * Depth, width, activations and numbers of components are not stated: one hidden layer of tanh,
 * sigmoid codes, K = 10.
 *
 * COST.  As ae plus norms and noise; J passes over the codes.
 */
#include "generators/kit/coded.h"

static const iso_option options[] = {
	ISO_OPT_ENUM(iso_coded_options, counts, "histogram", ISO_LABEL_CHOICES,
		     "class counts: a noisy histogram, uniform, or the suite's public counts"),
	ISO_CODED_OPT_NET,
	ISO_OPT_REAL(iso_coded_options, clip, "1", 1e-6, 1e6, "L2 bound C of a record's gradient"),
	ISO_OPT_REAL(iso_coded_options, label_share, "0.02", 1e-6, 0.9,
		     "share of the budget of the class counts"),
	ISO_OPT_REAL(iso_coded_options, em_share, "0.49", 1e-6, 0.999,
		     "share of the budget of the mixtures"),
	{0},
};

static iso_status check(const iso_gen_env *env, iso_error *err)
{
	return iso_coded_check(env, "dp-syn", err);
}

static iso_status fit(const iso_fit *f, void **model, iso_error *err)
{
	return iso_coded_fit(f, f->ledger, model, err);
}

const iso_generator iso_generator_dp_syn = {
	.abi = ISO_GENERATOR_ABI,
	.name = "dp-syn",
	.title = "DP-SYN: private auto-encoder and private mixture on its codes, per class",
	.citation = "N. C. Abay, Y. Zhou, M. Kantarcioglu, B. Thuraisingham, L. Sweeney, \"Privacy "
		    "Preserving Synthetic Data Release Using Deep Learning\", ECML-PKDD 2018, doi "
		    "10.1007/978-3-030-10925-7_31",
	.card = "Per class, a tied auto-encoder is trained by DP-SGD, the class's rows are "
		"encoded, "
		"and a mixture is learned on the codes by DP-EM; codes are sampled and decoded.\n"
		"Privacy: noisy class counts; Poisson-subsampled Gaussians on clipped gradients, "
		"under a cap that the counts cannot move; noisy sums of bounded statistics; "
		"classes "
		"in parallel.\n"
		"Deviations: one joint account instead of two halves of epsilon; noisy class "
		"counts; "
		"sum-form EM; network sizes are not stated in the paper.",
	.guarantee = ISO_GUARANTEE_DP,
	.accepts = ISO_ACCEPTS_ANY_COLUMN | ISO_ACCEPTS_ANY_LABEL,
	.version = 1,
	.plan = iso_coded_plan,
	ISO_CODED_SLOTS,
};
