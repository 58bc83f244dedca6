// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/groups.h"

#include <math.h>
#include <string.h>

#include "core/base/alloc.h"

#define BINS \
	64 /* of log2 of a mean square, one per factor 2 below the largest; the last: the rest */

iso_status iso_grouping_init(iso_grouping *g, size_t nparam, iso_error *err)
{
	*g = (iso_grouping){.nparam = nparam, .n = 1, .of = iso_alloc(nparam, 1)};
	g->size[0] = nparam;
	g->bound[0] = 1;
	return g->of ? ISO_OK : iso_no_memory(err, "groups of parameters");
}

void iso_grouping_free(iso_grouping *g)
{
	if (g)
		iso_free(g->of);
}

iso_status iso_grouping_tensors(iso_grouping *g, const iso_net *net, int join_biases,
				iso_error *err)
{
	const size_t tensors = iso_net_tensors(net);
	size_t biases = ISO_GROUPS_MAX;
	g->n = 0;
	for (size_t i = 0; i < tensors; i++) {
		const iso_tensor t = iso_net_tensor(net, i);
		const int joins = join_biases && t.fan_in == 0;
		const size_t into = joins && biases < ISO_GROUPS_MAX ? biases : g->n;
		ISO_FAIL_IF(into == ISO_GROUPS_MAX, err, ISO_E_CONFIG,
			    "too many tensors for groups of their own: at most %d; use fewer "
			    "layers, or coordinate groups",
			    ISO_GROUPS_MAX);
		if (into == g->n) {
			g->size[into] = 0;
			g->bound[g->n++] = 1;
		}
		if (joins)
			biases = into;
		memset(g->of + t.first, (int)into, t.n);
		g->size[into] += t.n;
	}
	return ISO_OK;
}

void iso_grouping_merge(iso_grouping *g, size_t most)
{
	while (g->n > most && g->n > 1) {
		size_t u = 0, v = 1;
		double best = INFINITY;
		for (size_t i = 0; i < g->n; i++)
			for (size_t j = i + 1; j < g->n; j++) {
				const double a = g->bound[i], b = g->bound[j],
					     ratio = a > b ? a / b : b / a;
				if (ratio < best) {
					best = ratio;
					u = i;
					v = j;
				}
			}
		g->bound[u] = sqrt(g->bound[u] * g->bound[u] + g->bound[v] * g->bound[v]);
		g->size[u] += g->size[v];
		const size_t last = --g->n;
		for (size_t k = 0; k < g->nparam; k++)
			g->of[k] = (uint8_t)(g->of[k] == v ? u : g->of[k] == last ? v : g->of[k]);
		g->bound[v] = g->bound[last];
		g->size[v] = g->size[last];
	}
}

static size_t bin_of(double square, double top)
{
	if (!(square > 0))
		return BINS - 1;
	const int down = ilogb(top) - ilogb(square);
	return down < BINS - 1 ? (size_t)down : BINS - 1;
}

/* group [BINS] of each bin: the best cut into at most k ranges, by dynamic programming. */
static size_t cut(const double *count, const double *sum, size_t k, uint8_t *group)
{
	double cost[BINS + 1], next[BINS + 1];
	uint8_t from[ISO_GROUPS_MAX][BINS + 1];
	for (size_t b = 0; b <= BINS; b++)
		cost[b] = b ? INFINITY : 0;
	for (size_t j = 0; j < k; j++) {
		for (size_t b = 0; b <= BINS; b++) {
			double p = 0, s = 0;
			next[b] = cost[b]; /* an empty range */
			from[j][b] = (uint8_t)b;
			for (size_t a = b; a-- > 0;) {
				p += count[a];
				s += sum[a];
				if (cost[a] + sqrt(p * s) < next[b]) {
					next[b] = cost[a] + sqrt(p * s);
					from[j][b] = (uint8_t)a;
				}
			}
		}
		memcpy(cost, next, sizeof cost);
	}
	size_t ranges = 0;
	for (size_t j = k, b = BINS; j-- > 0; b = from[j][b]) {
		for (size_t a = from[j][b]; a < b; a++)
			group[a] = (uint8_t)ranges;
		ranges += from[j][b] < b;
	}
	return ranges;
}

void iso_grouping_coordinates(iso_grouping *g, const double *square, size_t k)
{
	double count[BINS] = {0}, sum[BINS] = {0}, top = 0;
	uint8_t group[BINS];
	for (size_t i = 0; i < g->nparam; i++)
		top = square[i] > top ? square[i] : top;
	for (size_t i = 0; i < g->nparam; i++) {
		const size_t b = bin_of(square[i], top);
		count[b]++;
		sum[b] += square[i];
	}
	g->n = cut(count, sum, k, group);
	memset(g->size, 0, sizeof g->size);
	for (size_t j = 0; j < g->n; j++)
		g->bound[j] = 0;
	for (size_t i = 0; i < g->nparam; i++) {
		const size_t j = group[bin_of(square[i], top)];
		g->of[i] = (uint8_t)j;
		g->size[j]++;
		g->bound[j] += square[i];
	}
	/* ranges without coordinates are no groups */
	size_t n = 0;
	uint8_t now[ISO_GROUPS_MAX] = {0};
	for (size_t j = 0; j < g->n; j++) {
		now[j] = (uint8_t)n;
		g->size[n] = g->size[j];
		g->bound[n] = sqrt(g->bound[j]);
		n += g->size[n] > 0;
	}
	g->n = n;
	for (size_t i = 0; i < g->nparam; i++)
		g->of[i] = now[g->of[i]];
}

void iso_grouping_allocate(iso_grouping *g, int how, double bound)
{
	double sum = 0;
	for (size_t j = 0; j < g->n; j++)
		sum += g->bound[j] * sqrt((double)g->size[j]);
	for (size_t j = 0; j < g->n; j++) {
		const double c = g->bound[j];
		g->scale[j] = (float)(how == ISO_ALLOCATE_OPTIMAL
					      ? bound * sqrt(sqrt((double)g->size[j]) / (c * sum))
					      : bound / (sqrt((double)g->n) * c));
	}
}

double iso_grouping_energy(const iso_grouping *g)
{
	double sum = 0;
	for (size_t j = 0; j < g->n; j++)
		sum += (double)g->size[j] / ((double)g->scale[j] * (double)g->scale[j]);
	return sum;
}

void iso_grouping_norms(const iso_grouping *g, const float *grad, double norm[ISO_GROUPS_MAX])
{
	memset(norm, 0, ISO_GROUPS_MAX * sizeof *norm);
	for (size_t k = 0; k < g->nparam; k++)
		norm[g->of[k]] += (double)grad[k] * (double)grad[k];
	for (size_t j = 0; j < g->n; j++)
		norm[j] = sqrt(norm[j]);
}

double iso_grouping_apply(const iso_grouping *g, float *grad)
{
	double norm[ISO_GROUPS_MAX], sum = 0;
	float factor[ISO_GROUPS_MAX];
	iso_grouping_norms(g, grad, norm);
	for (size_t j = 0; j < g->n; j++) {
		if (!(norm[j] < INFINITY))
			return INFINITY;
		factor[j] =
			g->scale[j] * (float)(norm[j] > g->bound[j] ? g->bound[j] / norm[j] : 1);
	}
	for (size_t k = 0; k < g->nparam; k++) {
		grad[k] *= factor[g->of[k]];
		sum += (double)grad[k] * (double)grad[k];
	}
	return sum * (1 + 0x1p-20);
}

void iso_grouping_undo(const iso_grouping *g, float *sum)
{
	for (size_t k = 0; k < g->nparam; k++)
		sum[k] /= g->scale[g->of[k]];
}
