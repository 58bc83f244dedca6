#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a metric or an attack declares appears in results.csv, tables, page and figures without a word elsewhere: the two
# templates, loaded from a shared object, under labels of the suite's choice.
. "$(dirname "$0")/lib.sh"
plugin=$4

expect 0 "Gap of column means" "$isoeps" list metrics --plugin "$plugin"
expect 0 "Distance to the released rows" "$isoeps" list attacks --plugin "$plugin"
expect 2 "unknown name" "$isoeps" describe template
cat >s.json <<'EOF'
{"name": "s", "datasets": [{"name": "sim-census", "options": {"rows": 300}}], "rows": 100, "seeds": 2, "epsilons": [1, 8],
 "generators": ["independent", "memorise", "uniform"], "attack_targets": 50,
 "metrics": [{"name": "template", "label": "fid"}, {"name": "tstr", "label": "util", "options": {"classifiers": "lr"}}],
 "attacks": [{"name": "template", "label": "nn"}]}
EOF
expect 0 "" "$isoeps" run s.json --out o --plugin "$plugin"
expect 0 "" "$isoeps" report o
has() { # file text
	count=$((count + 1))
	grep -qF -e "$2" "$1" || bad "$1 lacks \"$2\""
}
has o/results.csv fid.mean_gap
has o/results.csv nn.auc
cat o/report/tables/*.csv >all-tables
for text in "gap of column means" "LR AUROC (macro)" "nn AUC"; do
	has all-tables "$text"
	has o/report/index.html "$text"
	has o/report/report.md "$text"
done
cat o/report/figures/*.gp >all-figures
for text in "gap of column means" "LR AUROC (macro)" "nn AUC"; do
	has all-figures "$text"
done
finish
