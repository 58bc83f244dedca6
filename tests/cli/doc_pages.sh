#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every command that a page of docs/ prints is one that the program takes: those of the first steps are run, in order; of
# the others verb, options and operands are read, up to an option behind them that there is not.
. "$(dirname "$0")/lib.sh"
mkdir -p build && ln -s "$isoeps" build/isoeps && ln -s "$source/examples" examples

# code blocks of a page as logical lines (a backslash joins), without prompt and comment
commands() {
	awk '/^```/ { on = !on; next } on { sub(/^\$ /, ""); while (sub(/\\$/, "")) { getline more; $0 = $0 more } print }' "$1" |
		sed 's/  *#.*//' | grep -E '^(ISOEPS_DATA=\.\.\. )?(build/)?isoeps ' | sed 's/^ISOEPS_DATA=... //; s|^build/||'
}

# First steps: the table that the page makes, its schema and suite, then its commands.
page=$source/docs/first-steps.md
awk '/^python3 - >people.csv/ { on = 1 } on { print } /^END$/ { on = 0 }' "$page" >make.sh
sh make.sh || bad "the page's table cannot be made"
[ "$(wc -l <people.csv)" -eq 601 ] || bad "people.csv has $(wc -l <people.csv) lines"
awk '/^```json/ { n++; on = 1; next } /^```/ { on = 0 } on { print > ("block-" n ".json") }' "$page"
cp block-2.json people-suite.json
commands "$page" >lines.txt
[ "$(wc -l <lines.txt)" -ge 10 ] || bad "first-steps.md has only $(wc -l <lines.txt) commands"
quick="--seeds 1 --epsilon 1 --methods independent --attacks gan-leaks --metrics marginals --out compared"
while read -r line; do
	case $line in
	*" compare "*) line="$line $quick" ;;
	*" schema check "*) cp block-1.json people.json ;; # the edit that the page asks for
	*" run "*" --dry-run"*) line="$line --only generator=uniform --only seed=1" ;;
	*" run "*) line="$line --only generator=uniform --only generator=memorise --only seed=1" ;;
	*" report "*) line="$line --format md" ;;
	*" explain "*) line=$(echo "$line" | sed "s/ [0-9a-f]*$/ $(ls out/people/cells | head -n 1 | cut -c1-6)/") ;;
	*" evaluate "*) line=$(echo "$line" | sed 's/ s\.csv/ synthetic.csv/; s/gan-leaks,domias/gan-leaks/') ;;
	esac
	expect 0 "" sh -c "build/$line"
done <lines.txt

# The other pages: what is refused must be the option behind everything else.
for page in "$source"/docs/*.md "$source"/docs/methods/README.md "$source/README.md"; do
	case $page in *first-steps.md) continue ;; esac
	commands "$page" >lines.txt
	while read -r line; do
		case $line in *" || "*) line=${line%% || *} ;; *" && "*) line=${line%% && *} ;; *" | "*) line=${line%% | *} ;; *" > "*) line=${line%% > *} ;; esac
		line=$(echo "$line" | sed 's/ \[.*//; s/ \.\.\.$//')
		expect 2 "unknown option (--no-such-option)" sh -c "build/$line --no-such-option"
	done <lines.txt
done
[ "$count" -ge 35 ] || bad "only $count commands were found"

# JSON of every page parses: each as the schema, suite, data set or event that it is.
for page in "$source"/docs/*.md; do
	awk -v base="json-$(basename "$page" .md)" '/^```json/ { n++; on = 1; next } /^```/ { on = 0 } on { print > (base "-" n ".json") }' "$page"
done
# the schema that schema.md shows is one
awk '/^```text/ { on = 1; next } /^```/ { on = 0 } on' "$source/docs/schema.md" >clinic.json
expect 0 "schema clinic: 4 columns, label ill" "$isoeps" schema check clinic.json
# its private schema, in a suite of its own
sed 's/^/{"name": "p", "generators": ["uniform"], "epsilons": [1], "attacks": [], "metrics": [], "verify": false, "datasets": [/; s/$/]}/' \
	json-schema-1.json | sed 's/"patient": "id"/"age": "integer"/' >private.json
cp people.csv mine.csv
expect 0 "1 done now" "$isoeps" run private.json --out private
finish
