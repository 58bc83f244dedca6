#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The examples that need a language or a package: Python's standard library, scikit-learn, R's mice.  Usage: as lib.sh, and
# which one.  Skipped with the reason where it is absent.
which=$5
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
[ -x "$python" ] || { echo 'skipped: /usr/bin/python3 is not installed'; exit 77; }
case $which in
bootstrap.py) ;;
mixture.py) "$python" -c 'import sklearn' 2>/dev/null || { echo 'skipped: python3-sklearn is not installed'; exit 77; } ;;
mice.R) /usr/bin/Rscript -e 'library(mice)' >/dev/null 2>&1 || { echo 'skipped: r-cran-mice is not installed'; exit 77; } ;;
esac
expect 0 'guarantee none; accounted epsilon inf' "$isoeps" generate "external:$source/examples/external/$which" \
	--data "$source/suites/data/wdbc.csv" --schema "$source/suites/schemas/wdbc.json" --set claim=none --rows 300 --seed 1 --out o.csv
[ "$(wc -l <o.csv)" -eq 301 ] || bad '300 rows were asked for'
# the rows have the law of the data: a mean within five standard errors (radius_mean 14.127, sd 3.524)
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /^"?radius_mean"?$/) c = i } NR > 1 { s += $c }
	END { m = s / (NR - 1); exit !(c && m > 13.11 && m < 15.14) }' o.csv || bad "mean radius: $(head -n 2 o.csv | cut -c 1-200)"
cp o.csv first.csv
expect 0 '' "$isoeps" generate "external:$source/examples/external/$which" --data "$source/suites/data/wdbc.csv" \
	--schema "$source/suites/schemas/wdbc.json" --set claim=none --rows 300 --seed 1 --out o.csv
cmp -s o.csv first.csv || bad 'the same seed gives other rows'
finish
