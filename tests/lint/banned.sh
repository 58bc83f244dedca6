#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Calls that a library of this house may not make, each with its reason. Comments and strings are cut before the search.
set -u
cd "${1:-.}" || exit 2
find core generators attacks metrics suites results reports cli -name '*.c' -o -name '*.h' | sort | perl -e '
my @rules = ( # functions, reason, files that may
	["exp|expm1|log|log1p|log2|log10|pow|tanh|sin|cos|tan|lgamma|tgamma|erf|erfc|expf|logf|powf|tanhf|sinf|cosf",
		"libm whose bits depend on the CPU: use core/math/vmath.h or special.h", "^core/math/"],
	["malloc|calloc|realloc|free|posix_memalign|aligned_alloc|strdup|strndup",
		"heap past the one door: use core/base/alloc.h", "^core/base/alloc\\.c\$|^core/io/json\\.c\$"],
	["rand|srand|random|drand48|arc4random|getrandom|RAND_bytes",
		"randomness outside core/rand and core/privacy", "^core/(rand|privacy)/"],
	["abort|exit|gets|strtok|sprintf|strcpy|strcat|atoi|atof|system|popen", "forbidden in a library", "^(cli|suites)/"],
	["printf|puts|putchar", "libraries do not print", "^cli/"],
	["time|clock|gettimeofday|clock_gettime", "clocks only through core/base/clock.h", "^core/base/clock\\.c\$"],
);
my $found = 0;
while (my $file = <STDIN>) {
	chomp $file;
	open(my $in, "<", $file) or die "$file: $!";
	my $text = do { local $/; <$in> };
	$text =~ s{("(?:\\.|[^"\\\n])*")|(/\*.*?\*/|//[^\n]*)}{ defined $1 ? "\"\"" : ($2 =~ tr/\n//cdr) }gse;
	my @lines = split /\n/, $text;
	for my $rule (@rules) {
		my ($names, $reason, $may) = @$rule;
		next if $file =~ /$may/;
		for my $i (0 .. $#lines) {
			next unless $lines[$i] =~ /(^|[^A-Za-z0-9_.>])($names)\s*\(/;
			print "$file:", $i + 1, ":$lines[$i]   <- $reason\n";
			$found++;
		}
	}
}
exit($found ? 1 : 0);
' || exit 1
echo "no banned call"
