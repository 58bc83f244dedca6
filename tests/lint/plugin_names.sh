#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No plug-in is named in reports/ or cli/: what a plug-in declares is all that tables, figures and messages know.  Names in
# examples of help texts (lines with "isoeps " or "--") are allowed.
set -u
cd "${1:-.}" || exit 2
fail=0
names=$(sed -nE 's/^\t\.name = "([^"]*)",?$/\1/p' generators/*.c attacks/*.c metrics/*.c | grep -v '^template$' | sort -u)
[ "$(echo "$names" | wc -l)" -ge 10 ] || { echo "only these plug-ins were found: $names"; exit 1; }
for name in $names; do
	found=$(grep -nE "\"$name[.\"]" reports/*.[ch] reports/plots/* cli/*.[ch] | grep -vE 'isoeps |--')
	[ -z "$found" ] || { echo "$name is named in: $found"; fail=1; }
done
[ $fail -eq 0 ] && echo "no plug-in is named in reports/ or cli/"
exit $fail
