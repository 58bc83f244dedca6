// SPDX-License-Identifier: Apache-2.0
/* Inside core/data and `isoeps data`: what the catalogue knows of each data set, and its files. */
#ifndef ISO_DATA_SOURCES_H
#define ISO_DATA_SOURCES_H

#include "core/data/catalogue.h"
#include "core/data/sim.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One published file that is part of one of ours. */
typedef struct iso_upstream {
	const char *url,
		*sha256; /* sha256 of the uncompressed download, NULL = only the result is pinned */
	const char *append; /* text put after every line: ",red" */
} iso_upstream;

/* How a published file becomes ours; bits. Carriage returns and blank lines always go. */
enum {
	ISO_RAW = 0,	    /* byte for byte */
	ISO_RESHAPE = 1,    /* lines of fields; any bit below implies it */
	ISO_ADD_HEADER = 2, /* put the schema's column names first */
	ISO_DROP_LINE = 4,  /* drop the first line (a header under other names, a comment) */
	ISO_SPLIT_SEMICOLON = 8,
	ISO_SPLIT_SPACE = 16,
	ISO_TRIM = 32,		  /* spaces after commas */
	ISO_DROP_DOT = 64,	  /* a full stop at the end of a line */
	ISO_DROP_LINE_PARTS = 128 /* ISO_DROP_LINE for each part, not only the first */
};

/* A file of the search path, pinned by the SHA-256 of its uncompressed content. */
typedef struct iso_data_file {
	const char *path; /* below a data directory, ends in .gz */
	const char *sha256;
	unsigned reshape;
	iso_upstream part[2]; /* url NULL: cannot be fetched, see the entry's manual text */
} iso_data_file;

typedef struct iso_data_source {
	iso_dataset_info info;
	const char *schema;		 /* embedded schema file */
	iso_sim_fn simulate;		 /* simulators only */
	size_t default_rows;		 /* simulators only */
	const char *embedded;		 /* embedded CSV, or NULL */
	iso_data_file table[2], test[2]; /* path NULL = none; two files: IDX images and labels */
	const char *upstream;		 /* the page of the data set */
	const char *manual; /* how to make the file by hand where it cannot be fetched */
} iso_data_source;
extern const iso_data_source iso_data_sources[];
extern const size_t iso_data_source_count;
const iso_data_source *iso_data_source_find(const char *name);

/* ISO_E_CONFIG for a name that is none, with the nearest. */
iso_status iso_data_source_need(const char *name, const iso_data_source **out,
				iso_error *err) ISO_MUST_CHECK;
/* The first place where the file is: path gets it, or "" if it is nowhere. */
void iso_data_file_find(const iso_data_file *f, char *path, size_t size);
/* Uncompressed content, checked against the pin. */
iso_status iso_data_file_load(const iso_data_source *s, const iso_data_file *f, char **text,
			      size_t *n, iso_error *err) ISO_MUST_CHECK;
/* Where downloads go: $ISOEPS_DATA, else the user's cache directory. */
iso_status iso_data_home(char *path, size_t size, iso_error *err) ISO_MUST_CHECK;
/* Download (curl), reshape, verify, put in place; *fetched counts the files.  Files already present
 * are left alone. */
iso_status iso_data_fetch(const iso_data_source *s, size_t *fetched, iso_error *err) ISO_MUST_CHECK;
/* The reshaping alone: text[i] is the content of part i. */
iso_status iso_data_reshape(const iso_data_file *f, const iso_schema *schema,
			    const char *const text[2], const size_t n[2], iso_str *out,
			    iso_error *err) ISO_MUST_CHECK;
/* The embedded schema of the data set. */
iso_status iso_data_schema(const iso_data_source *s, iso_schema **out,
			   iso_error *err) ISO_MUST_CHECK;
/* SHA-256 as 64 digits. */
iso_status iso_data_digest(const void *data, size_t n, char hex[65], iso_error *err) ISO_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
