#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The dependency order of the house, read off the #include lines (docs/architecture.md).
set -u
cd "${1:-.}" || exit 2
fail=0

# folder allowed-prefixes...
rule() {
	folder=$1
	shift
	for f in "$folder"/*.c "$folder"/*.h; do
		[ -f "$f" ] || continue
		# "..." always names a file of the house; <...> does when it begins with one of its folders or climbs.
		sed -nE -e 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]*)".*/\1/p' \
			-e 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*<((core|generators|attacks|metrics|suites|results|reports|cli|\.+)\/[^>]*)>.*/\1/p' "$f" |
			while read -r inc; do
			for ok in "$@"; do
				case $inc in "$ok"*) continue 2 ;; esac
			done
			echo "$f includes $inc, which $folder may not"
		done
	done
}

base="core/base/"
math="$base core/math/"
rand="$math core/rand/"
privacy="$rand core/privacy/"
io="$base core/io/"
data="$rand core/io/ core/data/"
nn="$privacy core/nn/"
core="core/"
{
	rule core/base $base
	rule core/math $math
	rule core/rand $rand
	rule core/privacy $privacy
	rule core/io $io
	rule core/data $data
	rule core/nn $nn
	rule core/learn $data $nn core/learn/
	rule generators $core generators/generator.h generators/kit/
	rule attacks $core attacks/attack.h attacks/kit/
	rule metrics $core metrics/metric.h metrics/kit/
	rule metrics/kit $core metrics/metric.h metrics/kit/
	rule results $io core/math/ results/
	rule reports $io core/math/ results/ reports/
	rule suites/flow $core suites/flow/ generators/generator.h
	rule suites $core suites/ results/ generators/generator.h attacks/attack.h metrics/metric.h
} >/tmp/isoeps-layering.$$ 2>&1
# Only code that can prove its clipping may hold the halves of a mechanism, and only the privacy core the noise.
grep -lE '#[[:space:]]*include[[:space:]]*["<]core/privacy/(mechanism_trusted|noise)\.h[">]' -r core generators attacks metrics suites results reports cli 2>/dev/null |
	grep -vE '^core/privacy/|^core/nn/dpsgd\.c$' | sed 's/$/ includes the trusted half of the privacy core/' >>/tmp/isoeps-layering.$$
grep -lE '#include <(cblas|lapacke)\.h>' -r . --include='*.c' --include='*.h' 2>/dev/null |
	grep -vE '^\./(core/math/blas\.c|build|bench/|tests/)' | sed 's/$/ includes cblas.h or lapacke.h: only core\/math\/blas.c may/' >>/tmp/isoeps-layering.$$
if [ -s /tmp/isoeps-layering.$$ ]; then
	cat /tmp/isoeps-layering.$$
	fail=1
fi
rm -f /tmp/isoeps-layering.$$
[ $fail -eq 0 ] && echo "layering holds"
exit $fail
