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
expect 0 "1 column of the synthetic file is not in the schema" evaluate order.csv
grep -E "^(gan-leaks|marginals)" .out >a.txt
grep -E "^(gan-leaks|marginals)" clean.txt >b.txt
cmp -s a.txt b.txt || bad "the order of the columns changed a value: $(diff a.txt b.txt)"
cut -d, -f1-3 clean.csv >short.csv
expect 3 'the header lacks "label"' evaluate short.csv
head -1 clean.csv >none.csv
echo "1,2,nowhere,no" >>none.csv
expect 3 "none fits the schema" evaluate none.csv
grep -qi "epsilon *[0-9=]" clean.txt && bad "evaluate prints an epsilon"
# the other files may be as unruly, and every finding names its file
cp train.csv kept.csv
awk -F, '{ print (NR == 1 ? "" : NR) "," $2 "," $1 "," $4 "," $3 }' kept.csv | sed '1s/^,/row,/; 3s/^\([0-9]*\),[0-9.]*/\1,99/' >train.csv
expect 0 "1 of 120 training values of dose out of bounds (clipped)" evaluate clean.csv
expect 0 "1 column of the training file is not in the schema" evaluate clean.csv
cp hold.csv kept-hold.csv
sed '2s/,[0-9.]*,/,,/' kept-hold.csv >hold.csv
expect 0 "1 of 120 hold-out rows are left out" evaluate clean.csv
cp kept.csv train.csv
cp kept-hold.csv hold.csv
# what the reader counted is measured: 1 of 120 rows, 1 of 480 values
expect 0 "" "$isoeps" evaluate --train train.csv --holdout hold.csv --synthetic oob.csv --schema s.json --metrics schema-validity --attacks ""
grep -q "rows that obey the schema *0.9917" .out || bad "one row of 120 is broken: $(grep obey .out)"
grep -q "values out of bounds (clipped) *0.0021" .out || bad "one value of 480 is out: $(grep bounds .out)"
# everything, with a page: validity first, notes that repeat once, no epsilon anywhere
expect 0 "schema-validity: rows that obey" "$isoeps" evaluate --train train.csv --holdout hold.csv --synthetic frac.csv --schema s.json --report page
for note in "a diagnostic, never a privacy guarantee: averages" "an extreme over groups"; do
	n=$(grep -c "$note" .out)
	[ "$n" -eq 1 ] || bad "\"$note\" is printed $n times"
done
n=$(grep -c "^student-cnn" .out)
[ "$n" -eq 1 ] || bad "a metric that does not apply takes $n lines"
for f in index.html evaluation.csv evaluation.json; do
	[ -s page/$f ] || bad "page/$f is missing"
done
cat .out page/* | grep -qi 'epsilon["_ a-z]*[=:] *[0-9]' && bad "evaluate prints an epsilon"
validity=$(grep -n "<caption>Validity" page/index.html | head -1 | cut -d: -f1)
utility=$(grep -n "<caption>Utility" page/index.html | head -1 | cut -d: -f1)
[ "${validity:-9}" -lt "${utility:-0}" ] || bad "validity does not come first: $validity, $utility"
grep -q "Diagnostics: no privacy guarantee" page/index.html || bad "the page does not say what distances are not"
# the table holds what the console shows
grep '"schema-validity","fractions"\|schema-validity,fractions' page/evaluation.csv | grep -q '0.0041666' || bad "evaluation.csv: $(grep fractions page/evaluation.csv)"
grep -q "<script" page/index.html && grep -q "http://\|https://[^\"]*\.js" page/index.html && bad "the page loads from a network"
# no label
sed 's/"role": "label", //' s.json >nolabel.json
mv nolabel.json s.json
expect 0 "gan-leaks" evaluate clean.csv
finish
