#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# compare: one command from a table to the page, with and without a schema.
. "$(dirname "$0")/lib.sh"

table=$source/examples/people.csv
quick() { "$isoeps" --quiet compare --epsilon 1 --methods dp-copula --seeds 1 --attacks gan-leaks --metrics marginals "$@"; }

# value DIR METHOD NAME: of results.csv
value() { awk -F, -v m="$2" -v v="$3" '$4 == m && $11 == v { print $12 }' "$1/results.csv"; }

# The private schema: paid for out of every budget, written down, and the same run again does nothing.
{ tr , ';' <"$table" | sed 's/\([0-9]\)\.\([0-9]\)/\1,\2/' | sed -n 1,1500p; } >people.csv
expect 0 "people, epsilon 1: methods ranked" quick people.csv --label ill --type hours=continuous --out out
grep -q 'page     out/report/index.html' .out || bad "the page is not named"
[ -s out/report/index.html ] || bad "there is no page"
grep -q '"learned"' out/schema.json && bad "the schema was read off the rows"
grep -q '"epsilon": 0.02' out/schema.json || bad "the schema does not say what its types cost"
grep -q '"categories": \["north", "south", "west"' out/schema.json || bad "the regions were not found"
[ "$(grep -l '"schema-columns"' out/cells/*.json | wc -l)" -eq 4 ] || bad "not every cell pays for the schema"
for m in dp-copula independent memorise uniform; do
	[ -n "$(value out $m marginals.tvd1_mean)" ] || bad "$m was not compared"
done
[ "$(value out memorise gan-leaks.auc)" = 1 ] || bad "the copy is not caught"
awk -v e="$(value out dp-copula accounted_epsilon)" 'BEGIN { exit !(e > 0.998 && e <= 1) }' ||
	bad "the accounted epsilon is $(value out dp-copula accounted_epsilon), schema included"
expect 0 "4 done before" quick people.csv --label ill --type hours=continuous --out out
expect 0 "4 done before" "$isoeps" --quiet run out/suite.json --out out

# A public schema costs nothing; the ranking is also JSON.
expect 0 '"page"' quick "$table" --schema "$source/examples/people.json" --methods independent --json --out own
grep -q '"trained": 3' .out || bad "three cells were not trained"
[ -e own/schema.json ] && bad "a schema was drafted beside the given one"
grep -q '"schema-columns"' own/cells/*.json && bad "a public schema was paid for"

# What is said when something is wrong, in the user's words.
expect 2 "no such file (nothing.csv)" "$isoeps" compare nothing.csv
expect 2 "did you mean \"dp-copula\"" "$isoeps" compare people.csv --label ill --methods dp-copla
expect 2 "no column is called \"sick\"" "$isoeps" compare people.csv --label sick
expect 2 "not a list of budgets (--epsilon 1;8)" "$isoeps" compare people.csv --epsilon "1;8"
expect 2 "the smallest budget is 1" "$isoeps" compare people.csv --schema-epsilon 1
expect 2 "exclude each other" "$isoeps" compare "$table" --schema "$source/examples/people.json" --label ill
finish
