// SPDX-License-Identifier: Apache-2.0
/* The networks of a latent model as lists of layers, from its public shape: dense for tables,
 * convolutions for images, an LSTM decoder for sequences.
 *
 *   DENSE  hidden units as listed.
 *   CONV   rows that are one image h x w x c with h and w divisible by 4 (Radford, Metz, Chintala
 *          2016, without normalisations, since private rows pass through the scorer):
 *          scorer   4x4 stride 2 to channels[0], 4x4 stride 2 to channels[1], then 3x3 to the
 *                   others, and one dense layer; the label as planes beside the image
 *          decoder  dense to h/4 x w/4 x the last of channels, 3x3 for every channel beyond the
 *                   second, 4x4 transposed stride 2 twice
 *   LSTM   rows that are one sequence of T steps: the decoder reads latent / T floats and the label
 *          in every step, and a dense layer shared by all steps makes the step (Frigerio et al.
 *          2019); the scorer is dense.
 */
#ifndef ISO_GENERATORS_KIT_NETS_H
#define ISO_GENERATORS_KIT_NETS_H

#include "core/data/encode.h"
#include "core/io/options.h"
#include "core/nn/net.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ISO_KIT_LAYERS ISO_OPT_LIST_MAX /* hidden layers of a network */

enum iso_net_kind { ISO_NET_DENSE, ISO_NET_CONV, ISO_NET_LSTM };
#define ISO_NET_CHOICES "dense|conv"

/* Hidden layers of one network: element 0 is the count, as in an option list. */
typedef struct iso_hidden {
	const int64_t *units; /* borrowed; NULL = no such network */
	iso_act act;
} iso_hidden;

/* Clip of a scorer's activation to an L2 norm, and N(0, sd^2) on every float of it in training
 * passes: no mechanism, and no privacy by itself (fp-gan, edp-gan). */
typedef struct iso_scorer_noise {
	size_t at; /* hidden layers in front of it; 0: none */
	double clip, sd;
} iso_scorer_noise;

/* What the layers are made from. */
typedef struct iso_net_form {
	const char *who;
	int kind;	   /* iso_net_kind */
	iso_hidden hidden; /* units of DENSE and LSTM; channels of CONV; and their activation */
	const iso_encoder *enc; /* borrowed */
	size_t classes;		/* floats of the label beside the latent or the row; 0: none */
	iso_scorer_noise noise; /* scorer only */
} iso_net_form;

/* ISO_E_UNSUPPORTED when the rows are not what the kind needs, ISO_E_CONFIG for a list of layers
 * that is too long or too short. */
iso_status iso_net_form_check(const iso_net_form *f, size_t latent, iso_error *err) ISO_MUST_CHECK;
/* A network with these hidden dense layers. */
iso_status iso_kit_net(iso_net **net, size_t in, iso_hidden hidden, size_t out, iso_act last,
		       iso_error *err) ISO_MUST_CHECK;
/* latent + classes floats -> `out` floats with activation `last`.  Checks the form. */
iso_status iso_decoder_net(iso_net **net, const iso_net_form *f, size_t latent, size_t out,
			   iso_act last, iso_error *err) ISO_MUST_CHECK;
/* A row and classes floats -> `out` logits.  Checks the form. */
iso_status iso_scorer_net(iso_net **net, const iso_net_form *f, size_t out,
			  iso_error *err) ISO_MUST_CHECK;
/* The same scorer in two: the layers in front of its noise, and those behind it, without the noise
 * itself.  Their parameters are the first and the last of the whole. */
iso_status iso_scorer_halves(iso_net **below, iso_net **above, const iso_net_form *f, size_t out,
			     iso_error *err) ISO_MUST_CHECK;
/* Steps of the one sequence that a schema's features are; 0: they are something else. */
size_t iso_kit_steps(const iso_schema *s);

#ifdef __cplusplus
}
#endif

#endif
