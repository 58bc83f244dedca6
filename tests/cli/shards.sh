#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same bytes for any number of jobs, for shards merged by copying, for pieces chosen by --only, and again by --force.
. "$(dirname "$0")/lib.sh"
suite=$quick

run() { # directory, options...
	dir=$1
	shift
	"$isoeps" --quiet run "$suite" --out "$work/$dir" "$@" >"$work/log" 2>&1 || bad "run $*: $(cat "$work/log")"
}
equal() { # directory
	count=$((count + 1))
	"$same" "$work/one" "$work/$1" >"$work/log" 2>&1 || bad "$1 differs: $(head -c 2000 "$work/log")"
}
cells() { ls "$work/$1/cells" | wc -l; }

run one --jobs 1
run two --jobs 2
equal two
run five --jobs 5
equal five

# The comparison itself can fail: one digit of one record before "run" is seen, a digit within "run" is not.
cp -r "$work/one" "$work/altered"
f=$(ls "$work"/altered/cells/*.json | head -n 1)
sed 's/"total_seconds": [0-9]/"total_seconds": 9/' "$f" >"$work/half" && cp "$work/half" "$f"
equal altered
sed 's/"train": \([0-9]*\)/"train": 1\1/' "$f" >"$work/half" && cp "$work/half" "$f"
expect 1 "the bytes differ" "$same" "$work/one" "$work/altered"

run part1 --shard 1/2
run part2 --shard 2/2
count=$((count + 1))
[ "$(cells part1)" -gt 0 ] && [ "$(cells part2)" -gt 0 ] || bad "a shard is empty"
[ $(($(cells part1) + $(cells part2))) -eq "$(cells one)" ] || bad "shards overlap or miss cells"
cp -r "$work/part2/cells" "$work/part2/samples" "$work/part1/"
run part1 # nothing left to do: writes results.csv of all
count=$((count + 1))
grep -q "0 cells\|36 cells: 0 done now, 36 done before" "$work/log" || bad "the merged shards were run again: $(tail -n 5 "$work/log")"
equal part1

run pieces --only dataset=wdbc --only generator=memorise --only generator=uniform
count=$((count + 1))
[ "$(cells pieces)" -eq 4 ] || bad "--only selected $(cells pieces) cells, expected 4"
run pieces --only seed=2
run pieces
equal pieces

# --force redoes finished cells and ends at the same bytes; a damaged record is run again, not read.
run two --force --only generator=uniform
equal two
for f in "$work"/five/cells/*.json; do
	head -c 700 "$f" >"$work/half" && cp "$work/half" "$f"
	break
done
run five
equal five
for f in "$work"/five/cells/*.json; do # a configuration that was edited is not the cell's any more
	sed 's/"seed": 1,/"seed": 7,/; s/"seed": 2,/"seed": 7,/' "$f" >"$work/half" && cp "$work/half" "$f"
	break
done
run five
equal five
echo '{"name": "x", "values": [1, 2' >"$work/cache-file"
if [ -d "$work/five/cache" ]; then
	for f in "$work"/five/cache/*.json; do cp "$work/cache-file" "$f"; done
	run five --force --only dataset=wdbc
	equal five
fi
finish
