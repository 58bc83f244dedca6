#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same bytes from every instruction set that the machine has, and from the portable kernels.
. "$(dirname "$0")/lib.sh"
suite=$quick

ISOEPS_ISA=portable "$isoeps" --quiet run "$suite" --out "$work/portable" >"$work/log" 2>&1 || bad "portable: $(cat "$work/log")"
for isa in avx2 avx512; do
	grep -qw "${isa}f\|${isa}" /proc/cpuinfo || { echo "no $isa here"; continue; }
	ISOEPS_ISA=$isa "$isoeps" --quiet run "$suite" --out "$work/$isa" >"$work/log" 2>&1 || bad "$isa: $(cat "$work/log")"
	count=$((count + 1))
	grep -q "\"isa\": \"$isa\"" "$work/$isa"/cells/*.json || bad "$isa was asked for and not used"
	expect 0 "0 differences" "$same" "$work/portable" "$work/$isa"
done
[ "$count" -gt 0 ] || { echo "skipped: this machine has neither AVX2 nor AVX-512, so there is nothing to compare"; exit 77; }
finish
