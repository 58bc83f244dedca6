#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What would be done, and how long it takes: run --dry-run and generate --dry-run; public rows of generate.
. "$(dirname "$0")/lib.sh"
mkdir tmp && TMPDIR=$work/tmp && export TMPDIR
table=$source/examples/people.csv schema=$source/examples/people.json
field() { sed -n "s/^\t*\"$1\": *\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" "$2"; }

# The plan of one training is what the training then spends.
"$isoeps" --quiet generate dp-copula --data "$table" --schema "$schema" --epsilon 2 --delta 1e-6 --rows 10 --dry-run --json >plan.json ||
	bad "generate --dry-run failed"
"$isoeps" --quiet generate dp-copula --data "$table" --schema "$schema" --epsilon 2 --delta 1e-6 --rows 10 --out rows.csv --json >done.json ||
	bad "generate failed"
[ "$(field accounted_epsilon plan.json)" = "$(field accounted_epsilon done.json)" ] ||
	bad "planned $(field accounted_epsilon plan.json), spent $(field accounted_epsilon done.json)"
[ "$(field training_rows plan.json)" = 3000 ] && [ "$(field adjacency plan.json)" = add-remove ] || bad "n or the adjacency is wrong"
rm rows.csv
expect 0 "nothing is kept or written" "$isoeps" generate dp-copula --data "$table" --schema "$schema" --epsilon 2 --out rows.csv --dry-run
[ -e rows.csv ] && bad "a dry run wrote rows"
for words in "epsilon 2 at delta 1e-05 (add-remove)" "n = 3000, the number of rows, is taken as publicly known" "estimate: about"; do
	grep -qF "$words" .out || bad "generate --dry-run does not say \"$words\": $(cat .out)"
done
expect 0 "differ in the values of one row; n = 3000" "$isoeps" generate dp-copula --data "$table" --schema "$schema" --epsilon 2 \
	--adjacency replace-one --rows 3 --out rows.csv
expect 2 "delta too large" "$isoeps" generate dp-copula --data "$table" --schema "$schema" --epsilon 2 --delta 0.1 --dry-run
# a tiny budget is calibrated at once: the least of three, so that a busy machine is no failure
for i in 1 2 3; do
	"$isoeps" --quiet generate dp-cgan --data "$table" --schema "$schema" --epsilon 0.001 --set steps=2 --dry-run --json >tiny.json || bad "epsilon 0.001"
	awk -v s="$(field estimate_seconds tiny.json)" 'BEGIN { exit !(s < 2) }' && break
done
awk -v s="$(field estimate_seconds tiny.json)" -v e="$(field accounted_epsilon tiny.json)" \
	'BEGIN { exit !(s < 2 && e > 0.000999 && e <= 0.001) }' || bad "epsilon 0.001: $(cat tiny.json)"

# Public rows: for methods that take them, and never a private row.
sed -n '1p;1000,1100p' "$table" >private.csv
sed -n '1p;2000,2050p' "$table" >open.csv
sort private.csv >a.txt
sort open.csv | uniq | comm -12 a.txt - | grep -v age && bad "the table has rows that repeat: choose others"
expect 2 "dp-copula does not learn from them" "$isoeps" generate dp-copula --data private.csv --schema "$schema" --epsilon 1 --public open.csv --rows 3
expect 0 "3 synthetic rows from 101 rows" "$isoeps" generate dp-gan-zhang --data private.csv --schema "$schema" --epsilon 1 --public open.csv \
	--set steps=2 --rows 3 --out rows.csv
sed -n 5p private.csv >>open.csv
expect 3 "public row 51 equals row 3 of the private table" "$isoeps" generate dp-gan-zhang --data private.csv --schema "$schema" --epsilon 1 \
	--public open.csv --rows 3

# A suite: training, judging and verification are counted; finished cells are known.
cat >suite.json <<END
{"name": "s", "datasets": [{"name": "people", "csv": "$table", "schema": "$schema"}], "generators": ["independent", "uniform"],
 "seeds": 2, "attacks": ["gan-leaks", "shokri"], "metrics": ["tstr"]}
END
expect 0 "4 cells by short trials" "$isoeps" run suite.json --out out --dry-run
for words in "training" "attacks and metrics" "verification"; do
	grep '^estimate:' .out | grep -q "$words" || bad "the estimate does not name $words: $(cat .out)"
done
[ -e out ] && bad "a dry run made the output directory"
"$isoeps" --quiet run suite.json --out out --dry-run --json >plan.json || bad "run --dry-run --json failed"
# (on a machine that is too busy a trial may not end: then the estimate is a lower bound, and says of what)
closed=0
grep -q '"open": *""' plan.json && closed=1
[ "$(field estimate_is_lower_bound plan.json)" = false ] || [ $closed = 0 ] || bad "a lower bound without a reason"
start=$(date +%s%N)
"$isoeps" --quiet run suite.json --out out --json >done.json || bad "the suite failed"
took=$((($(date +%s%N) - start) / 1000000))
# a busy machine changes the times between the two: a factor of four either way (bench/estimate.sh holds 30 % on an idle one)
[ $closed = 0 ] ||
	awk -v e="$(field estimate_seconds plan.json)" -v t="$took" 'BEGIN { exit !(1000 * e < 4 * t && 4000 * e > t) }' ||
	bad "estimated $(field estimate_seconds plan.json) s, took $took ms"
expect 0 "estimate: nothing to run" "$isoeps" run suite.json --out out --dry-run
sed 's/"seeds": 2/"seeds": 3/' suite.json >more.json
expect 0 "2 cells by the times of finished ones" "$isoeps" run more.json --out out --dry-run
[ -z "$(ls tmp)" ] || bad "trials were left behind: $(ls tmp)"
finish
