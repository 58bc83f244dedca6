#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# evaluate takes synthetic files of other programs: what breaks the schema is counted, never fatal; columns
# in another order, an index column and a schema without a label are fine; no epsilon is ever printed.
. "$(dirname "$0")/lib.sh"

cat >s.json <<'END'
{"name": "t", "columns": [
  {"name": "age", "type": "integer", "bounds": [0, 120]},
  {"name": "dose", "type": "continuous", "bounds": [0, 10]},
  {"name": "band", "type": "categorical", "categories": ["lo", "mid", "hi"]},
  {"name": "label", "type": "binary", "role": "label", "categories": ["no", "yes"]}]}
END
rows() { # seed, rows
	awk -v s="$1" -v n="$2" 'function u() { s = (s * 1103515245 + 12345) % 2147483648; return s / 2147483648 }
BEGIN { print "age,dose,band,label"
	for (i = 0; i < n + 0; i++) { a = int(100 * u()); k = int(3 * u())
		printf "%d,%.2f,%s,%s\n", a, 9 * u(), k == 0 ? "lo" : k == 1 ? "mid" : "hi", (a > 50 ? "yes" : "no") } }'
}
rows 1 120 >train.csv
rows 2 120 >hold.csv
rows 3 120 >clean.csv
evaluate() { "$isoeps" evaluate --train train.csv --holdout hold.csv --synthetic "$1" --schema s.json --metrics marginals --attacks gan-leaks; }

expect 0 "gan-leaks" evaluate clean.csv
cp .out clean.txt
grep -q validity clean.txt && bad "a clean file has findings: $(grep validity clean.txt)"
sed '2s/^[0-9]*/999/' clean.csv >oob.csv
expect 0 "1 of 120 synthetic values of age out of bounds (clipped)" evaluate oob.csv
sed '2s/^\([0-9]*\)/\1.37/; 3s/^\([0-9]*\)/\1.5/' clean.csv >frac.csv
expect 0 "2 of 120 synthetic values of age with a fraction" evaluate frac.csv
sed '2s/,\(lo\|mid\|hi\),/,ultra,/' clean.csv >unseen.csv
expect 0 "1 of 120 synthetic values of band of an unknown category" evaluate unseen.csv
expect 0 "1 of 120 synthetic rows are left out" evaluate unseen.csv
sed '2s/,[0-9.]*,/,,/; 5s/,[0-9.]*,/,NA,/; 6s/,[0-9.]*,/,x1,/' clean.csv >blank.csv
expect 0 "2 of 120 synthetic values of dose missing" evaluate blank.csv
expect 0 "1 of 120 synthetic values of dose unreadable" evaluate blank.csv
# another order and an index column: the same numbers
awk -F, '{ print (NR == 1 ? "index" : NR - 2) "," $4 "," $2 "," $1 "," $3 }' clean.csv >order.csv
expect 0 "1 columns of the synthetic file are not in the schema" evaluate order.csv
grep -E "^(gan-leaks|marginals)" .out >a.txt
grep -E "^(gan-leaks|marginals)" clean.txt >b.txt
cmp -s a.txt b.txt || bad "the order of the columns changed a value: $(diff a.txt b.txt)"
cut -d, -f1-3 clean.csv >short.csv
expect 3 'the header lacks "label"' evaluate short.csv
head -1 clean.csv >none.csv
echo "1,2,nowhere,no" >>none.csv
expect 3 "none fits the schema" evaluate none.csv
grep -qi "epsilon *[0-9=]" clean.txt && bad "evaluate prints an epsilon"
# no label
sed 's/"role": "label", //' s.json >nolabel.json
mv nolabel.json s.json
expect 0 "gan-leaks" evaluate clean.csv
finish
