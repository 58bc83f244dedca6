#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Acceptance of the GAN family on real data: what a correct implementation cannot miss.  About an hour on two cores.
# Not met as far as it was measured (docs/reproduction.md): cgan on MNIST .88, and its lead over dp-cgan; wgan-gp on Adult .8798.
# Usage: gan_acceptance.sh ISOEPS SAME SOURCE adult|mnist [OUT]; OUT keeps the run, and resumes one.
. "$(dirname "$0")/../cli/lib.sh"
what=$4 out=${5:-$work/out}
"$isoeps" data check "$what" >/dev/null 2>&1 || { echo "skipped: the files of $what are absent"; exit 77; }
"$isoeps" --quiet run "$(dirname "$0")/gan_$what.json" --out "$out" >/dev/null || bad "the run failed"

case $what in adult) value=tstr.lr.auroc_micro ;; *) value=tstr.lr.accuracy ;; esac
# of METHOD EPSILON: the value of a cell
of() {
	awk -F, -v g="$1" -v e="$2" -v v="$value" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at["generator"] == g && $at["epsilon"] == e && $at["name"] == v { print $at["value"]; exit }' "$out/results.csv"
}
# atleast METHOD EPSILON VALUE
atleast() {
	count=$((count + 1))
	got=$(of "$1" "$2")
	echo "$1 at $2: $got, asked $3"
	awk -v a="$got" -v b="$3" 'BEGIN { exit !(a != "" && a + 0 >= b) }' || bad "$1 at epsilon $2: $value ${got:-missing}, expected $3 or more"
}
# ahead METHOD EPSILON METHOD EPSILON MARGIN: the first by at least the margin
ahead() {
	a=$(of "$1" "$2") b=$(of "$3" "$4")
	count=$((count + 1))
	echo "$1 at $2: $a; $3 at $4: $b"
	awk -v a="$a" -v b="$b" -v m="$5" 'BEGIN { exit !(a != "" && b != "" && a - b >= m) }' ||
		bad "$1 at $2 ($a) is not ahead of $3 at $4 ($b) by $5"
}

if [ "$what" = adult ]; then
	for g in dp-cgan cgan-basic-dp dp-gan-xie dp-gan-zhang gan-obfuscator cdp-gan dp-gan-boob fp-gan fl-gan asyn-dgan; do
		atleast $g 3 .75
		case $g in
		dp-cgan | cgan-basic-dp | fp-gan | asyn-dgan) twin=cgan ;;
		dp-gan-boob) twin=gan ;;
		dp-gan-zhang | cdp-gan) twin=wgan-gp ;;
		*) twin=wgan ;;
		esac
		# two standard errors of an area of .85 on 15,060 test rows, of which 3,700 are positive: .007
		for e in 1 3 10; do ahead $twin inf $g $e -.007; done
		ahead $g 3 $g 1 -.03
		ahead $g 10 $g 3 -.03
	done
	atleast pate-gan 8 .60
	for e in 1 3 10; do ahead fl-gan $e "fl-gan fedavg" $e 0; done
	for g in cgan gan wgan wgan-gp; do atleast $g inf .88; done
else
	atleast dp-cgan 9.6 .72
	ahead cgan-basic-dp 9.6 dp-cgan 9.6 -.03
	ahead dp-cgan 9.6 cgan-basic-dp 9.6 -.03
	atleast "dp-cgan classes n_d=10" 9.6 .80
	atleast "cgan classes" inf .88
	ahead "cgan classes" inf "dp-cgan classes n_d=10" 9.6 -.01
	atleast dp-gan-xie 10 .70
	ahead dp-gan-zhang 10 "dp-gan-zhang cold" 10 .03
	atleast "fp-gan frozen" 3.45 .50
	ahead "fp-gan paper" inf "fp-gan frozen" 3.45 .10
fi
finish
