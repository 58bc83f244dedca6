#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Hostile text in a suite, a schema and a table: no command runs, no file has a hidden or strange name, nothing acts on
# the terminal, and the suite's title and description stand escaped in the report.
. "$(dirname "$0")/lib.sh"

csi=$(printf '\302\233')31m
bidi=$(printf '\342\200\256')

cat >t.csv <<'EOF'
x,"c`touch PWN1`",y
1,"=1+1","$(touch PWN2)"
2,"<script>alert(1)</script>","|touch PWN3"
3,"=1+1","$(touch PWN2)"
4,"a'b","|touch PWN3"
EOF
for i in 1 2 3 4 5 6 7 8 9 10; do sed -n '2,5p' t.csv; done >more && cat more >>t.csv
cat >t.json <<'EOF'
{"name": "t", "columns": [
 {"name": "x", "type": "integer", "bounds": [0, 10]},
 {"name": "c`touch PWN1`", "type": "categorical", "categories": ["=1+1", "<script>alert(1)</script>", "a'b"]},
 {"name": "y", "type": "binary", "role": "label", "categories": ["$(touch PWN2)", "|touch PWN3"]}]}
EOF
cat >suite.json <<EOF
{"name": "h", "title": "t\`touch PWN4\`<script>alert(2)</script>", "description": "it's \"$bidi\" & $csi <b>",
 "datasets": [{"name": "d\`touch PWN5\`", "csv": "t.csv", "schema": "t.json"}],
 "generators": ["independent", {"name": "uniform", "label": "u\$(touch PWN6)'<x>"},
  {"name": "memorise", "label": "<touch PWN7"}],
 "epsilons": [1, 8], "attack_targets": 8, "attacks": ["gan-leaks"], "metrics": ["marginals"], "keep_samples": true}
EOF
expect 0 "" "$isoeps" run suite.json --out o
expect 0 "" "$isoeps" report o
expect 0 "" "$isoeps" status o
cp .out terminal
expect 0 "" "$isoeps" report o --json
cat .out >>terminal
[ -z "$(find . -name 'PWN*')" ] || bad "commands ran: $(find . -name 'PWN*')"
strange=$(find o/report | sed 's|.*/||' | grep -v '^[A-Za-z0-9][A-Za-z0-9._~-]*$')
[ -z "$strange" ] || bad "strange file names: $strange"
for f in o/report/index.html o/report/report.md; do
	grep -q 'touch PWN4' "$f" || bad "$f lacks the title"
	grep -q 'it.*s .*U+202E' "$f" || bad "$f lacks the description"
	grep -q '<script>alert' "$f" && bad "$f has a script of the suite"
done
# everything that people or programs read as text
find o/report o/results.csv -name '*.html' -o -name '*.md' -o -name '*.csv' -o -name '*.tex' -o -name '*.svg' -o -name '*.gp' |
	while read -r f; do
		LC_ALL=C grep -lq "$(printf '\302\233')\|$(printf '\342\200\256')\|$(printf '\033')" "$f" && echo "$f"
	done >acting
[ -s acting ] && bad "files with acting characters: $(cat acting)"
LC_ALL=C grep -q "$(printf '\302\233')\|$(printf '\342\200\256')\|$(printf '\033')" terminal && bad "the terminal output acts"
for f in o/report/tables/*.csv o/results.csv; do
	grep -q '\(^\|,\)"*[=@]' "$f" && bad "$f has a formula"
done

# labels that the rule refuses, with the reason
for label in '.hidden' '=1' '-2' '@SUM' "$bidi" "$csi" 'a|b'; do
	cat >bad.json <<EOF
{"name": "b", "datasets": [{"name": "wdbc", "label": "$label"}], "generators": ["uniform"]}
EOF
	expect 2 "bad label" "$isoeps" run bad.json --dry-run
	LC_ALL=C grep -q "$(printf '\302\233')\|$(printf '\342\200\256')" .out && bad "the error message acts"
done
finish
