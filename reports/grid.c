// SPDX-License-Identifier: Apache-2.0
/* Image grids from the stored samples: for each generator setting a strip of two images per label,
 * and below it the nearest training images, where a run kept them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/base/alloc.h"
#include "core/io/csv.h"
#include "core/io/file.h"
#include "reports/figures_more.h"
#include "reports/tables.h"

#define LABELS 10   /* columns of a strip */
#define PER_LABEL 2 /* rows of a strip */
#define GAP 2

/* What a pass over one sample file collects. */
typedef struct strip {
	size_t first, side, label; /* first pixel column, side of the square image, label column */
	char names[LABELS][32];
	size_t nnames, filled[LABELS];
	unsigned char *image; /* [LABELS][PER_LABEL][side * side], owned */
} strip;

/* The longest run of header fields NAME_0, NAME_1, ... must be a square of at least 64. */
static void find_pixels(strip *s, char **field, size_t n)
{
	for (size_t j = 0; j < n; j++) {
		size_t k = strlen(field[j]), run = 1, side;

		if (k < 3 || strcmp(field[j] + k - 2, "_0") != 0)
			continue;
		for (; j + run < n; run++) {
			char want[128];

			snprintf(want, sizeof(want), "%.*s_%zu", (int)(k - 2), field[j], run);
			if (strcmp(want, field[j + run]) != 0)
				break;
		}
		side = (size_t)lround(sqrt((double)run));
		if (side * side == run && run >= 64) {
			s->first = j;
			s->side = side;
			s->label = j == 0 ? run : 0;
			return;
		}
	}
}

static iso_status take_row(void *ctx, size_t row, size_t line, char **field, size_t n,
			   iso_error *err)
{
	strip *s = ctx;
	size_t l;

	(void)line;
	if (row == 0) {
		find_pixels(s, field, n);
		if (s->side && s->label < n) {
			s->image = iso_alloc(LABELS * PER_LABEL, s->side * s->side);
			if (!s->image)
				return iso_no_memory(err, "image grid");
		}
		return ISO_OK;
	}
	if (!s->image)
		return ISO_OK;
	for (l = 0; l < s->nnames && strcmp(s->names[l], field[s->label]) != 0; l++)
		;
	if (l == LABELS)
		return ISO_OK;
	if (l == s->nnames)
		snprintf(s->names[s->nnames++], sizeof(s->names[0]), "%s", field[s->label]);
	if (s->filled[l] == PER_LABEL)
		return ISO_OK;
	for (size_t p = 0; p < s->side * s->side; p++)
		s->image[(l * PER_LABEL + s->filled[l]) * s->side * s->side + p] =
			(unsigned char)strtoul(field[s->first + p], NULL, 10);
	s->filled[l]++;
	return ISO_OK;
}

static int name_order(const strip *s, size_t *order)
{
	for (size_t i = 0; i < s->nnames; i++) {
		size_t j = i;

		for (; j > 0 && strcmp(s->names[order[j - 1]], s->names[i]) > 0; j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
	return (int)s->nnames;
}

/* Draws a strip at row `top` of the canvas [..][width]. */
static void paint(const strip *s, unsigned char *canvas, size_t width, size_t top)
{
	size_t order[LABELS] = {0};
	int n = name_order(s, order);

	for (int k = 0; k < n; k++)
		for (size_t r = 0; r < s->filled[order[k]]; r++)
			for (size_t y = 0; y < s->side; y++)
				memcpy(canvas + (top + r * (s->side + GAP) + y) * width +
					       (size_t)k * (s->side + GAP),
				       s->image +
					       ((order[k] * PER_LABEL + r) * s->side + y) * s->side,
				       s->side);
}

static void put_u32(unsigned char *p, unsigned long x)
{
	p[0] = (unsigned char)(x >> 24);
	p[1] = (unsigned char)(x >> 16);
	p[2] = (unsigned char)(x >> 8);
	p[3] = (unsigned char)x;
}

static void chunk(iso_str *out, const char *type, const unsigned char *data, size_t n)
{
	unsigned char word[4];
	uLong crc = crc32(crc32(0, NULL, 0), (const Bytef *)type, 4);

	put_u32(word, n);
	iso_str_addn(out, (const char *)word, 4);
	iso_str_addn(out, type, 4);
	if (n) {
		iso_str_addn(out, (const char *)data, n);
		crc = crc32(crc, data, (uInt)n);
	}
	put_u32(word, crc);
	iso_str_addn(out, (const char *)word, 4);
}

iso_status iso_png_write(const char *path, const unsigned char *grey, size_t width, size_t height,
			 iso_error *err)
{
	unsigned char head[13] = {0};
	uLong raw = (uLong)((width + 1) * height);
	uLongf packed = compressBound(raw);
	unsigned char *lines = iso_alloc(raw, 1), *z = iso_alloc(packed, 1);
	iso_str out = {0};
	iso_status st;

	if (!lines || !z) {
		st = iso_no_memory(err, "PNG");
		goto out;
	}
	for (size_t y = 0; y < height; y++)
		memcpy(lines + y * (width + 1) + 1, grey + y * width, width); /* filter byte 0 */
	if (compress2(z, &packed, lines, raw, 9) != Z_OK) {
		st = iso_fail(err, ISO_E_INTERNAL,
			      "cannot compress an image (%s): zlib refused; report this", path);
		goto out;
	}
	put_u32(head, width);
	put_u32(head + 4, height);
	head[8] = 8; /* bits; colour type 0 = grey */
	iso_str_addn(&out, "\x89PNG\r\n\x1a\n", 8);
	chunk(&out, "IHDR", head, sizeof(head));
	chunk(&out, "IDAT", z, packed);
	chunk(&out, "IEND", NULL, 0);
	st = iso_str_check(&out, err);
	if (st == ISO_OK)
		st = iso_file_write_atomic(path, out.p, out.n, err);
out:
	iso_free(lines);
	iso_free(z);
	iso_str_free(&out);
	return st;
}

void iso_base64(const unsigned char *bytes, size_t n, iso_str *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)bytes[i] << 16 |
			     (i + 1 < n ? (unsigned)bytes[i + 1] << 8 : 0) |
			     (i + 2 < n ? bytes[i + 2] : 0);
		char four[4] = {digits[v >> 18], digits[v >> 12 & 63],
				i + 1 < n ? digits[v >> 6 & 63] : '=',
				i + 2 < n ? digits[v & 63] : '='};

		iso_str_addn(out, four, 4);
	}
}

/* The stored sample file of the first good record of a setting, or NULL. */
static const char *sample_of(const iso_aggregate *a, size_t setting)
{
	const iso_setting *s = &a->setting[setting];

	for (size_t i = 0; i < a->records->n; i++) {
		const cJSON *r = a->records->v[i];
		const cJSON *config = cJSON_GetObjectItemCaseSensitive(r, "config");
		const cJSON *d = cJSON_GetObjectItemCaseSensitive(config, "dataset");
		const cJSON *named = cJSON_GetObjectItemCaseSensitive(d, "label");
		const cJSON *name =
			cJSON_IsString(named) ? named : cJSON_GetObjectItemCaseSensitive(d, "name");
		const cJSON *label = cJSON_GetObjectItemCaseSensitive(r, "label");
		const cJSON *eps = cJSON_GetObjectItemCaseSensitive(config, "epsilon");
		const cJSON *samples = cJSON_GetObjectItemCaseSensitive(r, "samples");

		if (cJSON_IsString(samples) && cJSON_IsString(label) && cJSON_IsString(name) &&
		    strcmp(label->valuestring, s->label) == 0 &&
		    strcmp(name->valuestring, s->dataset) == 0 &&
		    (cJSON_IsNumber(eps) ? eps->valuedouble : INFINITY) == s->epsilon)
			return samples->valuestring;
	}
	return NULL;
}

typedef struct canvas {
	unsigned char *grey; /* [height][width], owned */
	size_t width, height;
} canvas;

/* The strip of a sample file below what is there; *drawn = 0 where it is missing or has no images.
 */
static iso_status add_strip(canvas *c, const char *path, int *drawn, iso_error *err)
{
	strip s = {0};
	iso_status st = iso_file_exists(path) ? iso_csv_read(path, take_row, &s, err) : ISO_OK;

	*drawn = 0;
	if (st == ISO_OK && s.image) {
		const size_t more = PER_LABEL * (s.side + GAP) + 3 * GAP;
		const size_t width = LABELS * (s.side + GAP);
		unsigned char *grown = iso_alloc((c->height + more) * width, 1);

		if (grown && (!c->height || width == c->width)) {
			memset(grown, 255, (c->height + more) * width);
			if (c->height)
				memcpy(grown, c->grey, c->height * width);
			paint(&s, grown, width, c->height);
			iso_free(c->grey);
			*c = (canvas){grown, width, c->height + more};
			*drawn = 1;
		} else {
			iso_free(grown);
			st = grown ? ISO_OK : iso_no_memory(err, "image grid");
		}
	}
	iso_free(s.image);
	return st;
}

/* "samples/KEY.csv.gz" -> "samples/KEY.nearest.csv.gz". */
static void nearest_name(const char *file, iso_str *out)
{
	const char *end = strstr(file, ".csv");
	const size_t n = end ? (size_t)(end - file) : strlen(file);

	iso_str_addn(out, file, n);
	iso_str_addf(out, ".nearest%s", file + n);
}

static iso_status add_setting(canvas *c, const iso_setting *s, const char *records_dir,
			      const char *file, iso_str *title, iso_error *err)
{
	iso_str path = {0}, near = {0};
	iso_status st;
	int drawn = 0, beside = 0;
	char eps[32];

	iso_str_addf(&path, "%s/%s", records_dir, file);
	nearest_name(path.p ? path.p : "", &near);
	st = iso_str_check(&path, err);
	if (st == ISO_OK)
		st = iso_str_check(&near, err);
	if (st == ISO_OK)
		st = add_strip(c, path.p, &drawn, err);
	if (st == ISO_OK && drawn)
		st = add_strip(c, near.p, &beside, err);
	iso_epsilon_text(s->epsilon, eps);
	iso_str_addf(title, " %s (epsilon %s)%s;", s->label, eps,
		     beside ? ", the nearest training images" : "");
	iso_str_free(&path);
	iso_str_free(&near);
	return st;
}

static iso_status grid_of(const iso_aggregate *a, size_t d, const char *records_dir,
			  const char *dir, iso_figures *out, iso_error *err)
{
	canvas c = {0};
	iso_str title = {0}, path = {0}, stem = {0};
	iso_status st = ISO_OK;

	iso_str_addf(&title, "%s: real or synthetic images, top to bottom:", a->dataset[d]);
	for (size_t i = 0; i < a->nsetting; i++) {
		const char *file = iso_on(a, i, d) ? sample_of(a, i) : NULL;

		if (file)
			ISO_TRY_OUT(
				add_setting(&c, &a->setting[i], records_dir, file, &title, err));
	}
	if (!c.grey)
		goto out;
	iso_str_addf(&stem, "%s-images", a->slug[d]);
	iso_str_addf(&path, "%s/%s.png", dir, stem.p ? stem.p : "");
	ISO_TRY_OUT(iso_str_check(&path, err));
	ISO_TRY_OUT(iso_str_check(&title, err));
	ISO_TRY_OUT(iso_png_write(path.p, c.grey, c.width, c.height, err));
	ISO_TRY_OUT(iso_figure_add(out, stem.p, title.p, d, err));
	out->v[out->n - 1].png_only = out->v[out->n - 1].drawn = 1;
out:
	iso_free(c.grey);
	iso_str_free(&title);
	iso_str_free(&path);
	iso_str_free(&stem);
	return st;
}

iso_status iso_grids_write(const iso_aggregate *a, const char *records_dir, const char *dir,
			   iso_figures *out, iso_error *err)
{
	ISO_TRY(iso_make_dirs(dir, err));
	for (size_t i = 0; i < a->ndataset; i++)
		ISO_TRY(grid_of(a, i, records_dir, dir, out, err));
	return ISO_OK;
}
