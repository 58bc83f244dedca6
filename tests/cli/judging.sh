#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The judges themselves are fair: what saw no data is at chance on a table with many repeated rows, and
# a copy of the training table cannot be told apart from it.
. "$(dirname "$0")/lib.sh"

# Skewed columns of few values: most rows have a twin.  A fixed generator, so that the table is fixed.
awk 'function u() { s = (s * 1103515245 + 12345) % 2147483648; return s / 2147483648 }
BEGIN { s = 7; print "visits,children,label,age"
	for (i = 0; i < 2400; i++)
		printf "%d,%d,%s,%d\n", 10 * u() ^ 3, 6 * u() ^ 2, u() < 0.3 ? "yes" : "no", 40 * u() ^ 2 }' >dup.csv
cat >dup.json <<'END'
{"name": "dup", "columns": [
  {"name": "visits", "type": "integer", "bounds": [0, 9]},
  {"name": "children", "type": "integer", "bounds": [0, 5]},
  {"name": "label", "type": "binary", "role": "label", "categories": ["no", "yes"]},
  {"name": "age", "type": "integer", "bounds": [0, 39]}]}
END
cat >suite.json <<'END'
{"name": "dedup", "datasets": [{"name": "dup", "csv": "dup.csv", "schema": "dup.json"}],
 "generators": ["uniform", "independent"], "epsilons": [1], "seeds": 6, "metrics": ["tstr"],
 "attacks": ["gan-leaks"]}
END
expect 0 "12 done now" "$isoeps" run suite.json --out out
# Each interval holds one half (false alarm 5 % each under fresh seeds; these seeds are fixed).
awk -F, '$11 == "gan-leaks.auc" { n++; if ($13 > 0.5 || $14 < 0.5) { print; bad++ } }
END { exit n != 12 || bad > 0 }' out/results.csv || bad "an attack on data-independent rows is not at chance"
count=$((count + 1))
for cell in out/cells/*.json; do
	grep -q 'non-members equal a member' "$cell" || bad "$cell does not count the shared values"
	grep -q 'test rows equal a training row' "$cell" || bad "$cell does not count the test rows"
	count=$((count + 1))
done
# Utility keeps its test rows: a quarter of the table.
grep -q '"test": *\(599\|600\|601\)' "$cell" || bad "the test rows are not as drawn: $(grep '"test"' "$cell")"

# Train, hold-out and a copy.
sed -n '1p;2,301p' dup.csv >train.csv
sed -n '1p;302,601p' dup.csv >hold.csv
expect 0 "" "$isoeps" evaluate --train train.csv --holdout hold.csv --synthetic train.csv --schema dup.json \
	--metrics discriminator --attacks gan-leaks --json
cp .out copy.json
awk '/"attacks"/ { exit } /"name"/ { split($0, a, "\""); name = a[4] } /"value"/ && (name == "accuracy" || name == "auc") {
	n++; v = $2 + 0; if (v < 0.49999 || v > 0.50001) bad++ } END { exit n != 2 || bad > 0 }' copy.json ||
	bad "a copy is told apart: $(grep -A3 '"accuracy"' copy.json)"
finish
