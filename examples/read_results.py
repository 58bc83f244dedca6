#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the results of a run with pandas: usage read_results.py DIR [VALUE [ATTACK]].

Prints, for every method and epsilon, the mean over seeds of a value (default: the AUROC of a
logistic regression trained on synthetic rows), its 95 % Student interval from four seeds on, the
mean AUC of an attack, and the accounted epsilon.  Debian: python3-pandas.
"""
import math
import sys

import pandas as pd

# 97.5 % quantiles of Student's t for 3 to 29 degrees of freedom; 1.96 beyond
T = [3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
     2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045]


def half_width(x):
    """Half of the 95 % interval of the mean, NaN below four values."""
    n = x.count()
    if n < 4:
        return math.nan
    return (T[n - 4] if n - 4 < len(T) else 1.96) * x.std() / math.sqrt(n)


def main():
    directory = sys.argv[1]
    value = sys.argv[2] if len(sys.argv) > 2 else "tstr.lr.auroc_macro"
    attack = sys.argv[3] if len(sys.argv) > 3 else "gan-leaks"

    # one value a row; "inf" is a float to pandas, and a failed cell has a row without a value
    rows = pd.read_csv(f"{directory}/results.csv", dtype={"mode": str})
    rows = rows[rows["status"] == "ok"]

    # one row a cell, one column a name
    wide = rows.pivot_table(index=["dataset", "generator", "epsilon", "seed"], columns="name", values="value",
                            aggfunc="first").reset_index()
    if value not in wide:
        names = ", ".join(sorted(rows.loc[rows["kind"] == "metric", "name"].unique()))
        sys.exit(f"no value is called {value}; there are: {names}")
    by = wide.groupby(["dataset", "generator", "epsilon"])
    table = pd.DataFrame({
        "seeds": by[value].count(),
        value: by[value].mean(),
        "+-": by[value].apply(half_width),
        f"{attack} AUC": by[f"{attack}.auc"].mean() if f"{attack}.auc" in wide else math.nan,
        "accounted": by["accounted_epsilon"].max(),
    })
    print(table.sort_values(["dataset", "epsilon", value], ascending=[True, True, False]).round(4).to_csv(), end="")


if __name__ == "__main__":
    main()
