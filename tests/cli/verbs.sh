#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every verb does its job on real input, and --help of every verb teaches with an example.
. "$(dirname "$0")/lib.sh"

verbs=$("$isoeps" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
for v in $verbs; do
	expect 0 "isoeps $v" "$isoeps" "$v" --help
	grep -qi "example" "$work/.out" || bad "$v --help has no example"
	expect 0 "isoeps $v" "$isoeps" help "$v"
done
expect 0 "isoeps 0" "$isoeps" --version
expect 2 "no verb" "$isoeps"

for kind in generators attacks metrics datasets suites; do
	expect 0 "name" "$isoeps" list $kind
	expect 0 '"title"' "$isoeps" list $kind --json
	[ $kind = suites ] && continue
	for name in $("$isoeps" list $kind | sed '1,2d; s/ .*//'); do
		expect 0 "$name" "$isoeps" describe "$name"
		expect 0 "\"name\": \"$name\"" "$isoeps" describe "$name" --json
	done
done
expect 0 "Demo" "$isoeps" describe demo
"$isoeps" describe record >fields
count=$((count + 1))
sed -n '/^| field/,$p' "$source/results/README.md" | cmp -s - fields || bad "results/README.md is not what isoeps describe record prints"

# A CSV of one's own: generate, evaluate.
awk 'BEGIN { srand(7); print "age,income,job,label"; for (i = 0; i < 400; i++) { y = rand() < 0.4; a = int(20 + 40 * rand() + 15 * y);
	printf "%d,%.1f,%s,%s\n", a, 1000 + 3000 * y + 2000 * rand(), rand() < 0.5 ? "clerk" : "farmer", y ? "yes" : "no" } }' >all.csv
(head -n 201 all.csv) >train.csv
(head -n 1 all.csv; tail -n 200 all.csv) >holdout.csv
cat >schema.json <<'END'
{"name": "people", "columns": [
  {"name": "age", "type": "integer", "bounds": [0, 120]},
  {"name": "income", "type": "continuous", "bounds": [0, 10000], "decimals": 1},
  {"name": "job", "type": "categorical", "categories": ["clerk", "farmer", "teacher"]},
  {"name": "label", "type": "binary", "role": "label", "categories": ["no", "yes"], "positive": "yes"}]}
END
expect 0 "guarantee dp; accounted epsilon" "$isoeps" generate independent --data train.csv --schema schema.json --epsilon 3 \
	--delta 1e-6 --rows 300 --out secret.csv
expect 0 "guarantee dp (seeded); accounted" "$isoeps" generate independent --data train.csv --schema schema.json --epsilon 3 --seed 2 --out again.csv
expect 0 "whoever knows seed 1 can" "$isoeps" generate independent --data train.csv --schema schema.json --epsilon 3 --delta 1e-6 --rows 300 --seed 1 --out synthetic.csv
[ "$(wc -l <synthetic.csv)" -eq 301 ] || bad "generate wrote $(wc -l <synthetic.csv) lines, expected 301"
expect 0 '"accounted_epsilon": 2.99' "$isoeps" generate independent --data train.csv --schema schema.json --epsilon 3 \
	--delta 1e-6 --rows 300 --seed 1 --out again.csv --json
cmp -s secret.csv synthetic.csv && bad "a run without --seed gave the rows of seed 1"
cmp -s synthetic.csv again.csv || bad "the same seed gave other rows"
expect 0 "" "$isoeps" generate independent --data train.csv --schema schema.json --epsilon 3 --rows 300 --seed 2 --out other.csv
cmp -s synthetic.csv other.csv && bad "another seed gave the same rows"
expect 0 "" "$isoeps" generate independent --data train.csv --schema schema.json --epsilon 3 --rows 300 --secure --out s1.csv
expect 0 "" "$isoeps" generate independent --data train.csv --schema schema.json --epsilon 3 --rows 300 --secure --out s2.csv
cmp -s s1.csv s2.csv && bad "--secure gave the same rows twice"
expect 2 "exclude each other" "$isoeps" generate independent --data train.csv --schema schema.json --epsilon 3 --secure --seed 2
expect 0 "guarantee none" "$isoeps" generate memorise --data train.csv --schema schema.json --out copy.csv.gz
gzip -dc copy.csv.gz >copy.csv || bad "copy.csv.gz is no gzip file"
[ "$(sort copy.csv | uniq | wc -l)" -gt 150 ] || bad "memorise did not give the rows back"

expect 0 "gan-leaks" "$isoeps" evaluate --train train.csv --holdout holdout.csv --synthetic copy.csv --schema schema.json
expect 0 '"auc": 1' "$isoeps" evaluate --train train.csv --holdout holdout.csv --synthetic train.csv --schema schema.json \
	--metrics "" --attacks gan-leaks --json
expect 0 "not at hand" "$isoeps" evaluate --train train.csv --holdout holdout.csv --synthetic synthetic.csv --schema schema.json \
	--metrics marginals --attacks logan-wb

# A run, its status, one cell explained.
expect 0 "to run" "$isoeps" run smoke --dry-run --only generator=uniform --only generator=memorise
expect 0 '"estimate_seconds"' "$isoeps" run smoke --dry-run --json --only generator=uniform
expect 0 "4 done now" "$isoeps" run smoke --only generator=memorise --out o
expect 1 "4 of 36 cells done" "$isoeps" status o
expect 1 '"cells": 36' "$isoeps" status o --json
key=$(ls o/cells | head -n 1 | cut -c 1-10)
expect 0 "guarantee none" "$isoeps" explain o "$key"
expect 0 '"isoeps": 2' "$isoeps" explain o "$key" --json
expect 0 '"results"' "$isoeps" run smoke --only generator=memorise --out o --json
head -n 1 o/results.csv | grep -qx "cell,suite,dataset,generator,mode,guarantee,epsilon,delta,seed,kind,name,value,low,high,unit,adjacency,accountant,n,claimed_epsilon,verified,status" ||
	bad "head of results.csv: $(head -n 1 o/results.csv)"
# The resolved suite is a suite: the same cells.
expect 0 "0 done now, 4 done before" "$isoeps" run o/suite.json --only generator=memorise --out o
finish
