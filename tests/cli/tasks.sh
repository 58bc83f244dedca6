#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Trained once, judged many times: what is added to a finished suite costs itself and nothing else, and the records are those of a
# suite that had everything from the start, byte for byte.
. "$(dirname "$0")/lib.sh"

suite() { # file, attacks, attack_targets, the rest
	cat >"$1" <<END
{"name": "tasks", "datasets": [{"name": "sim-census", "options": {"rows": 200}}], "seeds": 1, "epsilons": [2], "accountant": "rdp",
 "generators": [{"name": "cgan", "options": {"steps": 3}}, {"name": "dp-cgan", "options": {"steps": 3}},
	{"name": "vae", "options": {"epochs": 1}}, "memorise", "independent"],
 "attacks": [$2], "metrics": ["marginals"], "attack_targets": $3, "keep_samples": 5 ${4:-}}
END
}
# counts FILE DIR WANT: trained, judged, reused and failed of a run
counts() {
	count=$((count + 1))
	"$isoeps" --quiet run "$1" --out "$2" --jobs 2 --json >.json 2>&1 || bad "run $1: $(head -c 300 .json)"
	got=
	for key in trained judged reused failed; do
		got="$got$key $(sed -n "s/^	\"$key\": \([0-9]*\),*/\1/p" .json) "
	done
	[ "$got" = "$3 " ] || bad "$1 into $2: $got, expected $3"
}
equal() {
	count=$((count + 1))
	"$same" "$1" "$2" >.log 2>&1 || bad "$1 and $2 differ: $(head -c 1000 .log)"
}
leaks='{"name": "gan-leaks", "options": {"samples": 50}}'
suite one.json "$leaks" 20
suite two.json "$leaks, \"logan-wb\"" 20
suite more.json "$leaks, \"logan-wb\"" 15
suite bare.json "$leaks" 20 ', "keep": {"models": false}'

counts one.json a "trained 5 judged 10 reused 0 failed 0"
counts one.json a "trained 0 judged 0 reused 15 failed 0"
counts two.json a "trained 0 judged 5 reused 15 failed 0"
counts two.json b "trained 5 judged 15 reused 0 failed 0"
equal a b
# Another number of targets: the attacks again, the metrics and the trainings not.
counts more.json a "trained 0 judged 10 reused 10 failed 0"
counts more.json c "trained 5 judged 15 reused 0 failed 0"
equal a c
# An attack less: nothing is done, and the record is that of the smaller suite.
counts one.json b "trained 0 judged 0 reused 15 failed 0"
"$isoeps" --quiet run one.json --out d >/dev/null 2>&1
equal b d

# What is missing is made again.
rm d/samples/*
counts one.json d "trained 0 judged 0 reused 15 failed 0"
equal b d
f=$(ls d/models | head -n 1)
rm "d/models/$f"
counts one.json d "trained 0 judged 0 reused 15 failed 0"
counts two.json d "trained 1 judged 5 reused 14 failed 0"
printf x >>"d/models/$(ls d/models | tail -n 1)" # damaged: noticed by its hash
rm "d/cells/$(ls d/models | tail -n 1).json"
counts two.json d "trained 1 judged 3 reused 16 failed 0"
counts two.json e "trained 5 judged 15 reused 0 failed 0"
equal d e
# Without models a new attack costs the trainings.
counts bare.json g "trained 5 judged 10 reused 0 failed 0"
[ -z "$(ls g/models)" ] || bad "models are kept although the suite says not to"
counts one.json g "trained 0 judged 0 reused 15 failed 0"

# The model of a method that promises nothing may hold rows: it is its owner's.
for f in a/models/*; do
	k=$(basename "$f")
	case $(sed -n 's/^	"guarantee": "\(.*\)",/\1/p' "a/cells/$k.json") in
	none) [ "$(stat -c %a "$f")" = 600 ] || bad "$f of a method without guarantee is readable by others" ;;
	esac
	count=$((count + 1))
done

# results.csv follows the records.
rm a/results.csv
expect 0 "5 of 5 cells done" "$isoeps" status a
[ -s a/results.csv ] || bad "status does not renew results.csv"
head -n 1 a/results.csv | grep -q ',adjacency,accountant,n,claimed_epsilon,verified,status$' || bad "columns of results.csv"

# An edit of a record is noticed by every reader, whatever was edited, and the cell is done again.
f=a/cells/$(ls a/cells | head -n 1)
for edit in 's/"value": 0\.\([0-9]*\)/"value": 0.9\1/' 's/^	"label": "/&x/' 's/"truth": \[0/"truth": [1/' 's/"truth": \[1/"truth": [0/' \
	's/"noise": \([0-9]\)/"noise": 9\1/' 's/^	"verified": ".*"/	"verified": "none"/' '/^	"digest"/d'; do
	cp "$f" keep.json
	sed "$edit" keep.json >"$f"
	cmp -s keep.json "$f" && continue
	expect 1 "damaged record" "$isoeps" status a
	cp keep.json "$f"
done
sed 's/"total_seconds": [0-9]/"total_seconds": 9/' keep.json >"$f" # "run" may differ
expect 0 "5 of 5 cells done" "$isoeps" status a
# The case of the field: another program writes the file anew, with other numbers.
if command -v python3 >/dev/null 2>&1; then
	python3 -c "
import json, sys
r = json.load(open(sys.argv[1])); r['metrics'][0]['value'] = 0.999; json.dump(r, open(sys.argv[1], 'w'))" "$f"
	expect 1 "1 damaged files" "$isoeps" status a
fi
# Two records that changed places, a pipe, a link.
set -- a/cells/*
mv "$1" x && mv "$2" "$1" && mv x "$2"
expect 1 "its key is" "$isoeps" status a
counts more.json a "trained 0 judged 6 reused 14 failed 0"
equal a c
rm "$1" && mkfifo "$1"
expect 1 "not a regular file" timeout 10 "$isoeps" status a
echo untouched >outside
rm "$2" && ln -s ../../outside "$2"
"$isoeps" --quiet run more.json --out a >/dev/null 2>&1
[ "$(cat outside)" = untouched ] || bad "a link was written through"
equal a c

# Everything that can be computed again is, and holds.
expect 0 "5 records hold, 0 do not, 0 are of other data or code" "$isoeps" check c

# The page and the tables show what verification found: independent was verified, cgan promises nothing.
expect 0 "5 records" "$isoeps" report c --format md --out page
grep -q '^| independent .*| dp, verified' page/report.md || bad "the page does not show the verdict of independent"
! grep -q 'dp, claimed' page/report.md || bad "the page calls a verified promise claimed"

# One writer at a time; temporary files of dead writers go.
: >"a/cells/.x.json.999999999-1.tmp"
flock -x a/.lock sleep 3 &
sleep 0.5
expect 4 "another run is writing there" "$isoeps" run more.json --out a
wait
expect 0 "5 done before" "$isoeps" run more.json --out a
[ ! -e "a/cells/.x.json.999999999-1.tmp" ] || bad "a temporary file of a dead run is left"
finish
