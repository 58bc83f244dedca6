# SPDX-License-Identifier: Apache-2.0
# What the scripts of this folder share.  Usage: SCRIPT ISOEPS SAME SOURCE; sourced after these are set.
set -u
isoeps=$1 same=$2 source=$3
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0
count=0

bad() { # message
	echo "FAIL: $1"
	failed=$((failed + 1))
}

# expect STATUS TEXT COMMAND...: exit status, and a text that must stand in the output.
expect() {
	want=$1 text=$2
	shift 2
	count=$((count + 1))
	"$@" >"$work/.out" 2>&1
	got=$?
	[ "$got" -eq "$want" ] || bad "$*: exit status $got, expected $want: $(head -c 600 "$work/.out")"
	case $text in
	"") ;;
	*) grep -qF -e "$text" "$work/.out" || bad "$*: the output lacks \"$text\": $(head -c 600 "$work/.out")" ;;
	esac
}

finish() {
	[ "$failed" -eq 0 ] || { echo "$failed of $count checks failed"; exit 1; }
	echo "$count checks passed"
	exit 0
}

# The smoke suite without its verifications, which have a test of their own and would take most of
# the time of a test that runs the suite again and again: $quick.
quick=$work/smoke-quick.json
sed 's/"seeds": 2,/"seeds": 2, "verify": false,/' "$source/suites/smoke.json" >"$quick"
grep -q '"verify": false' "$quick" || { echo "suites/smoke.json has another form: change lib.sh"; exit 1; }
