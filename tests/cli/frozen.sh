#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The frozen numbers: every value of results.csv, the tables of the report and a figure's data, character by character as in
# tests/data/frozen (its renew.sh says when they may change), under every instruction set of the machine.  Costs and keys are left out.
. "$(dirname "$0")/lib.sh"
frozen=$source/tests/data/frozen
unset ISOEPS_ISA ISOEPS_GEMM OPENBLAS_CORETYPE

# check ISA SUITE: the suite's files, each against the frozen one.
check() {
	isa=$1 suite=$2
	out=$work/$isa
	mkdir -p "$out"
	ISOEPS_ISA=$isa sh "$frozen/measure.sh" "$isoeps" "$suite" "$out/$suite" "$out" >"$out.log" 2>&1 || { bad "$isa, $suite: $(head -c 2000 "$out.log")"; return; }
	other=$(grep -L "\"isa\": \"$isa\"" "$out/$suite"/cells/*.json | wc -l)
	[ "$other" -eq 0 ] || bad "$isa, $suite: $other records do not say isa $isa"
	for kept in "$frozen/$suite".*.txt; do
		count=$((count + 1))
		diff -U0 "$kept" "$out/$(basename "$kept")" >"$work/.diff" 2>&1 ||
			bad "$isa: $(basename "$kept") has $(grep -c '^[-+][^-+]' "$work/.diff") lines that differ (- frozen, + now): $(sed 1,2d "$work/.diff" | head -c 1500)"
	done
}

for isa in portable avx2 avx512; do
	case $isa in avx512) flag=avx512f ;; *) flag=$isa ;; esac
	if [ "$isa" != portable ] && ! grep -qw "$flag" /proc/cpuinfo; then
		echo "$isa: left out, this CPU lacks it"
		continue
	fi
	check "$isa" add-remove
	check "$isa" replace-one
done
check portable verified # takes a second or two, whatever the instruction set

# The comparison is one of values: as many as there are records, and one changed digit is seen.
lines=$(cat "$frozen"/*.results.txt | grep -c '^\(privacy\|metric\|attack\),')
[ "$lines" -gt 1000 ] || bad "only $lines values are frozen"
sed '0,/gan-leaks.auc,0\.\([0-8]\)/s//gan-leaks.auc,0.9\1/' "$work/portable/add-remove/results.csv" >"$work/results.csv"
awk -f "$frozen/distil.awk" "$work/results.csv" >"$work/changed.txt"
expect 1 "gan-leaks.auc" diff "$work/portable/add-remove.results.txt" "$work/changed.txt"
finish
