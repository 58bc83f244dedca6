// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/pace.h"

#include <math.h>

#include "core/math/vmath.h"
#include "core/privacy/accountant.h"
#include "generators/kit/rows.h"

iso_pace iso_pace_of(size_t batch, size_t epochs, size_t rows)
{
	const size_t n = rows ? rows : 1;
	const double q = iso_rate_of(iso_batch_of(batch, 64, n), n);
	const double steps = ceil((double)(epochs ? epochs : 50) / q);
	return (iso_pace){q, (uint64_t)(epochs == 0 && steps < 2400 ? 2400 : steps)};
}

float iso_pace_lr(double lr, iso_pace p)
{
	const double far = 4 / (double)p.steps;
	return (float)(lr > 0 ? lr : far < 1e-3 ? 1e-3 : far > 1e-2 ? 1e-2 : far);
}

double iso_pace_order(double epsilon, double delta)
{
	const double l = -iso_log(delta > 1e-300 ? delta : 1e-300),
		     root = sqrt(l + fmin(epsilon, 1e6)) - sqrt(l); /* sqrt(rho) */
	const double order = 1 + 0.8 * sqrt(l) / root;
	return order < 1.25 ? 1.25 : order > 256 ? 256 : order;
}

double iso_pace_cap(double order, double scale, double share)
{
	return order * share / (2 * scale * scale);
}

double iso_pace_noise(double order, double cap, iso_pace p)
{
	double lo = 1e-3, hi = 1e6;
	for (int i = 0; i < 60 && hi > lo * (1 + 1e-9); i++) {
		const double mid = sqrt(lo * hi);
		if ((double)p.steps * iso_rdp_sgm(order, p.q, mid) <= cap)
			hi = mid;
		else
			lo = mid;
	}
	return hi;
}

iso_status iso_pace_spend(iso_ledger *l, int handle, double order, iso_pace p, iso_error *err)
{
	const iso_event e = {
		.mechanism = ISO_MECH_GAUSSIAN,
		.noise = iso_pace_noise(order, iso_ledger_left(l, handle), p),
		.sampling = p.q < 1 ? ISO_SAMPLING_POISSON : ISO_SAMPLING_NONE,
		.rate = p.q < 1 ? p.q : 0,
		.count = p.steps,
	};
	return iso_ledger_spend(l, handle, &e, err);
}
