#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A table of one's own: what was learned from it is uncharged, what is odd comes back exactly, what does not fit is refused in its own words.
. "$(dirname "$0")/lib.sh"

# Learned bounds and categories: the epsilon is infinite in generate, run and explain; public ones give it back.
{ echo 'age,city,label'; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do echo "$((20 + i)),c$((i % 3)),$((i % 2))"; done; } >own.csv
"$isoeps" --quiet schema infer own.csv --out own.json >/dev/null || bad "schema infer failed"
"$isoeps" generate independent --data own.csv --schema own.json --epsilon 1 --delta 1e-5 --rows 3 --out rows.csv --json >learned.json || bad "generate failed"
grep -q '"guarantee": *"heuristic"' learned.json || bad "a learned schema is called dp"
grep -q '"accounted_epsilon": *"inf"' learned.json || bad "a learned schema has a finite epsilon"
grep -q '"uncharged": *2' learned.json || bad "bounds and categories are not two looks"
grep -v '"learned"' own.json | sed 's/\],$/]/; s/"decimals": \([0-9]*\),$/"decimals": \1/' >public.json
"$isoeps" generate independent --data own.csv --schema public.json --epsilon 1 --delta 1e-5 --rows 3 --out rows.csv --json >public.out || bad "generate with a public schema failed"
grep -q '"guarantee": *"dp"' public.out || bad "a public schema is not dp"
cat >suite.json <<'EOS'
{"name": "own", "datasets": [{"name": "own", "csv": "own.csv", "schema": "own.json"}], "generators": ["independent"], "attacks": [], "metrics": []}
EOS
expect 0 "" "$isoeps" --quiet run suite.json --out out
grep -q 'learned-bounds' out/cells/*.json || bad "the record does not list the learned bounds"
grep -q 'learned-categories' out/cells/*.json || bad "the record does not list the learned categories"
grep -q '"accounted_epsilon":"inf"\|"accounted_epsilon": *"inf"' out/cells/*.json || bad "the record has a finite epsilon"

# A private schema: dp again, its cost in the ledger of every cell, and what was tampered with is found.
{ echo 'age,city,ill'; i=0; while [ $i -lt 600 ]; do echo "$((20 + i % 50)),c$((i % 3)),$((i % 2))"; i=$((i + 1)); done; } >many.csv
expect 2 "no budget" "$isoeps" schema infer many.csv --private
expect 2 "--private is missing" "$isoeps" schema infer many.csv --epsilon 1
expect 2 "write COLUMN=TYPE" "$isoeps" schema infer many.csv --private --epsilon 1 --type age
expect 0 "every training under this schema pays" "$isoeps" schema infer many.csv --private --epsilon 2 --delta 1e-6 --label ill --out private.json
grep -q '"learned"' private.json && bad "a private schema is marked learned"
"$isoeps" generate independent --data many.csv --schema private.json --epsilon 3 --delta 1e-5 --rows 3 --out rows.csv --json >private.out || bad "generate with a private schema failed"
grep -q '"guarantee": *"dp"' private.out || bad "a private schema is not dp"
grep -q '"accounted_epsilon": *2\.99' private.out || bad "the accounted epsilon is not the whole target"
expect 2 "nothing left" "$isoeps" generate independent --data many.csv --schema private.json --epsilon 2 --delta 1e-5 --rows 3
cat >paid.json <<'EOS'
{"name": "paid", "datasets": [{"name": "own", "csv": "many.csv", "schema": {"private": {"epsilon": 1, "delta": 1e-6, "label": "ill"}}}],
 "generators": ["independent"], "epsilons": [2, 4], "delta": 1e-5, "verify": false, "attacks": [], "metrics": []}
EOS
expect 0 "" "$isoeps" --quiet run paid.json --out paid
[ "$(grep -l '"schema-columns"' paid/cells/*.json | wc -l)" -eq 2 ] || bad "a cell does not carry the events of its schema"
expect 0 "2 records hold" "$isoeps" check paid
expect 0 "2 done before" "$isoeps" --quiet run paid.json --out paid
sed 's/"verify"/"secure": true, "verify"/' paid.json >secure.json
expect 2 "private schema in a secure suite" "$isoeps" --quiet run secure.json --dry-run

# Delta: 19 and 57 rows; above 1/n a caveat, above 10/n refused unless asked for by name.
{ cat own.csv; sed 1d own.csv; sed 1d own.csv; } >long.csv
expect 2 "allows 28 whole records" "$isoeps" generate independent --data long.csv --schema public.json --epsilon 1 --delta 0.5 --rows 3
"$isoeps" generate independent --data own.csv --schema public.json --epsilon 1 --delta 0.1 --rows 3 --out rows.csv >caveat.txt || bad "delta above 1/n was refused"
grep -q 'caveat: large delta: 0.1 is above 1/n' caveat.txt || bad "delta above 1/n has no caveat"
expect 0 "large delta" "$isoeps" generate independent --data long.csv --schema public.json --epsilon 1 --delta 0.5 --rows 3 --out rows.csv --allow-large-delta
sed 's/"attacks"/"delta": 0.5, "split": {"train": 1, "holdout": 0, "aux": 0}, "generators": ["independent"], "attacks"/; s/"generators": \["independent"\], "delta"/"delta"/' suite.json >large.json
expect 0 "" "$isoeps" --quiet run large.json --dry-run
sed 's/own.csv/long.csv/' large.json >long.json
expect 2 "delta too large" "$isoeps" --quiet run long.json --dry-run
sed 's/"delta"/"allow_large_delta": true, "delta"/' long.json >allowed.json
expect 0 "" "$isoeps" --quiet run allowed.json --dry-run

# A numeric label is one, and a method that needs classes says so in these words.
cat >house.csv <<'EOC'
rooms,price
2,100.5
3,151.25
4,180.75
5,260
EOC
"$isoeps" --quiet schema infer house.csv --label price --out house.json >/dev/null || bad "schema infer --label failed"
expect 2 "label price is continuous: this method needs classes; bin it or choose another" "$isoeps" generate dp-cgan --data house.csv --schema house.json --epsilon 1 --delta 1e-5 --rows 3
expect 0 "" "$isoeps" --quiet generate independent --data house.csv --schema house.json --epsilon 1 --delta 1e-5 --rows 3 --out rows.csv

# memorise gives odd tables back, value by value.
back() {
  "$isoeps" --quiet schema infer "$1" --out back.json >/dev/null || bad "schema infer $1 failed"
  "$isoeps" --quiet generate memorise --data "$1" --schema back.json --rows "$(($(wc -l <"$1") - 1))" --out back.csv >/dev/null || bad "memorise $1 failed"
  sort "$1" >want.txt
  sort back.csv >got.txt
  cmp -s want.txt got.txt || { diff want.txt got.txt; bad "memorise changed $1"; }
}
printf 'n,y\n9007199254740993,a\n18014398509481985,b\n9007199254740995,a\n' >wide.csv
printf 'zip,k,y\n00501,7.5,a\n07030,7.5,b\n10001,7.5,a\n' >zip.csv
printf 'x;seen;y\n1,25;31.01.2020;a\n-999,00;29.02.2020;b\nNA;01.03.2021;a\n3,50;02.03.2021;b\n4,75;03.03.2021;a\n' >semi.csv
printf 'x\ty\n0.1\ta b\n0.30000000000000004\t,\n1e-300\ta b\n' >tab.csv
for f in wide.csv zip.csv semi.csv tab.csv; do back "$f"; done
# split: four disjoint files of the owner alone; a public share and public files reach the plan.
expect 0 "wrote parts/train.csv: 29 rows" "$isoeps" split long.csv --schema public.json --out parts
[ "$(cat parts/*.csv | grep -vc label)" -eq 57 ] || bad "the parts do not have the 57 rows"
[ "$(stat -c %a parts/holdout.csv)" = 600 ] || bad "private rows are readable by others"
cat parts/*.csv | grep -v label | sort >want.txt
sed 1d long.csv | sort | cmp -s - want.txt || bad "the parts are not the table"
expect 2 "sum to at most 1" "$isoeps" split long.csv --schema public.json --out parts --train 0.9
sed 's/"attacks"/"split": {"public": 0.2, "train": 0.5, "holdout": 0.2, "aux": 0.1}, "attacks"/' suite.json >share.json
expect 0 "" "$isoeps" --quiet run share.json --dry-run
printf 'age,city,label\n90,c1,1\n' >open.csv
sed 's/"csv": "own.csv", "schema": "own.json"/"csv": "own.csv", "schema": "wide.json", "public_csv": "open.csv"/' suite.json >file.json
sed 's/39/199/' own.json >wide.json
expect 0 "" "$isoeps" --quiet run file.json --dry-run
sed -n '1p;4p' own.csv >open.csv
expect 3 "public row 0 equals row 2 of the private table" "$isoeps" --quiet run file.json --dry-run
finish
