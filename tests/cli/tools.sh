#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The verbs that need no training: data, schema, account, report.  Expected numbers: accounting.md's anchors (TensorFlow
# Privacy's README example, an exact Gaussian) and hand counts.
. "$(dirname "$0")/lib.sh"

cat >people.csv <<'EOF'
name,age,sex,income
Ann,39,F,high
Bob,51,M,low
Cid,28,M,low
Dot,44,F,high
EOF
expect 0 "wrote people.json" "$isoeps" schema infer people.csv --out people.json
grep -q '"learned": true' people.json || bad "schema infer does not mark what it learned"
expect 0 "" "$isoeps" schema check people.json people.csv
expect 0 '"rows"' "$isoeps" schema check people.json people.csv --json
sed 's/^Bob,51/Bob,510/' people.csv >far.csv
expect 3 "far.csv:3" "$isoeps" schema check people.json far.csv
sed 's/"bounds"/"bonds"/' people.json >typo.json
expect 2 '"bounds"' "$isoeps" schema check typo.json
printf '{"columns": [\n  {"name": 1}\n' >broken.json
expect 2 "broken.json:" "$isoeps" schema check broken.json
expect 4 "nowhere.json" "$isoeps" schema check nowhere.json

expect 0 "sim-census" "$isoeps" data list
expect 0 '"embedded"' "$isoeps" data list --json
expect 0 "569" "$isoeps" data check wdbc
expect 2 "did you mean" "$isoeps" data check wdbcc

expect 0 "5.1926" "$isoeps" account --noise-multiplier 1.1 --sampling-rate 0.01 --steps 10000 --delta 1e-5
expect 0 "APPROXIMATION" "$isoeps" account --noise-multiplier 1.1 --sampling-rate 0.01 --steps 10 --delta 1e-5
echo '{"delta": 1e-5, "events": [{"mechanism": "gaussian", "noise_multiplier": 1}]}' >one.json
expect 0 '"pld"' "$isoeps" account one.json --json
expect 0 '"noise_multiplier"' "$isoeps" account one.json --target-epsilon 1 --json
expect 0 '"delta"' "$isoeps" account one.json --epsilon 2 --json
"$isoeps" account - --json <one.json >piped.json 2>&1 || bad "account does not read standard input"
"$isoeps" account one.json --json | cmp -s - piped.json || bad "account gives another answer for a pipe"
printf '%s\n' '{"id": "a", "delta": 1e-5, "events": [{"mechanism": "gaussian", "noise_multiplier": 2}]}' '{"id": "b", "delta": 2}' \
	'{"id": "c", "delta": 1e-5, "events": [{"mechanism": "laplace", "scale": 1}]}' >lines.jsonl
count=$((count + 1))
"$isoeps" account --batch lines.jsonl >answers.jsonl 2>/dev/null
[ $? -eq 2 ] || bad "a bad line of --batch must end in exit status 2"
[ "$(wc -l <answers.jsonl)" -eq 3 ] || bad "--batch must answer every line"
sed -n 2p answers.jsonl | grep -q '"error"' || bad "--batch does not say which line is bad"
sed -n 3p answers.jsonl | grep -q '"epsilon"' || bad "a bad line stopped the lines behind it"
for bad_event in '{"mechanism": "gaussian", "noise_multiplier": -1}' '{"mechanism": "gaussian", "noise_multiplier": "nan"}' \
	'{"mechanism": "gaussian", "noise_multiplier": 1, "sampling_rate": 1.5}' '{"mechanism": "gauss", "noise_multiplier": 1}' \
	'{"mechanism": "laplace", "scale": 1, "count": 0}' '{"mechanism": "laplace", "scale": 1, "cuont": 2}'; do
	echo "{\"delta\": 1e-5, \"events\": [$bad_event]}" >bad.json
	expect 2 "isoeps: error:" "$isoeps" account bad.json
done
printf '{"delta": 1e-5,\n "events": [}\n' >bad.json
expect 2 "bad.json:2:" "$isoeps" account bad.json
expect 2 "" "$isoeps" account --noise-multiplier 1 --delta 1

expect 0 "done" "$isoeps" --quiet run "$source/suites/smoke.json" --only generator=independent --out run
expect 0 "run/report/index.html" "$isoeps" report run
for f in index.html report.md; do [ -s "run/report/$f" ] || bad "report did not write $f"; done
ls run/report/tables/*.csv run/report/tables/*.tex run/report/figures/*.gp >/dev/null 2>&1 || bad "report lacks tables or scripts"
grep -qE 'src="http|href="http|@import|url\(http' run/report/index.html && bad "the page reaches for the network"
expect 0 '"figures"' "$isoeps" report run --json
expect 2 '"pdf"' "$isoeps" report run --format pdf
expect 4 "nowhere" "$isoeps" report nowhere
expect 4 "" "$isoeps" report run --out /dev/null/x
finish
