#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `isoeps verify` as a user meets it: exit status, words, time, ledgers of a run.  Usage: verify.sh ISOEPS SOURCE_DIR
set -u
isoeps=$1
src=$2
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
fail=0

# expect STATUS WORDS ARGUMENT...
expect() {
	want=$1 words=$2
	shift 2
	"$isoeps" "$@" >"$tmp/out" 2>&1
	got=$?
	if [ "$got" -ne "$want" ]; then
		echo "isoeps $*: exit $got, expected $want"
		sed 's/^/  /' "$tmp/out"
		fail=1
	elif ! grep -q -- "$words" "$tmp/out"; then
		echo "isoeps $*: no \"$words\" in"
		sed 's/^/  /' "$tmp/out"
		fail=1
	fi
}

for g in dp-cgan cgan-basic-dp ddp-bvae independent pate-gan uniform; do
	expect 0 'no flow of private data' verify $g
done
for g in cgan vae memorise 'dp-cgan --set mode=paper' 'cgan-basic-dp --set mode=paper' 'ddp-bvae --set mode=paper'; do
	# shellcheck disable=SC2086
	expect 1 'PRIVATE DATA FLOW' verify $g
done
expect 0 '"flows": false' verify independent --json
expect 1 '"result": "fail"' verify memorise --json
expect 0 '35 neighbours replayed' verify independent --pairs 5
expect 0 'replace-one' verify independent --adjacency replace-one
expect 2 'unknown generator' verify nonsense
expect 2 'did you mean' verify dp-cgam
expect 2 'mode' verify dp-cgan --set mode=magic
expect 2 'pairs' verify dp-cgan --pairs 0
expect 2 'adjacency' verify dp-cgan --adjacency near
expect 2 'data' verify dp-cgan --schema x.json
expect 2 'DIR' verify
expect 4 'no-such' verify dp-cgan --data "$tmp/no-such.csv" --schema "$tmp/no-such.json"

# audit
expect 1 '^violation' audit memorise --runs 60 --jobs 1
expect 1 '"verdict": "violation"' audit memorise --runs 60 --json
expect 0 'accounted 1 at' audit independent --runs 30 --out "$tmp/audit"
expect 0 'accounted 1 at' audit independent --runs 30 --out "$tmp/audit"
expect 0 'replace-one' audit independent --runs 30 --adjacency replace-one --threshold fixed
expect 0 'natural' audit independent --runs 15 --canary natural --threshold bonferroni
expect 1 '200 of 200 guesses right' audit memorise --one-run 1000
expect 0 '"verdict": "loose"' audit independent --one-run 1000 --json
expect 2 'add-remove' audit independent --one-run 1000 --adjacency replace-one
expect 2 'threshold' audit independent --threshold best
expect 2 'unknown generator' audit nonsense

# ledgers of a run
"$isoeps" run "$src/suites/smoke.json" --out "$tmp/run" --jobs 1 >"$tmp/out" 2>&1 || { cat "$tmp/out"; exit 1; }
expect 0 ' 0 not, ' verify "$tmp/run" --ledger
expect 0 '"failed": 0' verify "$tmp/run" --ledger --json
cell=$(grep -l '"guarantee": "dp"' "$tmp"/run/cells/*.json | xargs grep -l '"mechanism": "gaussian"' | head -n 1)
[ -n "$cell" ] || { echo "no dp cell in the smoke suite"; exit 1; }
cp "$cell" "$tmp/cell"
sed 's/"noise": [0-9][0-9.e-]*/"noise": 99/' "$tmp/cell" >"$cell"
expect 1 'not borne out by the ledger' verify "$tmp/run" --ledger
head -c 300 "$tmp/cell" >"$cell"
expect 1 ' 1 not, ' verify "$tmp/run" --ledger
cp "$tmp/cell" "$cell"
expect 0 ' 0 not, ' verify "$tmp/run" --ledger
expect 4 'no-such' verify "$tmp/no-such" --ledger
exit $fail
