#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Audits in a suite: tasks of their own that train no cell, the same bytes for any number of jobs and whenever they are
# added, shared by data sets and seeds, and an exit status of 1 for a promise that they refute.
# Usage: audits.sh ISOEPS SAME SOURCE CLAIMS.so CLAIMS_LEAK.so
. "$(dirname "$0")/lib.sh"
cp "$5" leak.so

suite() { # file, generators, the rest
	cat >"$1" <<END
{"name": "audited", "datasets": [{"name": "sim-census", "options": {"rows": 120}}, "wdbc"], "seeds": 2, "epsilons": [1, 4], "accountant": "rdp",
 "generators": [$2], "attacks": [], "metrics": ["marginals"], "verify": false $3}
END
}
run() { "$isoeps" --quiet run "$@" --json; }
count_is() { # name, value: of the JSON in .out
	count=$((count + 1))
	grep -q "\"$1\": $2,*\$" "$work/.out" || bad "$1 is not $2: $(grep "\"$1\"" "$work/.out")"
}
methods='"independent", "uniform", "memorise"'
suite plain.json "$methods" ''
suite audited.json "$methods" ', "audits": {"runs": 40, "alpha": 0.01}'

expect 0 '"trained": 16' run plain.json --out late --jobs 1
expect 0 '"trained": 0' run audited.json --out late --jobs 2
count_is audited 4 # independent at two epsilons, uniform and memorise
count_is judged 0
count_is violated 0 # memorise promises nothing
expect 0 '"audited": 0' run audited.json --out late
count_is finished_before 16
expect 0 '"trained": 16' run audited.json --out early --jobs 1
expect 0 "0 differences" "$same" late early
[ "$(find early/audits -type f | wc -l)" -eq 4 ] || bad "audits: $(ls early/audits)"
[ -z "$(find early/audits -name '*.runs')" ] || bad "runs of finished audits are left"

# results.csv: a perfect attack on 40 runs bounds epsilon by ln((1 - x) / x), where x = 1 - (0.01 / 3 / 2)^(1/40) or so
for row in "memorise 1 4" "uniform 0 0.0001"; do
	set -- $row
	awk -F, -v m="$1" -v low="$2" -v high="$3" '$11 == "audited_epsilon" && $4 == m { n++; bad += !($12 >= low && $12 < high) }
		END { exit !(n == 4 && bad == 0) }' early/results.csv || bad "audited_epsilon of $1: $(grep "$1.*audited_epsilon" early/results.csv)"
	count=$((count + 1))
done
# runs of an interrupted audit are taken up again: an audit that is redone gives the same file
record=$(ls early/audits/*.json | head -1)
cp "$record" kept.json
rm "$record"
rm "$(grep -l '"audit"' early/cells/*.json | head -1)"
expect 0 '"done": 1,' run audited.json --out early
suite other.json "$methods" ', "audits": {"runs": 41}'
expect 0 '"audited": 4' run other.json --out early

# ------------------------------------------------------------------ a broken promise, and mistakes
suite leak.json '"claims"' ', "audits": {"runs": 40}'
expect 1 '"violated": 8' run leak.json --out leak --plugin ./leak.so
expect 1 '"violated": 8' run leak.json --out leak --plugin ./leak.so # nothing to do, and as bad as before
count_is audited 0
grep -q '"audit: the method does not keep its promise' leak/cells/*.json || bad "no caveat about the violation"
suite bad.json '"uniform"' ', "audits": {"runs": 5}'
expect 2 "audits" "$isoeps" run bad.json --out bad
suite bad.json '"uniform"' ', "audits": {"threshold": "best"}'
expect 2 '"best" is not one of fixed, hold-out and bonferroni' "$isoeps" run bad.json --out bad
suite bad.json '"uniform"' ', "audits": {"run": 50}'
expect 2 "runs" "$isoeps" run bad.json --out bad
finish
