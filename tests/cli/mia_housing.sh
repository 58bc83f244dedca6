#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The default battery on a published example: California housing, 200 members, non-members, reference
# and synthetic rows.  Floors: the areas of a public attack library on the same files, minus .03, and .76
# for the best attack.  Skipped where the files are absent.
. "$(dirname "$0")/lib.sh"
data=${ISOEPS_DATA:-$source/../shared/data}/mia-housing
[ -r "$data/mem.csv" ] || { echo "skipped: $data is absent"; exit 77; }

{
	cat "$data/mem.csv"
	for f in non_mem ref synth; do tail -n +2 "$data/$f.csv"; done
} >all.csv
expect 0 "" "$isoeps" schema infer all.csv --out all.json
"$isoeps" evaluate --train "$data/mem.csv" --holdout "$data/non_mem.csv" --aux "$data/ref.csv" \
	--synthetic "$data/synth.csv" --schema all.json --metrics "" >table.txt 2>err.txt ||
	bad "evaluate failed: $(cat err.txt)"
"$isoeps" evaluate --train "$data/mem.csv" --holdout "$data/non_mem.csv" --aux "$data/ref.csv" \
	--synthetic "$data/synth.csv" --schema all.json --metrics "" \
	--attacks gan-leaks:calibrated=true >calibrated.txt 2>err.txt || bad "evaluate failed: $(cat err.txt)"

floor() { # file, attack, least area
	count=$((count + 1))
	awk -v name="$2" -v least="$3" 'index($1, name) == 1 { n++; if (!($2 + 0 >= least)) exit 1 }
		END { exit n != 1 }' "$1" || bad "$2: $(grep "^$2" "$1") is below $3"
}
floor table.txt gan-leaks .7600
floor table.txt monte-carlo .6549
floor table.txt gen-lra .6181
floor table.txt classifier .6169
floor table.txt density .6130
floor table.txt domias .6085
floor table.txt local-neighbourhood .5648
floor table.txt plagiarism-index .5387
floor calibrated.txt gan-leaks .7068
finish
