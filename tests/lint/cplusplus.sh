#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A plug-in may be written in C++: every header that one includes compiles with g++, and every function declared there
# keeps its C name.  Skipped where g++ is absent.
set -u
cd "${1:-.}" || exit 2
command -v g++ >/dev/null 2>&1 || { echo "skipped: g++ is not installed"; exit 77; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
{
	for h in generators/generator.h attacks/attack.h metrics/metric.h core/base/alloc.h core/learn/knn.h \
		core/nn/dpsgd.h core/privacy/mechanism.h; do
		echo "#include \"$h\""
	done
} >"$work/all.h"
cp "$work/all.h" "$work/all.c"
# every prototype of ours that a C compiler finds behind these headers, with the header that has it
${CC:-gcc} -std=gnu11 -D_GNU_SOURCE -I. -aux-info "$work/prototypes" -c -o "$work/c.o" "$work/all.c" || exit 1
sed -n 's|^/\* \(\./\)\{0,1\}\([a-z_/]*\.h\):[0-9]*:N[CF] \*/ extern [^(]*[ *]\(iso_[a-z0-9_]*\) (.*|\3|p' \
	"$work/prototypes" | sort -u >"$work/names"
n=$(wc -l <"$work/names")
[ "$n" -ge 100 ] || { echo "only $n functions found: this lint no longer reads the compiler's list"; exit 1; }
{
	cat "$work/all.h"
	echo 'extern const void *const used[];'
	echo 'const void *const used[] = {'
	sed 's/.*/(const void *)&,/' "$work/names"
	echo '};'
} >"$work/all.cc"
g++ -std=gnu++17 -D_GNU_SOURCE -Wall -Wextra -Wno-missing-field-initializers -Werror -I. -c -o "$work/cc.o" \
	"$work/all.cc" || { echo "a header of the plug-in interface does not compile as C++"; exit 1; }
nm -u "$work/cc.o" | awk '{print $2}' | grep -v '^_GLOBAL_' | sort -u >"$work/wanted"
bad=$(comm -23 "$work/names" "$work/wanted")
[ -z "$bad" ] && { echo "$n functions keep their C names in C++"; exit 0; }
echo "no C linkage in C++ (put the declaration inside extern \"C\"):" $bad
exit 1
