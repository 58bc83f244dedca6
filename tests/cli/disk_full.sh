#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file system that fills up: an error, nothing half-written is a result, and the same command finishes after room is made.
. "$(dirname "$0")/lib.sh"
mkdir "$work/small"
mount -t tmpfs -o size=256k tmpfs "$work/small" 2>/dev/null || { echo "cannot mount a tmpfs: skipped"; exit 77; }
trap 'umount "$work/small"; rm -rf "$work"' EXIT
suite=$quick

"$isoeps" --quiet run "$suite" --jobs 2 --out "$work/whole" >"$work/log" 2>&1 || bad "$(cat "$work/log")"
expect 4 "No space left on device" "$isoeps" run "$suite" --jobs 2 --out "$work/small/o"
for f in "$work"/small/o/cells/*.json; do
	count=$((count + 1))
	[ -e "$work/whole/cells/$(basename "$f")" ] || bad "a file that is no cell: $f"
	tail -c 2 "$f" | grep -q '}' || bad "half a record: $f"
done
mount -o remount,size=16m "$work/small"
expect 0 "0 failed" "$isoeps" run "$suite" --jobs 2 --out "$work/small/o"
expect 0 "0 differences" "$same" "$work/whole" "$work/small/o"
finish
