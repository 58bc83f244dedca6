#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The N-th write, fsync or rename fails, with no space left or with an input/output error: the command ends with an error or did
# without that file, never by a signal; nothing half-written is taken for a result; the same command then finishes, with the bytes
# of an undisturbed run.  Usage: as lib.sh says, then the library for LD_PRELOAD.
. "$(dirname "$0")/lib.sh"
preload=$4
case $("$isoeps" --version --verbose 2>/dev/null; ldd "$isoeps") in
*libasan* | *libtsan*) echo "LD_PRELOAD and the sanitizer's runtime do not go together: skipped"; exit 77 ;;
esac
points=${ISO_FAIL_POINTS:-4} # of each command and error

# with AT ERRNO COMMAND...: the exit status in $got, the number of operations in $operations.
with() {
	failing_at=$1 failing_by=$2
	shift 2
	head -c 8 /dev/zero >"$work/counter"
	ISO_FAIL_COUNT=$work/counter ISO_FAIL_AT=$failing_at ISO_FAIL_ERRNO=$failing_by LD_PRELOAD=$preload "$@" >"$work/log" 2>&1
	got=$?
	operations=$(od -An -td8 "$work/counter" | tr -d ' ')
}

suite=$work/tiny.json
cat >"$suite" <<'EOT'
{"name": "tiny", "datasets": [{"name": "sim-census", "options": {"rows": 200}}], "generators": ["independent", "memorise"],
 "rows": 50, "attacks": ["gan-leaks"], "metrics": ["marginals"], "keep_samples": 20, "attack_targets": 20, "verify": false}
EOT
with 0 0 "$isoeps" --quiet run "$suite" --jobs 1 --out "$work/whole"
[ "$got" -eq 0 ] || bad "an undisturbed run: $(cat "$work/log")"
run_operations=$operations
with 0 0 "$isoeps" --quiet report "$work/whole" --out "$work/page" --format md,csv,latex
[ "$got" -eq 0 ] || bad "an undisturbed report: $(cat "$work/log")"
report_operations=$operations
[ "$run_operations" -gt 20 ] && [ "$report_operations" -gt 10 ] ||
	bad "the library counts nothing: $run_operations and $report_operations operations"

for error in 28 5; do
	words="No space left on device"
	[ $error -eq 5 ] && words="Input/output error"
	i=0
	while [ $i -lt "$points" ]; do
		at=$((1 + (i * 2 + error % 2) * run_operations / (points * 2)))
		dir=$work/run-$error-$i
		with $at $error "$isoeps" --quiet run "$suite" --jobs 1 --out "$dir"
		count=$((count + 1))
		case $got in
		0) ;;
		4) grep -qF "$words" "$work/log" || bad "run, operation $at: the error does not say why: $(head -c 300 "$work/log")" ;;
		*) bad "run, operation $at fails by error $error: exit status $got: $(head -c 300 "$work/log")" ;;
		esac
		expect 0 "" "$isoeps" --quiet run "$suite" --jobs 1 --out "$dir"
		expect 0 "0 differences" "$same" "$work/whole" "$dir"

		at=$((1 + (i * 2 + error % 2) * report_operations / (points * 2)))
		with $at $error "$isoeps" --quiet report "$work/whole" --out "$work/page-$error-$i" --format md,csv,latex
		count=$((count + 1))
		case $got in
		0) ;;
		4) grep -qF "$words" "$work/log" || bad "report, operation $at: the error does not say why: $(head -c 300 "$work/log")" ;;
		*) bad "report, operation $at fails by error $error: exit status $got: $(head -c 300 "$work/log")" ;;
		esac
		expect 0 "" "$isoeps" --quiet report "$work/whole" --out "$work/page-$error-$i" --format md,csv,latex
		for f in report.md tables/paper.tex; do
			count=$((count + 1))
			cmp -s "$work/page/$f" "$work/page-$error-$i/$f" || bad "$f after a failure at operation $at is another"
		done
		i=$((i + 1))
	done
done
left=$(find "$work" -name '*.tmp*' | wc -l)
count=$((count + 1))
[ "$left" -eq 0 ] || bad "$left temporary files are left: $(find "$work" -name '*.tmp*' | head -3)"
finish
