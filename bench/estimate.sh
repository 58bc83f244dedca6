#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Is the estimate of --dry-run within 30 % of the time that a suite then takes?  On an idle machine.
# usage: bench/estimate.sh ISOEPS SUITE...
set -eu
isoeps=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
for suite; do
	"$isoeps" --quiet run "$suite" --out "$work/out" --dry-run --json >"$work/plan.json"
	start=$(date +%s%N)
	"$isoeps" --quiet run "$suite" --out "$work/out" >/dev/null
	end=$(date +%s%N)
	sed -n 's/^\t"estimate_seconds": *\([^,]*\),$/\1/p' "$work/plan.json" |
		awk -v suite="$suite" -v took="$(((end - start) / 1000000))" '{
			ratio = 1000 * $1 / took
			printf "%s: estimated %.1f s, took %.1f s, ratio %.2f\n", suite, $1, took / 1000, ratio
			exit !(ratio > 0.7 && ratio < 1.3) }' || failed=1
	rm -rf "$work/out"
done
exit "$failed"
