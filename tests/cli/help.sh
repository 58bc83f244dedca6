#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The words around the verbs: help, version, quiet and verbose in any place, names that are near, and what JSON never holds.
. "$(dirname "$0")/lib.sh"

version=$("$isoeps" version)
case $version in isoeps\ [0-9]*.[0-9]*.[0-9]*) ;; *) bad "version says \"$version\"" ;; esac
for line in "--version" "run --version" "--quiet version" "list generators --version"; do
	# shellcheck disable=SC2086
	[ "$("$isoeps" $line)" = "$version" ] || bad "isoeps $line does not print the version"
	count=$((count + 1))
done
expect 0 "Start with:  isoeps compare mine.csv" "$isoeps" help
expect 0 "worker processes at a time" "$isoeps" help run
"$isoeps" help run >a.txt
"$isoeps" run --help >b.txt
cmp -s a.txt b.txt || bad "help run is not run --help"
for flag in --help --quiet --verbose --version; do grep -q "^  $flag  " a.txt || bad "help run lacks $flag"; done

# A suggestion is near, or there is none.
expect 2 "did you mean run?" "$isoeps" rnu demo
expect 2 "did you mean generate?" "$isoeps" gener dp-cgan
expect 2 "see isoeps --help" "$isoeps" frobnicate
expect 2 "did you mean --quiet?" "$isoeps" --quite run demo
expect 2 "did you mean --epsilon?" "$isoeps" generate dp-cgan --epsilom 1
"$isoeps" generate dp-cgan --frob 1 >.out 2>&1
grep -q "did you mean" .out && bad "--frob is near nothing: $(cat .out)"
"$isoeps" describe zebra >.out 2>&1
grep -q "did you mean" .out && bad "zebra is near nothing: $(cat .out)"

# Notes are silent in either place; --verbose does not get in the way.
printf 'a,label\n1,x\n2,y\n3,x\n' >t.csv
for line in "--quiet schema infer t.csv" "schema infer t.csv --quiet" "schema -q infer t.csv"; do
	# shellcheck disable=SC2086
	"$isoeps" $line >draft.json 2>notes.txt || bad "isoeps $line failed"
	[ -s notes.txt ] && bad "isoeps $line is not quiet: $(cat notes.txt)"
	count=$((count + 1))
done
expect 0 "the label is label" "$isoeps" schema infer t.csv --verbose
# what stands behind -- is no option
expect 2 "unexpected word (--quiet)" "$isoeps" list generators -- --quiet

# On a terminal a progress line is redrawn by escape sequences, but not under NO_COLOR or on a dumb terminal.
if command -v script >/dev/null 2>&1; then
	echo '{"name": "t", "datasets": ["wdbc"], "generators": ["uniform"], "attacks": [], "metrics": []}' >tty.json
	run() { env "$@" script -qec "$isoeps run tty.json --force --out tty" /dev/null </dev/null; }
	run NO_COLOR= TERM=xterm >plain.txt
	run NO_COLOR=1 TERM=xterm >none.txt
	run NO_COLOR= TERM=dumb >dumb.txt
	escape=$(printf '\033')
	grep -q "$escape" plain.txt || bad "no escape sequence on a terminal: this check sees nothing"
	grep -q "$escape" none.txt && bad "escape sequences under NO_COLOR"
	grep -q "$escape" dumb.txt && bad "escape sequences on a dumb terminal"
	count=$((count + 3))
fi

# JSON: a number that does not apply is null, an infinity is "inf", and "nan" stands nowhere.
for line in "account --noise-multiplier 1 --delta 1e-5 --json" "describe tstr --json" "describe dp-cgan --json" "list datasets --json"; do
	# shellcheck disable=SC2086
	"$isoeps" $line >out.json || bad "isoeps $line failed"
	grep -qi '"-\{0,1\}nan"\|: *nan\|: *-nan' out.json && bad "isoeps $line says nan"
	count=$((count + 1))
done
"$isoeps" account --noise-multiplier 1 --sampling-rate 1 --steps 1 --delta 0 --json >out.json 2>/dev/null
printf 'a,label\n1,x\n2,y\n3,x\n4,y\n' >u.csv
"$isoeps" --quiet schema infer u.csv --out u.json >/dev/null
"$isoeps" --quiet generate memorise --data u.csv --schema u.json --rows 2 --out r.csv --json >out.json || bad "generate --json failed"
grep -q '"accounted_epsilon": *"inf"' out.json || bad "an infinite epsilon is not \"inf\": $(cat out.json)"
grep -q '"claimed_epsilon": *null' out.json || bad "a claim that nobody made is not null: $(cat out.json)"
finish
