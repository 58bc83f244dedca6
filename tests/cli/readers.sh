#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# results.csv as users of pandas and of R read it (examples/read_results.*): both give the means that awk gives.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3 # Debian's own; another one in PATH does not see its packages
have_python=0 have_r=0
"$python" -c 'import pandas' 2>/dev/null && have_python=1
command -v Rscript >/dev/null 2>&1 && have_r=1
[ $have_python$have_r != 00 ] || { echo "skipped: neither python3-pandas nor r-base-core is installed"; exit 77; }

cat >suite.json <<'END'
{"name": "r", "datasets": ["wdbc"], "generators": ["independent", "memorise"], "epsilons": [1, 8], "seeds": 4, "verify": false,
 "attacks": ["gan-leaks"], "metrics": ["marginals"]}
END
expect 0 "12 done now" "$isoeps" --quiet run suite.json --out out
# mean and half-width (t with 3 degrees of freedom: 3.182) by method and epsilon
awk -F, '$11 == "marginals.tvd1_mean" { k = $4 "," $7; n[k]++; s[k] += $12; q[k] += $12 * $12 }
END { for (k in n) printf "%s,%.4f,%.4f\n", k, s[k] / n[k], 3.182 * sqrt((q[k] - s[k] * s[k] / n[k]) / 3 / n[k]) }' out/results.csv |
	sort >want.txt
[ "$(wc -l <want.txt)" -eq 3 ] || bad "three settings are wanted: $(cat want.txt)"
compare() { # FILE
	count=$((count + 1))
	awk -F, 'NR > 1 { e = tolower($3); printf "%s,%s,%.4f,%.4f\n", $2, e == "inf" ? e : e + 0, $5, $6 }' "$1" | sort >got.txt
	awk -F, 'function far(a, b) { return a - b > 0.0002 || b - a > 0.0002 }
		NR == FNR { w[$1 "," $2] = $3; h[$1 "," $2] = $4; next }
		{ k = $1 "," $2; if (!(k in w) || far(w[k], $3) || far(h[k], $4)) { print; bad = 1 } } END { exit bad || FNR != 3 }' want.txt got.txt ||
		bad "$1: $(cat got.txt), expected $(cat want.txt)"
	grep -q '^wdbc,memorise,[Ii]nf,4,0[.0]*,.*,1[.0]*,[Ii]nf$' "$1" || bad "$1: the copy is not caught: $(cat "$1")"
}
if [ $have_python = 1 ]; then
	"$python" "$source/examples/read_results.py" out marginals.tvd1_mean >python.csv || bad "read_results.py failed"
	compare python.csv
	expect 1 "there are: marginals.floor.tvd1_mean" "$python" "$source/examples/read_results.py" out nothing
fi
if [ $have_r = 1 ]; then
	Rscript "$source/examples/read_results.R" out marginals.tvd1_mean >r.csv || bad "read_results.R failed"
	compare r.csv
	expect 1 "there are: marginals.floor.tvd1_mean" Rscript "$source/examples/read_results.R" out nothing
fi
finish
