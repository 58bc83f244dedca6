#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the catalogue of methods, docs/methods/NAME.md, from the cards and option tables of the program itself.
# usage: docs/methods.sh build/isoeps docs/methods
set -eu
isoeps=$1 out=$2
mkdir -p "$out"
names() {
	"$isoeps" list "$1" --json | sed -n 's/^[[:space:]]*"name": "\([^"]*\)".*/\1/p'
}
{
	echo "# Methods, attacks and metrics"
	echo
	echo "Written by \`docs/methods.sh\` from the program's own cards; \`isoeps describe NAME\` prints the same."
	for kind in generators attacks metrics; do
		printf '\n## %s\n\n' "$kind"
		for name in $(names "$kind"); do
			echo "- [$name]($name.md)"
			{
				printf '# %s\n\n```text\n' "$name"
				"$isoeps" describe "$name"
				printf '```\n'
			} >"$out/$name.md"
		done
	done
} >"$out/README.md"
