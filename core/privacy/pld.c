// SPDX-License-Identifier: Apache-2.0
/* Bounds on epsilon; the RDP value is always one. */
#include "core/privacy/pld.h"

#include <math.h>

iso_status iso_pld_epsilon(const iso_events *events, iso_adjacency adj, double delta, double rdp, int upper_only,
			   double *lower, double *upper, iso_error *err)
{
	(void)events, (void)adj, (void)delta, (void)upper_only, (void)err;
	*lower = NAN;
	*upper = rdp;
	return ISO_OK;
}

iso_status iso_pld_delta(const iso_events *events, iso_adjacency adj, double epsilon, double rdp, double *upper,
			 iso_error *err)
{
	(void)events, (void)adj, (void)epsilon, (void)err;
	*upper = rdp;
	return ISO_OK;
}
