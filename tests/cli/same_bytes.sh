#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same bytes on every CPU: all built-in generators, attacks and metrics under each instruction set that this machine has, and
# (cells "tiny" only, which are slow there) on an emulated CPU without AVX and FMA by qemu-x86_64, on 64-bit ARM, and under valgrind.  A leg
# whose program or CPU is missing is left out with a line that says so; the test is skipped if fewer than two ways are left.
. "$(dirname "$0")/lib.sh"
suite=$source/tests/data/same_bytes.json
legs=0
unset ISOEPS_ISA ISOEPS_GEMM OPENBLAS_CORETYPE

# leg DIRECTORY ISA COMMAND...: runs the suite; every record must name the instruction set, or the leg tested something else.
leg() {
	dir=$1 isa=$2
	shift 2
	count=$((count + 1))
	start=$(date +%s)
	"$@" --out "$work/$dir" >"$work/log" 2>&1 || { bad "$dir: $(tail -c 600 "$work/log")"; return; }
	other=$(grep -L "^		\"isa\": \"$isa\"" "$work/$dir"/cells/*.json | wc -l)
	[ "$other" -eq 0 ] || bad "$dir: $other records do not say isa $isa"
	bad_cells=$(grep -L '^	"status": "ok"' "$work/$dir"/cells/*.json | wc -l)
	[ "$bad_cells" -eq 0 ] || bad "$dir: $bad_cells cells failed"
	legs=$((legs + 1))
	echo "$dir: $(ls "$work/$dir/cells" | wc -l) records, $(($(date +%s) - start)) s"
}
equal() { # directory directory
	count=$((count + 1))
	"$same" "$work/$1" "$work/$2" >"$work/log" 2>&1 || bad "$1 and $2 differ: $(head -c 2000 "$work/log")"
}

# Asks the program what it would run as: an instruction set that the CPU lacks falls back to another with a warning.
has() { ! ISOEPS_ISA=$1 "$isoeps" run "$suite" --only generator=uniform --out "$work/probe" --force 2>&1 | grep -q "not available"; }

reference=
for isa in portable avx2 avx512; do
	if ! has "$isa"; then
		echo "$isa: left out, this CPU lacks it"
		continue
	fi
	leg "$isa" "$isa" env ISOEPS_ISA="$isa" "$isoeps" --quiet run "$suite" --jobs 2
	if [ -n "$reference" ]; then equal "$reference" "$isa"; else reference=$isa; fi
done

tiny="--only dataset=tiny --only dataset=tiny-wdbc --jobs 2"
# shellcheck disable=SC2086
leg tiny-portable portable env ISOEPS_ISA=portable "$isoeps" --quiet run "$suite" $tiny
if ! command -v qemu-x86_64 >/dev/null 2>&1 || ! qemu-x86_64 -cpu qemu64 "$isoeps" --version >/dev/null 2>&1; then
	echo "qemu: left out, qemu-x86_64 (Debian package qemu-user) is missing or does not run this program"
else
	# shellcheck disable=SC2086
	leg qemu portable qemu-x86_64 -cpu qemu64 "$isoeps" --quiet run "$suite" $tiny
	equal tiny-portable qemu
fi
if [ -z "${ISOEPS_ARM64:-}" ]; then
	echo "arm64: left out, ISOEPS_ARM64 does not hold the command of a program for it (cmake/aarch64-linux-gnu.cmake)"
else
	# shellcheck disable=SC2086
	leg arm64 portable $ISOEPS_ARM64 --quiet run "$suite" $tiny
	equal tiny-portable arm64
fi
if ! command -v valgrind >/dev/null 2>&1 || ! valgrind -q --tool=none "$isoeps" --version >/dev/null 2>&1; then
	echo "valgrind: left out, valgrind is missing or does not run this program"
else
	# valgrind's CPU has no AVX-512, and AVX2 where the machine has it
	valgrind_isa=portable
	has avx2 && valgrind_isa=avx2
	# shellcheck disable=SC2086
	leg valgrind "$valgrind_isa" valgrind -q --tool=none --trace-children=yes "$isoeps" --quiet run "$suite" $tiny
	equal tiny-portable valgrind
fi

# The comparison sees one changed sample or value.
cp -r "$work/tiny-portable" "$work/altered"
for f in "$work"/altered/cells/*.json; do
	sed 's/"auc": 0\.\([0-9]*\)/"auc": 0.1\1/' "$f" >"$work/half" && cp "$work/half" "$f"
done
expect 1 "the bytes differ" "$same" "$work/tiny-portable" "$work/altered"

if [ "$legs" -lt 3 ] && [ "$failed" -eq 0 ]; then # tiny-portable is portable again
	echo "only one way to run here"
	exit 77
fi
finish
