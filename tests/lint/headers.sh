#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone (*_kernels.h and *_simd.h are bodies, included once per instruction set).
set -u
cd "${1:-.}" || exit 2
fail=0 n=0
for h in $(find core generators attacks metrics suites results reports cli tests/support -name '*.h' ! -name '*_kernels.h' ! -name '*_simd.h' | sort); do
	n=$((n + 1))
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -I. -fsyntax-only -x c "$h" || { echo "$h does not compile alone"; fail=1; }
done
[ $fail -eq 0 ] && echo "$n headers compile alone"
exit $fail
