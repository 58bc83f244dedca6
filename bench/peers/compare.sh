#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# isoeps beside PyTorch and scikit-learn, alternated on one core, as one table of ratios.
#
#   bench/peers/compare.sh [--quick] [BUILD]      BUILD holds isoeps-bench; default build
#
# Needs Debian's python3-torch and python3-sklearn; a peer that is missing is left out.  The peers get one thread, a good
# BLAS (OpenBLAS with the core type that the CPU has: left alone, Debian's torch may use the reference BLAS, or OpenBLAS
# may take a recent CPU for one of 2004) and a malloc that does not give pages back after every step.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
quick=
[ "${1:-}" = --quick ] && quick=--quick && shift
build=${1:-"$here/../../build"}
rounds=3
[ -n "$quick" ] && rounds=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=/usr/bin/python3

# the peers' surroundings
core=$("$build/isoeps-bench" --quick --json --only none 2>/dev/null | sed -n 's/.*"openblas_core":[[:space:]]*"\([^"]*\)".*/\1/p')
export OPENBLAS_CORETYPE="$core" OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
export MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_TOP_PAD_=67108864
for d in /usr/lib/*/openblas-pthread; do
	[ -d "$d" ] && export LD_LIBRARY_PATH="$d${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done
pin=
command -v taskset >/dev/null 2>&1 && pin="taskset -c 0"

$python "$here/sklearn_learn.py" "$work" --make 2>/dev/null || echo "no numpy: the learners are left out" >&2
learn=
[ -f "$work/shape" ] && learn="--learn $work"
i=0
while [ "$i" -lt "$rounds" ]; do
	# shellcheck disable=SC2086
	$pin "$build/isoeps-bench" --json $quick --only step,noise,learn $learn >"$work/ours.$i.json"
	# shellcheck disable=SC2086
	$pin $python "$here/torch_step.py" $quick >"$work/torch.$i.json" || rm -f "$work/torch.$i.json"
	if [ -n "$learn" ]; then
		# shellcheck disable=SC2086
		$pin $python "$here/sklearn_learn.py" "$work" $quick >"$work/sklearn.$i.json" || rm -f "$work/sklearn.$i.json"
	fi
	i=$((i + 1))
done
$python "$here/table.py" "$work"
