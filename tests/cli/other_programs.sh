#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# evaluate on tables that other programs made of the breast cancer rows: scikit-learn's Gaussian mixture, R's mice, and
# a smoothed bootstrap that R writes with semicolons and decimal commas.  Each file comes as its program writes it: an
# index column, quotes, numbers out of bounds.  Skipped, with the reason, where Debian's packages are absent.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3 # Debian's own; another one in PATH does not see its packages
[ -x "$python" ] || python=python3
"$python" -c 'import sklearn' 2>/dev/null || { echo "skipped: python3-sklearn is not installed"; exit 77; }
Rscript -e 'library(mice)' >/dev/null 2>&1 || { echo "skipped: r-cran-mice is not installed"; exit 77; }
schema=$source/suites/schemas/wdbc.json
expect 0 "" "$isoeps" split "$source/suites/data/wdbc.csv" --schema "$schema" --out parts

cat >gmm.py <<'EOF'
# one mixture a class, its rows with an index column in front, as a data frame is written
import csv
import numpy as np
from sklearn.mixture import GaussianMixture
rows = list(csv.reader(open("parts/train.csv")))
head, body = rows[0], rows[1:]
at = head.index("diagnosis")
rng = np.random.RandomState(1)
out, n = csv.writer(open("gmm.csv", "w")), 0
out.writerow([""] + head)
for label in sorted({r[at] for r in body}):
    x = np.array([[float(v) for i, v in enumerate(r) if i != at] for r in body if r[at] == label])
    centre, scale = x.mean(0), x.std(0)
    model = GaussianMixture(3, covariance_type="full", reg_covar=1e-3, random_state=rng).fit((x - centre) / scale)
    for z in model.sample(len(x))[0] * scale + centre:
        fields = [repr(float(v)) for v in z]
        fields.insert(at, label)
        out.writerow([n] + fields)
        n += 1
EOF
cat >mice.R <<'EOF'
# every value imputed from the others, as multiple imputation makes synthetic data
suppressMessages(library(mice))
real <- read.csv("parts/train.csv", stringsAsFactors = TRUE)
made <- mice(real, m = 1, maxit = 1, method = "pmm", where = make.where(real, "all"),
  printFlag = FALSE, seed = 1, remove.collinear = FALSE, ridge = 1e-3)
write.csv(complete(made), "mice.csv")
EOF
cat >boot.R <<'EOF'
# a smoothed bootstrap; R's second CSV: semicolons and decimal commas
set.seed(1)
real <- read.csv("parts/train.csv")
made <- real[sample(nrow(real), replace = TRUE), ]
for (k in which(sapply(made, is.numeric)))
  made[[k]] <- made[[k]] + rnorm(nrow(made), 0, 0.3 * sd(real[[k]]))
write.csv2(made, "boot.csv", row.names = FALSE)
EOF
"$python" gmm.py || bad "the mixture cannot be made"
Rscript mice.R >mice.log 2>&1 || bad "mice: $(tail -3 mice.log)"
Rscript boot.R >boot.log 2>&1 || bad "bootstrap: $(tail -3 boot.log)"

evaluate() { # FILE
	"$isoeps" evaluate --train parts/train.csv --holdout parts/holdout.csv --aux parts/auxiliary.csv --synthetic "$1" --schema "$schema" \
		--report "page-$1" --json
}
# value METRIC NAME: of the last evaluation
value() {
	"$python" -c 'import json, sys
for m in json.load(open(sys.argv[1]))["metrics"]:
    if (m["metric"], m["name"]) == (sys.argv[2], sys.argv[3]): print(m["value"])' "$name.json" "$1" "$2"
}
# within LOW HIGH METRIC NAME
within() {
	v=$(value "$3" "$4")
	count=$((count + 1))
	awk -v v="$v" -v lo="$1" -v hi="$2" 'BEGIN { exit !(v != "" && v != "None" && v >= lo && v <= hi) }' ||
		bad "$name: $3.$4 is \"$v\", not within $1 and $2"
}
for name in gmm mice boot; do
	expect 0 "" evaluate $name.csv
	cp .out $name.json
	[ -s page-$name.csv/index.html ] || bad "$name: no page"
	grep -q '"epsilon"' .out && bad "$name: an epsilon"
	# every one of them keeps what tells the classes apart, and is no copy
	within 0.85 1 tstr lr.auroc_macro
	within 0.9 1 tstr real.lr.auroc_macro
	within 0.85 1 learners mean.auroc
	within 0 0.35 marginals tvd1_mean
	within 0 0 distances copies
done
# normal tails leave the public bounds below zero, and that is counted; imputed values are values of real rows
name=gmm
within 0.0001 0.2 schema-validity out_of_bounds
grep -q "1 column of the synthetic file is not in the schema" gmm.json || bad "the index column of the mixture is not noted"
name=mice
within 0 0 schema-validity out_of_bounds
grep -q "numbers of the synthetic file have decimal commas" boot.json || bad "the decimal commas are not noted"
# noise of .3 sd around the training rows: the attacker sees who stood where (power: .97 in a run of its own)
"$python" - <<'EOF' || bad "no attack sees the members of a smoothed bootstrap"
import json
best = max(a["auc"] for a in json.load(open("boot.json"))["attacks"] if isinstance(a.get("auc"), float))
raise SystemExit(not best > 0.6)
EOF
finish
