#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: tests/data/frozen/renew.sh ISOEPS
#
# Writes the frozen numbers (*.txt beside this script) anew with the program ISOEPS: for each suite here the values of all its
# records, the report's tables, and the data of one figure.  tests/cli/frozen.sh compares them, character by character, with
# what the program computes, under every instruction set of the machine.
#
# These files change ONLY in a commit whose message says WHY the numbers changed: which code, and why the new number is right.
# A number that moved without a reason is a fault that the test has found; look for it before you run this script.
set -eu
isoeps=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for suite in add-remove replace-one verified; do
	sh "$here/measure.sh" "$isoeps" "$suite" "$work/$suite" "$work"
	mv "$work/$suite".*.txt "$here"
done
ls -l "$here"/*.txt
