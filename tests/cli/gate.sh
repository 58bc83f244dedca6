#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The gate on results of real runs: green against itself, red for a method that leaks and for numbers that were
# changed, refusals, JUnit XML.
# Usage: gate.sh ISOEPS SAME SOURCE CLAIMS.so CLAIMS_LEAK.so
. "$(dirname "$0")/lib.sh"
cp "$4" claims.so
leak=$5

suite() { # file, epsilons, rows, the rest
	cat >"$1" <<END
{"name": "gated", "datasets": [{"name": "sim-census", "options": {"rows": $3}}], "seeds": 2, "epsilons": [$2], "accountant": "rdp",
 "generators": ["claims", "uniform"], "attacks": [{"name": "gan-leaks", "options": {"samples": 20}}], "metrics": ["marginals"],
 "attack_targets": 20, "keep": {"models": false} ${4:-}}
END
}
run() { # suite, directory, status
	"$isoeps" --quiet run "$1" --out "$2" --plugin ./claims.so >run.out 2>&1
	[ $? -eq "$3" ] || bad "run $1: $(tail -c 400 run.out)"
}
gate() { "$isoeps" gate "$@" --baseline base.json; }
valid() { # JUnit file, pattern
	count=$((count + 1))
	grep -q "$2" "$1" || bad "$1 lacks $2"
	command -v xmllint >/dev/null || return 0
	xmllint --noout --schema "$source/tests/cli/junit.xsd" "$1" 2>.xml || bad "$1: $(cat .xml)"
}

suite s.json 1 120
run s.json base 0
expect 2 "no baseline (gate)" "$isoeps" gate base
expect 2 "no baseline (base.json)" gate base
expect 0 "2 settings of gated are the baseline now" gate base --update
cp base.json first.json
expect 0 "baseline now" gate base --update
before() { sed '/^	"digest"/q' "$1"; }
[ "$(before first.json)" = "$(before base.json)" ] || bad "two baselines of one result set differ"

# ------------------------------------------------------------------ green
expect 0 "green: 0 worse" gate base --junit j.xml
valid j.xml 'failures="0" errors="0"'
expect 0 '"result": "green"' gate base --json
expect 0 "smallest visible change" gate base --every

# ------------------------------------------------------------------ refusals
suite other.json 2 120
run other.json eps 0
expect 2 "other epsilon (claims: sim-census, epsilon 1)" gate eps --junit j.xml
valid j.xml 'errors="1"'
suite other.json 1 130
run other.json data 0
expect 3 "other data (uniform" gate data
suite other.json 1 120 ', "verify": false'
run other.json unverified 0
expect 3 "unverified record (claims" gate unverified
expect 3 "unverified record (claims" gate unverified --update
expect 0 "green" gate base
cp -r base partial
rm "$(ls partial/cells/*.json | head -1)"
expect 2 "unfinished run (partial): 3 of 4 cells" gate partial
sed -i 's/"epsilon": 1/"epsilon": 2/' first.json
expect 3 "changed baseline (first.json: digest)" "$isoeps" gate base --baseline first.json

# ------------------------------------------------------------------ red
# A number changed by hand, the digest made anew: the ledger does not bear it out.
cp -r base edited
record=$(grep -l '"label": "claims"' edited/cells/*.json | head -1)
sed 's/"accounted_epsilon": [0-9.]*/"accounted_epsilon": 0.5/' "$record" >.record
cmp -s .record "$record" && bad "accounted_epsilon was not changed"
cp .record "$record"
expect 3 "damaged records (edited): 1 files" gate edited
at=$(grep -b '^	"digest"' "$record" | cut -d: -f1)
hash=$(head -c $((at - 1)) "$record" | sha256sum | cut -d' ' -f1)
sed "s/^	\"digest\": \"[0-9a-f]*\"/	\"digest\": \"$hash\"/" "$record" >.record
cp .record "$record"
expect 1 "0.5" gate edited --junit j.xml
valid j.xml 'errors="1"'

# The method as a branch that returns its rows would have it: refuted by run, red.
cp "$leak" claims.so
run s.json leaking 1
expect 1 "fail    claims verified (sim-census, epsilon 1): 1 before, 0 now: the promise" gate leaking --junit j.xml
valid j.xml 'failures="1"'
expect 1 "RED: 1 worse" gate leaking
expect 1 '"result": "red"' gate leaking --json
finish
