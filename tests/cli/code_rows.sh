#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The table of code hashes that the build writes (suites/code.cmake): a row changes with each of its files and with their names,
# and with no other file; where the tree lies is nothing.
. "$(dirname "$0")/lib.sh"
command -v cmake >/dev/null || { echo "skipped: no cmake here"; exit 77; }

# table ROOT: the rows "core" (two files), "generators/a" (one).
table() {
	printf 'core=%s/core/x.c|%s/core/y.c\ngenerators/a=%s/generators/a.c\n' "$1" "$1" "$1" >groups
	cmake -DOUT="$work/rows.c" -DROOT="$1" -DGROUPS_FILE="$work/groups" -P "$source/suites/code.cmake" >log 2>&1 || bad "cmake: $(cat log)"
	sed -n 's/.*{"\([^"]*\)", "\([0-9a-f]*\)"}.*/\1 \2/p' rows.c
}
row() { sed -n "s#^$2 ##p" "$1"; }
# changes FILE CORE GENERATOR: 1 = that row differs from the first table
changes() {
	table "$work/tree" >now
	for pair in "core $2" "generators/a $3"; do
		count=$((count + 1))
		name=${pair% *} want=${pair#* } got=0
		[ "$(row first "$name")" = "$(row now "$name")" ] || got=1
		[ "$got" = "$want" ] || bad "$1: the row $name changed: $got, expected $want"
	done
}

mkdir -p tree/core tree/generators
echo 'int x;' >tree/core/x.c
echo 'int y;' >tree/core/y.c
echo 'int a;' >tree/generators/a.c
table "$work/tree" >first
[ "$(grep -c '^[^ ]* [0-9a-f]\{64\}$' first)" = 2 ] || bad "not two rows of 64 digits: $(cat first)"
# by hand: SHA-256 over lines of name and SHA-256
want=$(printf 'generators/a.c %s\n' "$(sha256sum <tree/generators/a.c | cut -c1-64)" | sha256sum | cut -c1-64)
[ "$(row first generators/a)" = "$want" ] || bad "the row generators/a is not the hash of its file"
changes "nothing" 0 0
echo 'int x2;' >tree/core/x.c && changes "core/x.c" 1 0
echo 'int x;' >tree/core/x.c && changes "core/x.c put back" 0 0
echo 'int y2;' >tree/core/y.c && changes "core/y.c" 1 0
echo 'int y;' >tree/core/y.c && echo 'int a; ' >tree/generators/a.c && changes "generators/a.c" 0 1
echo 'int a;' >tree/generators/a.c && echo 'int b;' >tree/core/z.c && changes "a file of no row" 0 0
echo 'int y;' >tree/core/x.c && echo 'int x;' >tree/core/y.c && changes "two files exchanged" 1 0
echo 'int x;' >tree/core/x.c && echo 'int y;' >tree/core/y.c && mv tree other && mkdir tree && mv other/* tree && changes "moved" 0 0
cp -r tree "$work/elsewhere"
table "$work/elsewhere" >now
count=$((count + 1))
cmp -s first now || bad "the same tree at another place has other hashes"
# and the program's own table: every built-in plug-in has a row
for kind in generators attacks metrics; do
	for name in $("$isoeps" list $kind | sed '1,2d; s/ .*//'); do
		count=$((count + 1))
		[ -f "$source/$kind/$(echo "$name" | tr - _).c" ] || bad "$kind $name has no source of its name, so no row of code"
	done
done
[ "$count" -gt 40 ] || bad "only $count checks"
finish
