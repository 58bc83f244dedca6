#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No two method files share a block of six lines: what two methods share belongs into generators/kit.
#
# Compared are the lines of generators/*.c with white space taken out.  Left out, because the contract makes every
# method write them: comments, empty lines, lines without three letters or digits in a row (braces), #include lines,
# string literals that stand alone, option tables, the descriptor (from "const iso_generator iso_generator_" on),
# the signatures of slots, and the way out of a function (*out = m; m = NULL; out: destroy(m); return st;).  A block
# is six of the lines that remain, in a row, equal in two files.
# usage: copied.sh SOURCE_DIR
set -eu
cd "$1/generators"
awk '
FNR == 1 { n = off = comment = table = 0 }
/^const iso_generator iso_generator_/ { off = 1 }
/^static const iso_option [a-z_]*\[\]/ { table = 1 }
table { if (/^};/) table = 0; next }
off { next }
{
	line = $0
	gsub(/[ \t]/, "", line)
	if (comment || line ~ /^\/\*/) {
		comment = line !~ /\*\//
		next
	}
	if (line !~ /[A-Za-z0-9_][A-Za-z0-9_][A-Za-z0-9_]/ || line ~ /^(#include|\/\/)/ || line ~ /^"[^"]*",?$/)
		next
	if (line ~ /^(\*out=m;|m=NULL;|out:|destroy\(m\);|returnst;|iso_error\*err\))$/ ||
	    line ~ /^static(iso_status|void|size_t|iso_guarantee)(resolve|check|plan|fit|sample|destroy|save|load|score|describe|encode|decode|latent_dim|guarantee_of)\(/)
		next
	keep[n % 6] = line
	at[n % 6] = FNR
	n++
	if (n < 6)
		next
	block = ""
	for (i = n - 6; i < n; i++)
		block = block keep[i % 6] "\n"
	where = FILENAME ":" at[(n - 6) % 6]
	if (block in first && file[block] != FILENAME) {
		printf "generators/%s and generators/%s share six lines; move them to generators/kit\n", first[block], where
		bad = 1
	} else if (!(block in first)) {
		first[block] = where
		file[block] = FILENAME
	}
}
END { exit bad }
' *.c
