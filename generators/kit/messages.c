// SPDX-License-Identifier: Apache-2.0
#include "generators/kit/messages.h"

#include <stdio.h>

#include "core/base/alloc.h"
#include "core/base/sha256.h"

typedef struct account {
	iso_sha256 hash;
	uint64_t count, bytes;
	iso_str last; /* with keep */
} account;

struct iso_messages {
	size_t senders, kinds;
	const char *const *kind;
	int keep;
	account *v; /* [senders][kinds] */
};

iso_status iso_messages_new(size_t senders, const char *const *kind, size_t kinds, int keep,
			    iso_messages **out, iso_error *err)
{
	iso_messages *log = iso_alloc(1, sizeof *log);
	if (log)
		log->v = iso_alloc(senders * kinds, sizeof *log->v);
	if (!log || !log->v) {
		iso_free(log);
		return iso_no_memory(err, "a log of messages");
	}
	log->senders = senders;
	log->kind = kind;
	log->kinds = kinds;
	log->keep = keep;
	for (size_t i = 0; i < senders * kinds; i++)
		iso_sha256_init(&log->v[i].hash);
	*out = log;
	return ISO_OK;
}

void iso_messages_free(iso_messages *log)
{
	uint8_t unused[32];
	iso_error none;
	if (!log)
		return;
	for (size_t i = 0; i < log->senders * log->kinds; i++) {
		(void)!iso_sha256_end(&log->v[i].hash, unused, &none);
		iso_str_free(&log->v[i].last);
	}
	iso_free(log->v);
	iso_free(log);
}

void iso_messages_add(iso_messages *log, size_t sender, size_t kind, const void *bytes, size_t n)
{
	if (!log)
		return;
	account *const a = &log->v[sender * log->kinds + kind];
	iso_sha256_add(&a->hash, bytes, n);
	a->count++;
	a->bytes += n;
	if (!log->keep)
		return;
	iso_str_free(&a->last);
	iso_str_addn(&a->last, bytes, n);
}

static iso_status line_of(iso_messages *log, size_t sender, size_t kind, iso_str *text,
			  iso_error *err)
{
	account *const a = &log->v[sender * log->kinds + kind];
	uint8_t digest[32];
	char hex[65];
	ISO_TRY(iso_sha256_end(&a->hash, digest, err));
	iso_sha256_init(&a->hash); /* what free ends */
	iso_hex(digest, sizeof digest, hex);
	if (sender + 1 == log->senders)
		iso_str_addf(text, "server");
	else
		iso_str_addf(text, "client%zu", sender);
	iso_str_addf(text, " %s %llu %llu %s\n", log->kind[kind], (unsigned long long)a->count,
		     (unsigned long long)a->bytes, hex);
	return ISO_OK;
}

iso_status iso_messages_text(iso_messages *log, iso_str *text, iso_error *err)
{
	for (size_t s = 0; s < log->senders; s++)
		for (size_t k = 0; k < log->kinds; k++)
			ISO_TRY(line_of(log, s, k, text, err));
	return iso_str_check(text, err);
}

static iso_status attach(iso_messages *log, iso_latent_model *m, iso_str *text, iso_error *err)
{
	double count = 0, bytes = 0;
	ISO_TRY(iso_messages_text(log, text, err));
	for (size_t s = 0; s < log->senders; s++)
		for (size_t k = 0; k < log->kinds; k++) {
			account *const a = &log->v[s * log->kinds + k];
			char name[48];
			count += (double)a->count;
			bytes += (double)a->bytes;
			if (!log->keep)
				continue;
			(void)snprintf(name, sizeof name, "message.%zu.%s", s, log->kind[k]);
			ISO_TRY(iso_str_check(&a->last, err));
			ISO_TRY(iso_latent_attach(m, name, a->last.p, a->last.n, err));
		}
	ISO_TRY(iso_latent_attach(m, "messages", text->p, text->n, err));
	ISO_TRY(iso_latent_note(m, "messages_sent", count, err));
	return iso_latent_note(m, "message_bytes", bytes, err);
}

iso_status iso_messages_finish(iso_messages *log, iso_latent_model *m, iso_error *err)
{
	iso_str text = {0};
	const iso_status st = log ? attach(log, m, &text, err) : ISO_OK;
	iso_str_free(&text);
	iso_messages_free(log);
	return st;
}
