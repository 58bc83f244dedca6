#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: measure.sh ISOEPS SUITE DIR OUT: runs a suite of this folder into DIR and writes OUT/SUITE.{results,report,figure}.txt,
# the numbers that are frozen.  The figure (privacy against utility) is drawn for add-remove only.
set -eu
isoeps=$1 suite=$2 dir=$3 out=$4
here=$(cd "$(dirname "$0")" && pwd)
formats=md
[ "$suite" != add-remove ] || formats=md,figures
"$isoeps" --quiet run "$here/$suite.json" --out "$dir" >"$dir.log" 2>&1 || { cat "$dir.log"; exit 1; }
"$isoeps" --quiet report "$dir" --format "$formats" >"$dir.log" 2>&1 || { cat "$dir.log"; exit 1; }
awk -f "$here/distil.awk" "$dir/results.csv" >"$out/$suite.results.txt"
awk -f "$here/distil.awk" "$dir/report/report.md" >"$out/$suite.report.txt"
[ "$suite" != add-remove ] || awk -f "$here/distil.awk" "$dir/report/figures/people-privacy-utility.csv" >"$out/$suite.figure.txt"
