#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An installation as its user meets it: moved after it was made, with plug-ins built against it in C and in C++.
. "$(dirname "$0")/lib.sh"
build=$(dirname "$isoeps")
[ -s "$build/share/man/man1/isoeps.1" ] || { echo "skipped: the man pages are not built"; exit 77; }

expect 0 "" env DESTDIR="$work/stage" cmake --install "$build" --prefix /opt/isoeps
mkdir elsewhere && mv stage/opt/isoeps elsewhere/prefix && rm -r stage || bad "DESTDIR and prefix are not obeyed"
prefix=$work/elsewhere/prefix
program=$prefix/bin/isoeps

# The program finds its suites where it is now; nothing names the tree that it was built in.
(cd / && ISOEPS_SUITES='' "$program" list suites) >list.txt || bad "list suites failed after the move"
grep -q '^demo ' list.txt || bad "the demo suite was not found after the move"
expect 0 "4 selected" "$program" run smoke --only generator=independent --dry-run
grep -rlF -e "$source/" -e "$build/" "$prefix" >leaks.txt && bad "these files name the build: $(cat leaks.txt)"
for f in share/isoeps/schemas/adult.json share/pkgconfig/isoeps.pc share/isoeps/cmake/isoepsConfig.cmake \
	include/isoeps/generators/generator.h include/isoeps/core/privacy/mechanism.h share/doc/isoeps/README.md; do
	[ -s "$prefix/$f" ] || bad "$f is not installed"
	count=$((count + 1))
done
[ -e "$prefix/include/isoeps/core/privacy/ledger_private.h" ] && bad "private headers are installed"

# Man pages and completions know every verb, and every option of one.
"$program" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' >verbs.txt
[ "$(wc -l <verbs.txt)" -ge 18 ] || bad "the help names $(wc -l <verbs.txt) verbs"
while read -r verb; do
	[ -s "$prefix/share/man/man1/isoeps-$verb.1" ] || bad "no man page of $verb"
	expect 0 "isoeps $verb" "$program" help "$verb"
done <verbs.txt
grep -q '^\.B \\-\\-shard \\fIi/N\\fR' "$prefix/share/man/man1/isoeps-run.1" || bad "the man page of run lacks --shard"
if command -v man >/dev/null 2>&1; then
	for page in isoeps isoeps-run isoeps-generate; do
		MANWIDTH=80 man --warnings -l "$prefix/share/man/man1/$page.1" >page.txt 2>warnings.txt || bad "man $page"
		[ -s warnings.txt ] && bad "man $page: $(head -n 3 warnings.txt)"
	done
fi
if command -v bash >/dev/null 2>&1; then
	cat >complete.sh <<'END'
. "$1/share/bash-completion/completions/isoeps"
ask() { COMP_WORDS=(isoeps "$@") COMP_CWORD=$#; _isoeps; echo "${COMPREPLY[*]}"; }
ask gen; ask run --dry; ask generate dp-cg; ask generate x --accountant r; ask --ver; ask help acc
END
	printf '%s\n' generate --dry-run dp-cgan rdp '--verbose --version' account >want.txt
	bash complete.sh "$prefix" >got.txt
	cmp -s want.txt got.txt || bad "bash completes $(tr '\n' '|' <got.txt)"
fi
if command -v zsh >/dev/null 2>&1; then zsh -n "$prefix/share/zsh/vendor-completions/_isoeps" || bad "zsh refuses its completions"; fi
if command -v fish >/dev/null 2>&1; then fish -n "$prefix/share/fish/vendor_completions.d/isoeps.fish" || bad "fish refuses its completions"; fi
grep -q "complete -c isoeps -n '__fish_seen_subcommand_from run' -l shard -x" \
	"$prefix/share/fish/vendor_completions.d/isoeps.fish" || bad "fish does not know --shard"

# Plug-ins with nothing but pkg-config --cflags isoeps.
export PKG_CONFIG_PATH="$prefix/share/pkgconfig"
for kind in generator attack metric; do
	expect 0 "next: make -C my-$kind try" "$program" new $kind my-$kind
	expect 0 "" make -s -C my-$kind "my-$kind.so" CFLAGS="-O1 -Wall -Wextra -Werror -Wno-missing-field-initializers"
	expect 0 "my-$kind" "$program" describe my-$kind --plugin ./my-$kind/my-$kind.so
done
expect 2 "file exists" "$program" new metric my-metric
expect 2 "did you mean generator?" "$program" new generater mine
expect 2 "use lower-case letters" "$program" new metric My_Metric
expect 0 "" "$program" verify my-generator --plugin ./my-generator/my-generator.so --pairs 2

# Every header compiles alone of an including file, as C and as C++, and a plug-in may be in C++.
(cd "$prefix/include/isoeps" && find . -name '*.h' | sed 's|^\./\(.*\)|#include "\1"|') >all.c
cp all.c all.cc
[ "$(wc -l <all.c)" -ge 100 ] || bad "only $(wc -l <all.c) headers are installed"
expect 0 "" cc -std=c11 -Wall -Wextra -Wno-missing-field-initializers -Werror $(pkg-config --cflags isoeps) -fsyntax-only all.c
if command -v g++ >/dev/null 2>&1; then
	expect 0 "" g++ -Wall -Wextra -Wno-missing-field-initializers -Werror $(pkg-config --cflags isoeps) -fsyntax-only all.cc
	expect 0 "" g++ -Wall -Wextra -Wno-missing-field-initializers -Werror $(pkg-config --cflags isoeps) -fPIC -shared \
		"$source/tests/cli/plugin_cpp.cc" -o cpp.so
	cat >cpp.json <<'END'
{"name": "cpp", "datasets": ["wdbc"], "generators": ["cpp-lowest", "my-generator"], "attacks": ["cpp-blank", "my-attack"],
 "metrics": ["cpp-ratio", "my-metric"], "rows": 142, "verify": false}
END
	expect 0 "2 done now" "$program" run cpp.json --plugin ./cpp.so --plugin ./my-generator/my-generator.so \
		--plugin ./my-attack/my-attack.so --plugin ./my-metric/my-metric.so --out out
	value() { awk -F, -v m="$1" -v v="$2" '$4 == m && $11 == v { print $12 }' out/results.csv; }
	[ "$(value cpp-lowest cpp-blank.auc)" = 0.5 ] || bad "a guess that knows nothing has AUC $(value cpp-lowest cpp-blank.auc)"
	awk -v r="$(value my-generator cpp-ratio.ratio)" 'BEGIN { exit !(r > 0.49 && r < 0.51) }' ||
		bad "142 rows of 284 or 285 are $(value my-generator cpp-ratio.ratio)"
	awk -v a="$(value my-generator my-metric.mean_gap)" -v b="$(value cpp-lowest my-metric.mean_gap)" \
		'BEGIN { exit !(a > 0 && a < b) }' || bad "the noisy mean is no nearer than the lowest values"
fi

# The same with CMake.
mkdir own && cp my-metric/my-metric.c own
printf '%s\n' 'cmake_minimum_required(VERSION 3.22)' 'project(own C)' 'find_package(isoeps 0.1 REQUIRED)' \
	'isoeps_add_plugin(mine my-metric.c)' >own/CMakeLists.txt
expect 0 "" cmake -S own -B own/build -DCMAKE_PREFIX_PATH="$prefix"
expect 0 "" cmake --build own/build
expect 0 "my-metric" "$program" describe my-metric --plugin ./own/build/mine.so
finish
