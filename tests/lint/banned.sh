#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Calls that a library of this house may not make, each with its reason. Comments and strings are cut before the search.
set -u
cd "${1:-.}" || exit 2
out=$(mktemp)
trap 'rm -f "$out"' EXIT

strip() { # file without comments and string contents, line numbers kept
	perl -0pe 's{("(?:\\.|[^"\\\n])*")|(/\*.*?\*/|//[^\n]*)}{ defined $1 ? "\"\"" : ($2 =~ tr/\n//cdr) }gse' "$1"
}

check() { # pattern, reason, files that may
	pattern=$1 reason=$2 may=$3
	for f in $(find core generators attacks metrics suites results reports cli -name '*.c' -o -name '*.h' | sort); do
		printf '%s\n' "$f" | grep -qE "$may" && continue
		strip "$f" | grep -nE "$pattern" | sed "s|^|$f:|; s|\$|   <- $reason|"
	done
}

{
	check '(^|[^A-Za-z0-9_.>])(exp|expm1|log|log1p|log2|log10|pow|tanh|sin|cos|tan|lgamma|tgamma|erf|erfc|expf|logf|powf|tanhf|sinf|cosf)[[:space:]]*\(' \
		'libm whose bits depend on the CPU: use core/math/vmath.h or special.h' '^core/math/'
	check '(^|[^A-Za-z0-9_.>])(malloc|calloc|realloc|free|posix_memalign|aligned_alloc|strdup|strndup)[[:space:]]*\(' \
		'heap past the one door: use core/base/alloc.h' '^core/base/alloc\.c$|^core/io/json\.c$'
	check '(^|[^A-Za-z0-9_.>])(rand|srand|random|drand48|arc4random|getrandom|RAND_bytes)[[:space:]]*\(' \
		'randomness outside core/rand and core/privacy' '^core/(rand|privacy)/'
	check '(^|[^A-Za-z0-9_.>])(abort|exit|gets|strtok|sprintf|strcpy|strcat|atoi|atof|system|popen)[[:space:]]*\(' \
		'forbidden in a library' '^(cli|suites)/'
	check '(^|[^A-Za-z0-9_.>])(printf|puts|putchar)[[:space:]]*\(' 'libraries do not print' '^cli/'
	check '(^|[^A-Za-z0-9_.>])(time|clock|gettimeofday|clock_gettime)[[:space:]]*\(' 'clocks only through core/base/clock.h' \
		'^core/base/clock\.c$'
} >"$out"
if [ -s "$out" ]; then
	cat "$out"
	exit 1
fi
echo "no banned call"
