#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A claim of differential privacy is tried by `run`, and every output says what became of it.
# Usage: claims.sh ISOEPS SAME SOURCE CLAIMS.so CLAIMS_NEXT.so
. "$(dirname "$0")/lib.sh"
first=$4
next=$5
cp "$first" claims.so

suite() { # file, generators, the rest
	cat >"$1" <<END
{"name": "claims", "datasets": [{"name": "sim-census", "options": {"rows": 600}}], "seeds": 2, "epsilons": [1], "accountant": "rdp",
 "generators": [$2], "attacks": [{"name": "gan-leaks", "options": {"samples": 300}}], "metrics": ["marginals"],
 "attack_targets": 150 ${3:-}}
END
}
has() { # file, pattern
	count=$((count + 1))
	grep -qE -e "$2" "$1" || bad "$1 lacks \"$2\": $(head -c 400 "$1")"
}
hasnot() {
	count=$((count + 1))
	! grep -qE -e "$2" "$1" || bad "$1 has \"$2\": $(grep -E -m 1 -e "$2" "$1" | head -c 300)"
}
# labels DIR WHAT-THE-TABLES-SAY RESULTS-WORD VERDICT: of a directory with one method
labels() {
	"$isoeps" --quiet report "$1" --format html,md,csv >/dev/null 2>&1 || bad "report $1 failed"
	for row in $(awk -F, 'NR > 1 { print $6 "/" $20 }' "$1/results.csv" | sort -u); do
		[ "$row" = "$3/$4" ] || bad "$1/results.csv: $row, expected $3/$4"
	done
	awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "verdict") k = i } NR > 1 { print $k }' "$1/summary.csv" >.verdicts
	[ "$(sort -u .verdicts)" = "$4" ] || bad "$1/summary.csv: verdict $(cat .verdicts), expected $4"
	has "$1/report/index.html" "<td[^>]*>$2<"
	has "$1/report/report.md" "\| $2 +\|"
	grep -l . "$1"/report/tables/*.csv | xargs cat >.tables
	has .tables "$2"
	for other in "dp, verified" "dp, claimed" "dp, claimed, warning" "refuted" "refuted, warning"; do
		[ "$other" = "$2" ] || hasnot "$1/report/report.md" "\| $other +\|"
	done
	count=$((count + 2))
}

# ------------------------------------------------------------------ refuted, verified, claimed
suite cheat.json '{"name": "claims", "label": "cheat", "options": {"does": "copy"}}'
expect 1 "refuted: 2 cells" "$isoeps" run cheat.json --out cheat --plugin ./claims.so
has .out "cheat .*refuted"
labels cheat "refuted, warning" refuted refuted
has cheat/report/report.md "privacy claim of cheat was REFUTED"
has cheat/report/index.html "privacy claim of cheat was REFUTED"
expect 1 '"refuted": 2' "$isoeps" --quiet run cheat.json --out cheat --plugin ./claims.so --json
has .out '"finished_before": 2'

suite honest.json '{"name": "claims", "label": "honest"}'
expect 0 "2 done now" "$isoeps" run honest.json --out honest --plugin ./claims.so
has .out "honest .* dp "
labels honest "dp, verified" dp verified
suite builtin.json '"independent"'
expect 0 "2 done now" "$isoeps" run builtin.json --out builtin
labels builtin "dp, verified" dp verified

suite untried.json '{"name": "claims", "label": "cheat", "options": {"does": "copy"}}' ', "verify": false'
expect 0 "2 done now" "$isoeps" run untried.json --out untried --plugin ./claims.so
has .out "cheat .*claimed"
labels untried "dp, claimed, warning" claimed claimed

# ------------------------------------------------------------------ an attack beyond what epsilon allows
# A copy of 150 of 150 members: advantage 1, at least 1 - 2 sqrt(ln(80) / 300) = 0.758; epsilon 1 allows (e - 1) / (e + 1) = 0.462.
for cell in untried/cells/*.json cheat/cells/*.json; do
	has "$cell" 'warning: the membership advantage of gan-leaks is at least 0\.[67][0-9]* .*epsilon (1|0\.9[0-9]*) .* allows 0\.4[56][0-9]* '
done
has untried/report/report.md "Warning: membership attacks on cheat succeed beyond"
has untried/report/index.html "warning: the membership advantage of gan-leaks"
for cell in honest/cells/*.json builtin/cells/*.json; do
	hasnot "$cell" 'warning: the membership'
done

# ------------------------------------------------------------------ edits that pass by omission
# redigest FILE: the digest that a careful forger would write (results/README.md: the bytes up to its own line)
redigest() {
	n=$(grep -n '^	"digest": ' "$1" | cut -d : -f 1)
	head -n $((n - 1)) "$1" | head -c -1 >.head
	sum=$(sha256sum <.head | cut -c 1-64)
	sed "${n}s/\"digest\": \"[0-9a-f]*\"/\"digest\": \"$sum\"/" "$1" >.new
	mv .new "$1"
}
expect 0 " 0 not, " "$isoeps" verify builtin --ledger
f=builtin/cells/$(ls builtin/cells | head -n 1)
cp "$f" keep.json
redigest "$f"
cmp -s "$f" keep.json || bad "the test's digest is not that of the program"
# edit SED-SCRIPT WORDS: fails, with the digest of the edit too
edit() {
	sed "$1" keep.json >"$f"
	cmp -s "$f" keep.json && bad "$1 edits nothing"
	expect 1 "$2" "$isoeps" verify builtin --ledger
	expect 1 "1 damaged files" "$isoeps" check builtin
	redigest "$f"
	expect 1 "$2" "$isoeps" verify builtin --ledger
	expect 1 "$2" "$isoeps" check builtin
	cp keep.json "$f"
}
ledger='/^	"ledger": \[/,/^	\]/'
for name in rdp rdp_classic moments; do
	edit "s/^\(		*\"$name\": \)[^,]*/\1null/" "epsilon missing"
done
edit '/^		*"rdp_classic": /d' "rdp_classic"
edit 's/^\(		*"accounted_epsilon": \)[0-9.e-]*/\10.5/' "not borne out"
edit "$ledger{s/\"noise\": [0-9.e-]*/\"noise\": 0.001/}" "not borne out"
empty="$ledger{/^		{/,/^		}/d}"
edit "$empty" "not borne out"
# No ledger, and the numbers that go with it.
numbers='^\(		*"\(lower\|upper\|rdp\|rdp_classic\|moments\|gdp\|accounted_epsilon\)": \)[^,]*'
edit "$empty
s/$numbers/\\10/" "empty ledger"
expect 0 " 0 not, " "$isoeps" verify builtin --ledger

# ------------------------------------------------------------------ results.csv follows the records
cp builtin/results.csv right.csv
sed 1d right.csv >builtin/results.csv
expect 0 "" "$isoeps" report builtin --format md
cmp -s builtin/results.csv right.csv || bad "report does not renew results.csv"
before=$(stat -c %i.%Y builtin/results.csv)
expect 0 "" "$isoeps" report builtin --format md
[ "$(stat -c %i.%Y builtin/results.csv)" = "$before" ] || bad "report writes results.csv although it is right"

# ------------------------------------------------------------------ another version under the same name
keys() { # the cells that results.csv counts
	awk -F, 'NR > 1 { print $1 }' "$1/results.csv" | sort -u
}
keys honest >old.keys
cp "$next" claims.so
expect 0 "2 done now, 0 done before" "$isoeps" run honest.json --out honest --plugin ./claims.so
has .out "2 trained, 4 judged, 0 reused"
has .out "2 records made by other code left out"
keys honest >new.keys
[ "$(sort old.keys new.keys | uniq | wc -l)" -eq 4 ] || bad "a record of the old code is counted: $(cat old.keys new.keys)"
count=$((count + 1))
labels honest "dp, verified" dp verified
has honest/report/report.md "Left out: 2 records made by other code"
has honest/report/index.html "2 records made by other code"
# One row of two seeds: nothing of the old code is in a mean.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "seeds") k = i } NR > 1 { print $k }' honest/summary.csv >.seeds
[ "$(cat .seeds)" = 2 ] || bad "summary.csv has seeds $(cat .seeds), expected one row of 2"
count=$((count + 1))
expect 0 "2 made by other code (left out)" "$isoeps" status honest
expect 0 "0 do not, 2 are of other data or code" "$isoeps" check honest --plugin ./claims.so
# The first version again: its records are still there, and nothing is trained.
cp "$first" claims.so
expect 0 "0 done now, 2 done before" "$isoeps" run honest.json --out honest --plugin ./claims.so
keys honest | cmp -s - old.keys || bad "results.csv does not follow the code"
# ------------------------------------------------------------------ generate
cat >own.json <<'END'
{"name": "own", "columns": [{"name": "a", "type": "integer", "bounds": [0, 6]}, {"name": "b", "type": "categorical", "categories": ["0", "1", "2"]}]}
END
{ echo a,b; for i in 1 2 3 4 5 6; do for j in 0 1 2 3 4 5 6; do echo "$j,$(((i + j) % 3))"; done; done; } >own.csv
cp "$first" claims.so
make() { "$isoeps" generate claims --plugin ./claims.so --data own.csv --schema own.json --epsilon 1 --rows 4 --out rows.csv "$@"; }
expect 0 "guarantee claimed; accounted epsilon 1" make
has .out "promise claimed by the plug-in, and not verified in this run"
expect 0 "guarantee dp; accounted epsilon 1" make --verify
has .out "promise verified: no private data flowed around the ledger on [0-9]+ neighbouring tables"
expect 0 '"verified": "verified"' make --verify --json
rm rows.csv
expect 1 "promise refuted (claims: output)" make --verify --set does=copy
[ ! -e rows.csv ] || bad "rows of a refuted promise were written"
expect 0 "promise verified" "$isoeps" generate independent --data own.csv --schema own.json --epsilon 1 --rows 4 --out rows.csv --verify

finish
