#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What README and docs print runs as printed: every command of the README that needs no build, in order, with its suite; every
# JSON block parses, and every block that is a suite plans.
. "$(dirname "$0")/lib.sh"

ln -s "$source/examples" examples
mkdir -p build && ln -s "$isoeps" build/isoeps
awk 'BEGIN { srand(7); print "age,income,job,ill"; for (i = 0; i < 160; i++) { y = rand() < 0.4; a = int(20 + 40 * rand() + 15 * y);
	print a "," int(1000 + 3000 * rand() + 1000 * y) "," (rand() < 0.5 ? "clerk" : "cook") "," (y ? "yes" : "no") } }' >mine.csv
cp mine.csv people.csv
for f in train holdout synthetic; do cp mine.csv $f.csv; done

# JSON blocks, one file each
for doc in "$source"/README.md "$source"/docs/*.md; do
	awk -v base="block-$(basename "$doc" .md)" '/^```json/ { n++; on = 1; next } /^```/ { on = 0 } on { print > (base "-" n ".json") }' "$doc"
done
[ -f block-README-1.json ] || bad "README.md has no suite"
cp block-README-1.json mine-suite.json

# commands of the README: lines of code blocks that begin with the program, comments taken off
awk '/^```/ { on = !on; next } on && /^build\/isoeps / { sub(/  +#.*/, ""); print }' "$source/README.md" >commands
[ "$(wc -l <commands)" -ge 6 ] || bad "README.md has only $(wc -l <commands) commands"
while read -r line; do
	case $line in
	*" evaluate "*) sed 1d mine.csv | tail -n 60 >tail; { head -n 1 mine.csv; cat tail; } >holdout.csv ;;
	*" run "*) line=$(echo "$line" | sed 's/--out/--quiet --only seed=1 --only epsilon=1 --out/; s/build.isoeps run/build\/isoeps run/') ;;
	*" compare "*) line="$line --methods dp-copula --seeds 1 --epsilon 1 --attacks gan-leaks --metrics marginals" ;; # the rest takes minutes
	*" verify "*) continue ;; # tried by the tests of verify, and slow
	esac
	line=$(echo "$line" | sed 's/ --quiet//')
	expect 0 "" sh -c "$line"
done <commands
[ -s out/mine/report/index.html ] || bad "the README's suite made no report"

"$isoeps" schema infer people.csv --out people.json >.out 2>&1 || bad "people.json: $(cat .out)"
for f in block-*.json; do
	count=$((count + 1))
	case $f in *adding-a-method*) continue ;; esac # names the method that the page tells to write
	if grep -q '"generators"' "$f" && grep -q '"datasets"' "$f" && grep -q '"name"' "$f"; then
		"$isoeps" run "$f" --dry-run >.out 2>&1 || bad "$f does not plan: $(head -c 400 .out)"
	fi
done
finish
