// SPDX-License-Identifier: Apache-2.0
#include "core/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/text.h"

static iso_log_level level = ISO_LOG_NORMAL;
static int line_open; /* a progress line without its newline stands on the terminal */

void iso_log_set_level(iso_log_level l)
{
	level = l;
}

static void message(const char *kind, const char *fmt, va_list ap)
{
	char text[2048];

	iso_str shown = {0};

	vsnprintf(text, sizeof(text), fmt, ap);
	iso_text_visible_lines(text, &shown);
	fprintf(stderr, "%sisoeps: %s: %s\n", line_open ? "\r\033[K" : "", kind,
		shown.p ? shown.p : "");
	iso_str_free(&shown);
	line_open = 0;
}

#define ISO_MESSAGE(function, minimum, kind) \
	void function(const char *fmt, ...) \
	{ \
		va_list ap; \
\
		if (level < (minimum)) \
			return; \
		va_start(ap, fmt); \
		message(kind, fmt, ap); \
		va_end(ap); \
	}
ISO_MESSAGE(iso_note, ISO_LOG_NORMAL, "note")
ISO_MESSAGE(iso_warn, ISO_LOG_NORMAL, "warning")
ISO_MESSAGE(iso_debug, ISO_LOG_VERBOSE, "debug")

/* A terminal that may be sent escape sequences (no-color.org). */
static int is_redrawn(void)
{
	const char *plain = getenv("NO_COLOR"), *kind = getenv("TERM");

	return isatty(STDERR_FILENO) && !(plain && *plain) && !(kind && strcmp(kind, "dumb") == 0);
}

static void show(iso_progress *p, double now)
{
	const int terminal = is_redrawn();
	double elapsed = now - p->started;
	double rate = elapsed > 0 ? p->done / elapsed : 0;
	char left[48] = "";

	if (rate > 0 && p->total > 0)
		snprintf(left, sizeof(left), ", %.0f s left", (p->total - p->done) / rate);
	fprintf(stderr, "%s%s %.0f/%.0f (%.0f %%) %.3g/s%s%s", terminal ? "\r\033[K" : "", p->label,
		p->done, p->total, p->total > 0 ? 100 * p->done / p->total : 0, rate, left,
		terminal ? "" : "\n");
	fflush(stderr);
	line_open = terminal;
	p->shown = now;
}

void iso_progress_start(iso_progress *p, const char *label, double total)
{
	*p = (iso_progress){
		.label = label, .total = total, .started = iso_clock_wall(), .active = 1};
	p->shown = p->started;
}

void iso_progress_update(iso_progress *p, double done)
{
	double now;

	p->done = done;
	if (!p->active || level < ISO_LOG_NORMAL)
		return;
	now = iso_clock_wall();
	if (now - p->shown >= (is_redrawn() ? 0.1 : 10.0))
		show(p, now);
}

void iso_progress_finish(iso_progress *p)
{
	if (p->active && level >= ISO_LOG_NORMAL && is_redrawn()) {
		show(p, iso_clock_wall());
		fputc('\n', stderr);
		line_open = 0;
	}
	p->active = 0;
}
