#!/bin/sh
# Noisy one-way marginals of a table of categories, in shell and awk: each column's counts get two-sided geometric
# noise (the discrete Laplace mechanism), and every column is drawn from its own.  ledger.jsonl says what that costs.
set -eu
number() { sed -n "s/.*\"$1\": *\([0-9.eE+-]*\).*/\1/p" request.json; }
rows=$(number rows) epsilon=$(number epsilon) seed=$(number seed)
moves=1 # a record more or less moves one count of a column; a replaced one moves two
grep -q '"replace-one"' request.json && moves=2
[ -n "$epsilon" ] || { echo "this program needs an epsilon" >&2; exit 1; }

# the public categories of each column, one line a column: name,category,category,...
tr -d '\n\t' <schema.json | sed 's/"columns"/\n/; s/{"name"/\n{"name"/g' |
	sed -n 's/^{"name": *"\([^"]*\)".*"categories": *\[\([^]]*\)\].*/\1,\2/p' | sed 's/" *, *"/,/g; s/"//g' >domains

awk -F, -v rows="$rows" -v epsilon="$epsilon" -v seed="$seed" -v moves="$moves" '
function geometric(p, n) { # failures before the first success
	n = 0
	while (rand() > p) n++
	return n
}
BEGIN { srand(seed % 2147483647) }
FILENAME == "domains" { for (i = 2; i <= NF; i++) domain[$1, i - 1] = $i; size[$1] = NF - 1; next }
FNR == 1 { columns = NF; for (c = 1; c <= NF; c++) name[c] = $c; next }
{ for (c = 1; c <= NF; c++) count[name[c], $c]++ }
END {
	p = 1 - exp(-epsilon / columns / moves)
	for (c = 1; c <= columns; c++) {
		k = name[c]
		if (!size[k]) { print "column " k " has no list of categories" > "/dev/stderr"; exit 1 }
		for (i = 1; i <= size[k]; i++) {
			noisy = count[k, domain[k, i]] + geometric(p) - geometric(p)
			total[k] += weight[k, i] = noisy > 0 ? noisy : 0
		}
		printf "{\"why\": \"%s\", \"mechanism\": \"pure\", \"epsilon\": %.17g}\n", k, epsilon / columns > "ledger.jsonl"
	}
	for (c = 1; c <= columns; c++) printf "%s%s", name[c], c < columns ? "," : "\n"
	for (r = 1; r <= rows; r++)
		for (c = 1; c <= columns; c++) {
			k = name[c]
			u = rand() * (total[k] > 0 ? total[k] : size[k])
			for (i = 1; i < size[k]; i++) {
				u -= total[k] > 0 ? weight[k, i] : 1
				if (u < 0) break
			}
			printf "%s%s", domain[k, i], c < columns ? "," : "\n"
		}
}' domains train.csv >synthetic.csv
