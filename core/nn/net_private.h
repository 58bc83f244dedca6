// SPDX-License-Identifier: Apache-2.0
/* Private to net.c and penalty.c: what a network and a workspace are made of. */
#ifndef ISO_NN_NET_PRIVATE_H
#define ISO_NN_NET_PRIVATE_H

#include "core/nn/layer.h"

struct iso_net {
	size_t nlayer, nparam;
	iso_layer *layer; /* [nlayer] owned */
	float *theta;	  /* [P] owned */
	float *grad;	  /* [P] owned */
};

struct iso_ws {
	const iso_net *net; /* borrowed; may be gone before the workspace is */
	size_t cap, rows, nlayer;
	int norms;
	iso_pass *pass; /* [nlayer] owned, with their arrays */
	float *scratch; /* owned */
	/* [cap][nout] tangents before the activation and two arrays of the widest layer: with
	 * ISO_WS_TANGENT only */
	float *tangent[ISO_MAX_LAYERS], *swap[2];
};

#endif
