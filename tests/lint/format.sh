#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C file is as clang-format 14 leaves it (.clang-format).  Skipped where the program is absent.
set -u
cd "${1:-.}" || exit 2
command -v clang-format >/dev/null 2>&1 || { echo "skipped: clang-format is not installed"; exit 77; }
files=$(find core generators attacks metrics suites results reports cli bench tests examples -name '*.[ch]' 2>/dev/null | sort)
# shellcheck disable=SC2086
bad=$(printf '%s\n' $files | xargs clang-format --dry-run 2>&1 | sed -n 's/^\([^:]*\):[0-9]*:.*/\1/p' | sort -u)
[ -z "$bad" ] && { echo "$(printf '%s\n' $files | wc -l) files are formatted"; exit 0; }
printf '%s: run clang-format -i on it\n' $bad
exit 1
