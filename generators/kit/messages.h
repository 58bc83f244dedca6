// SPDX-License-Identifier: Apache-2.0
/* What clients and server send each other in a federated training: for every sender and kind of
 * message the number of messages, their bytes, and a running SHA-256 of the contents, which are
 * part of the saved model, so that `verify` compares every message bit for bit.  With `keep` the
 * last message of each kind is saved as it is. */
#ifndef ISO_GENERATORS_KIT_MESSAGES_H
#define ISO_GENERATORS_KIT_MESSAGES_H

#include "generators/kit/latent_model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iso_messages iso_messages;
/* kind [kinds]: static texts without spaces.  senders: clients, and the server behind them. */
iso_status iso_messages_new(size_t senders, const char *const *kind, size_t kinds, int keep,
			    iso_messages **out, iso_error *err) ISO_MUST_CHECK;
void iso_messages_free(iso_messages *log); /* NULL is legal */
/* No allocation unless `keep`; a failure shows in iso_messages_finish. */
void iso_messages_add(iso_messages *log, size_t sender, size_t kind, const void *bytes, size_t n);
/* One line per sender and kind, "SENDER KIND COUNT BYTES DIGEST", behind text. */
iso_status iso_messages_text(iso_messages *log, iso_str *text, iso_error *err) ISO_MUST_CHECK;
/* Attaches the log to the model ("messages": that text; "message.SENDER.KIND": the last one) and
 * notes the totals.  Frees it, also on failure.
 */
iso_status iso_messages_finish(iso_messages *log, iso_latent_model *m,
			       iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
