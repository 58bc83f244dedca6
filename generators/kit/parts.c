// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/parts.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"

void iso_part_add(iso_str *out, const char *name, const void *bytes, size_t n)
{
	iso_str_addf(out, "%s %zu\n", name, n);
	iso_str_addn(out, bytes, n);
}

iso_status iso_part_take(iso_parts *in, const char *name, void *bytes, size_t n, iso_error *err)
{
	char head[160];
	const int len = snprintf(head, sizeof head, "%s %zu\n", name, n);
	const size_t have = (size_t)(in->end - in->p);
	ISO_FAIL_IF(len < 0 || (size_t)len >= sizeof head || have < (size_t)len ||
			    have - (size_t)len < n || memcmp(in->p, head, (size_t)len) != 0,
		    err, ISO_E_DATA,
		    "malformed model (part %s): expected %zu bytes under that name; save it again",
		    name, n);
	if (n)
		memcpy(bytes, in->p + len, n);
	in->p += (size_t)len + n;
	return ISO_OK;
}

iso_status iso_part_next(iso_parts *in, char *text, size_t cap, const void **bytes, size_t *n,
			 iso_error *err)
{
	const char *const line = memchr(in->p, '\n', (size_t)(in->end - in->p));
	const char *const space = line ? memchr(in->p, ' ', (size_t)(line - in->p)) : NULL;
	size_t size = 0;
	int ok = space && space > in->p && (size_t)(space - in->p) < cap && line > space + 1;
	for (const char *c = space ? space + 1 : line; ok && c < line; c++) {
		ok = *c >= '0' && *c <= '9' && size <= SIZE_MAX / 10 - 10;
		size = size * 10 + (size_t)(*c - '0');
	}
	ISO_FAIL_IF(!ok || (size_t)(in->end - line) - 1 < size, err, ISO_E_DATA,
		    "malformed model: a part has no line \"name bytes\" or ends early; save it "
		    "again");
	memcpy(text, in->p, (size_t)(space - in->p));
	text[space - in->p] = 0;
	*bytes = line + 1;
	*n = size;
	in->p = line + 1 + size;
	return ISO_OK;
}

static size_t net_part(const iso_net *net, size_t i, const char *name, char text[128], float **at)
{
	const iso_tensor t = iso_net_tensor(net, i);
	(void)snprintf(text, 128, "%s.%s%zu", name, t.name, t.layer);
	*at = iso_net_theta(net) + t.first;
	return t.n * sizeof **at;
}

void iso_net_parts(iso_str *out, const char *name, const iso_net *net)
{
	for (size_t i = 0; i < iso_net_tensors(net); i++) {
		char text[128];
		float *at;
		const size_t n = net_part(net, i, name, text, &at);
		iso_part_add(out, text, at, n);
	}
}

iso_status iso_net_take(iso_parts *in, const char *name, iso_net *net, iso_error *err)
{
	for (size_t i = 0; i < iso_net_tensors(net); i++) {
		char text[128];
		float *at;
		const size_t n = net_part(net, i, name, text, &at);
		ISO_TRY(iso_part_take(in, text, at, n, err));
	}
	return ISO_OK;
}

#define AVERAGE_EVERY 8

iso_status iso_average_begin(iso_average *a, size_t n, double share, uint64_t steps, iso_error *err)
{
	*a = (iso_average){.horizon = share * (double)steps / AVERAGE_EVERY, .n = n};
	if (!(share > 0))
		return ISO_OK;
	a->mean = iso_alloc(n, sizeof *a->mean);
	return a->mean ? ISO_OK : iso_no_memory(err, "average of weights");
}

/* mean += w (theta - mean), w = 1 / horizon; larger at the start, so that the first weights leave
 * no trace. */
void iso_average_add(iso_average *a, const float *theta, uint64_t step)
{
	const double seen = (double)(step / AVERAGE_EVERY + 1),
		     least = a->horizon > 1 ? a->horizon : 1;
	const float w = (float)(1 / (seen < least ? seen : least));
	if (!a->mean || step % AVERAGE_EVERY != 0)
		return;
	for (size_t i = 0; i < a->n; i++)
		a->mean[i] += w * (theta[i] - a->mean[i]);
}

void iso_average_end(iso_average *a, float *theta)
{
	if (a->mean && theta)
		memcpy(theta, a->mean, a->n * sizeof *a->mean);
	iso_free(a->mean);
	a->mean = NULL;
}

iso_status iso_average_init(iso_average *a, const iso_net *net, double share, uint64_t steps,
			    iso_error *err)
{
	return iso_average_begin(a, iso_net_params(net), share, steps, err);
}

void iso_average_step(iso_average *a, const iso_net *net, uint64_t step)
{
	iso_average_add(a, iso_net_theta(net), step);
}

void iso_average_finish(iso_average *a, iso_net *net)
{
	iso_average_end(a, net ? iso_net_theta(net) : NULL);
}
