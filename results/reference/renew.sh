#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Freezes the values of a finished run of a suite, and writes what they say.
# usage: results/reference/renew.sh DIR NAME     DIR: the run's directory; NAME: of the suite
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
dir=$1 to=$here/$2
mkdir -p "$to"
awk -F, -v OFS=, '
	NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; print "cell,dataset,generator,guarantee,epsilon,seed,name,value"; next }
	$at["name"] ~ /^(accounted_epsilon|tstr\.lr\.auroc_macro|tstr\.real\.lr\.auroc_macro|own-classifier\.auroc_macro|marginals\.tvd2_mean|discriminator\.auc|gan-leaks\.auc|domias\.auc)$/ {
		v = $at["value"]; if (v ~ /^[-0-9.]/) v = sprintf("%.6g", v)
		print $at["cell"], $at["dataset"], $at["generator"], $at["guarantee"], $at["epsilon"], $at["seed"], $at["name"], v
	}
	$at["status"] != "ok" && !seen[$at["cell"]]++ {
		print $at["cell"], $at["dataset"], $at["generator"], $at["guarantee"], $at["epsilon"], $at["seed"], "status", $at["status"]
	}' "$dir/results.csv" | { read -r head; echo "$head"; LC_ALL=C sort; } >"$to/values.csv"
first=$(ls "$dir"/cells/*.json | head -n 1)
{
	echo "{"
	echo "	\"suite\": \"suites/$2.json\","
	echo "	\"suite_sha256\": \"$(sha256sum "$here/../../suites/$2.json" | cut -d ' ' -f 1)\","
	echo "	\"cells\": $(cut -d , -f 1 "$to/values.csv" | tail -n +2 | sort -u | wc -l),"
	echo "	\"values_sha256\": \"$(sha256sum "$to/values.csv" | cut -d ' ' -f 1)\","
	sed -n 's/^[[:space:]]*"\(version\|compiler\|blas\|cpu\)": \("[^"]*"\).*/	"\1": \2,/p' "$first" | sort -u
	echo "	\"frozen\": \"$(date -u +%Y-%m-%d)\""
	echo "}"
} >"$to/provenance.json"
perl "$here/findings.pl" "$to/values.csv" >"$here/../../docs/findings.md"
