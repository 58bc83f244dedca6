#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What 10,000 finished cells with attacks cost to read: sh bench/scale.sh [BUILD] [SEEDS] [WORK]
# Prints seconds and peak memory of status, resume, report and check, at a quarter of the cells and at all of them (linear: a
# factor of 4), of a plan of 100,000 cells, and the overhead per task of a run of small tasks.
set -eu
build=${1:-build}
seeds=${2:-2500}
work=${3:-$(mktemp -d)}
isoeps=$build/isoeps
mkdir -p "$work"

suite() { # seeds file
	cat >"$2" <<EOF
{"name": "scale", "datasets": [{"name": "sim-mixture", "options": {"rows": 2000}}], "generators": ["independent", "uniform"],
 "epsilons": [1, 2, 4], "seeds": $1, "verify": false, "keep": {"models": false}, "attack_targets": 500,
 "attacks": ["plagiarism-index", "density"], "metrics": ["marginals"]}
EOF
}

timed() { # what command...
	what=$1
	shift
	/usr/bin/env python3 - "$what" "$@" <<'EOF'
import resource, subprocess, sys, time
start = time.time()
code = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{sys.argv[1]:34s} {time.time() - start:8.2f} s wall {peak.ru_utime + peak.ru_stime:8.2f} s cpu "
      f"{peak.ru_maxrss / 1024:8.1f} MiB  exit {code}", flush=True)
EOF
}

for n in $((seeds / 4)) "$seeds"; do
	suite "$n" "$work/suite-$n.json"
	[ -d "$work/out-$n/cells" ] || "$build/isoeps-records" "$work/suite-$n.json" "$work/out-$n"
	cells=$((4 * n))
	timed "status, $cells cells" "$isoeps" status "$work/out-$n"
	timed "resume, $cells cells" "$isoeps" --quiet run "$work/suite-$n.json" --out "$work/out-$n"
	timed "report, $cells cells" "$isoeps" --quiet report "$work/out-$n"
	timed "check, $cells cells" "$isoeps" check "$work/out-$n"
done

cat >"$work/plan.json" <<EOF
{"name": "plan", "datasets": [{"name": "sim-mixture", "options": {"rows": 2000}}], "generators": ["independent", "uniform"],
 "epsilons": [$(seq -s, 1 49)], "seeds": 2000, "verify": false, "attacks": [], "metrics": []}
EOF
timed "dry run, 100,000 cells" "$isoeps" --quiet run "$work/plan.json" --out "$work/none" --dry-run --json

# Small tasks: a method that reads nothing, 20 rows, one judgement; the time is the harness's own.
cat >"$work/small.json" <<EOF
{"name": "small", "datasets": [{"name": "sim-mixture", "options": {"rows": 80}}], "generators": ["uniform"],
 "seeds": $(($seeds > 1000 ? 1000 : $seeds)), "rows": 20, "verify": false, "attacks": ["plagiarism-index"], "metrics": []}
EOF
rm -rf "$work/small"
timed "small cells, one after another" "$isoeps" --quiet run "$work/small.json" --out "$work/small" --jobs 1
