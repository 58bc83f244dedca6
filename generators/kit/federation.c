// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/federation.h"

#include "core/base/alloc.h"

size_t iso_federation_clients(const iso_gen_env *env, size_t asked)
{
	return env->nclient > 0 ? env->nclient : asked;
}

size_t iso_federation_rows(const iso_gen_env *env, size_t clients, size_t k)
{
	const size_t n = env->nclient > 0 && env->client_count ? env->client_count[k]
							       : (env->n + clients - 1) / clients;
	return n ? n : 1;
}

size_t iso_federation_client(const iso_fit *f, size_t clients, uint64_t id)
{
	uint32_t w[4];
	iso_rand_words(iso_key_child(f->key, "client", 0), id, 0, w);
	return (size_t)(((uint64_t)w[0] * clients) >> 32);
}

static size_t client_of(const iso_fit *f, size_t clients, size_t row)
{
	if (f->env.nclient > 0 && f->train->client)
		return f->train->client[row];
	return iso_federation_client(f, clients, f->train->id[row]);
}

void iso_federation_free(iso_federation *d)
{
	iso_free(d->pos);
	iso_free(d->id);
	iso_free(d->first);
	*d = (iso_federation){0};
}

iso_status iso_federation_deal(const iso_fit *f, size_t clients, iso_federation *out,
			       iso_error *err)
{
	const size_t n = f->train->n;
	iso_federation d = {.clients = clients,
			    .pos = iso_alloc(n, sizeof *d.pos),
			    .id = iso_alloc(n, sizeof *d.id),
			    .first = iso_alloc(clients + 1, sizeof *d.first)};
	if (!d.pos || !d.id || !d.first) {
		iso_federation_free(&d);
		return iso_no_memory(err, "rows of the clients");
	}
	for (size_t r = 0; r < n; r++)
		d.first[client_of(f, clients, r) + 1]++;
	for (size_t k = 0; k < clients; k++)
		d.first[k + 1] += d.first[k];
	for (size_t r = 0; r < n; r++) {
		const size_t at = d.first[client_of(f, clients, r)]++;
		d.pos[at] = (uint32_t)r;
		d.id[at] = f->train->id[r];
	}
	/* every offset has moved up to the next one */
	for (size_t k = clients; k > 0; k--)
		d.first[k] = d.first[k - 1];
	d.first[0] = 0;
	*out = d;
	return ISO_OK;
}
