#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The frozen values of the quick study: whole, what docs/findings.md says, and what the program gives today.
. "$(dirname "$0")/lib.sh"

ref=$source/results/reference/equal-epsilon-quick
values=$ref/values.csv
expect 0 "\"values_sha256\": \"$(sha256sum "$values" | cut -d ' ' -f 1)\"" cat "$ref/provenance.json"
if command -v perl >/dev/null 2>&1; then
	perl "$source/results/reference/findings.pl" "$values" >findings.md || bad "findings.pl failed"
	cmp -s findings.md "$source/docs/findings.md" || bad "docs/findings.md is not what the frozen values say: results/reference/findings.pl writes it"
fi

# Methods that take a moment, trained again: the values must be the frozen ones.
sed 's/"accountant": "rdp",/"accountant": "rdp", "verify": false,/' "$source/suites/equal-epsilon-quick.json" >suite.json
set --
for g in naive-bayes independent uniform mst privbayes dp-copula dp-em; do set -- "$@" --only "generator=$g"; done
expect 0 "" "$isoeps" run suite.json --out o --only dataset=wdbc --only seed=1 --only epsilon=1 --only epsilon=inf "$@"
expect 0 "" "$isoeps" check o
awk -F, '
	FNR == 1 && NR > 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
	NR == FNR { if (FNR > 1) want[$2 "," $3 "," $5 "," $6 "," $7] = $8; next }
	{
		k = $at["dataset"] "," $at["generator"] "," $at["epsilon"] "," $at["seed"] "," $at["name"]
		if (!(k in want)) next
		n++
		if (sprintf("%.6g", $at["value"]) != want[k] && $at["value"] != want[k]) { print k ": " $at["value"] ", frozen " want[k]; bad = 1 }
	}
	END { if (n < 40) { print n + 0 " values compared"; bad = 1 } exit bad }' "$values" o/results.csv >compared ||
	bad "values moved; a commit that says why renews them with results/reference/renew.sh: $(head -n 5 compared)"
finish
