#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scikit-learn on a table of Adult's shape (32,561 x 108, about 18 nonzeros a row), one thread, thread CPU time.

    sklearn_learn.py DIR --make   writes DIR/shape, DIR/x.f32, DIR/y.u8 for isoeps-bench --learn DIR
    sklearn_learn.py DIR          times logistic regression, nearest neighbours, random forest and kernel density on them; prints JSON
"""
import json
import sys
import time

import numpy as np

N, QUERIES = 32561, 5000
LEVELS = [9, 16, 7, 15, 6, 5, 2, 11, 8, 10, 6, 7]  # 102 one-hot columns, 6 numeric ones before them


def make(folder):
    rng = np.random.default_rng(1)
    numeric = rng.random((N, 6), dtype=np.float32)
    logit = numeric @ np.array([2, -1, 1.5, 0.5, -2, 1.0]) - 1.5
    parts = [numeric]
    for k in LEVELS:
        p = rng.dirichlet(np.full(k, 0.7))
        level = rng.choice(k, size=N, p=p)
        parts.append(np.eye(k, dtype=np.float32)[level])
        logit = logit + rng.normal(0, 0.8, k)[level]
    x = np.ascontiguousarray(np.concatenate(parts, axis=1))
    y = (rng.random(N) < 1 / (1 + np.exp(-logit))).astype(np.uint8)
    x.tofile(folder + "/x.f32")
    y.tofile(folder + "/y.u8")
    with open(folder + "/shape", "w") as f:
        f.write("%d %d %d\n" % (x.shape[0], x.shape[1], QUERIES))


def best(job, repeats):
    times = []
    for _ in range(repeats):
        t = time.process_time()
        job()
        times.append(time.process_time() - t)
    return min(times)


def main():
    folder = sys.argv[1]
    if "--make" in sys.argv:
        make(folder)
        return
    import sklearn
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KernelDensity, NearestNeighbors

    n, d, q = map(int, open(folder + "/shape").read().split())
    x = np.fromfile(folder + "/x.f32", np.float32).reshape(n, d)
    y = np.fromfile(folder + "/y.u8", np.uint8)
    x64 = x.astype(np.float64)
    repeats = 3 if "--quick" in sys.argv else 7
    out = {"sklearn": sklearn.__version__, "seconds": {}}
    s = out["seconds"]
    s["logreg_f32"] = best(lambda: LogisticRegression(max_iter=1000).fit(x, y), repeats)
    s["logreg_f64"] = best(lambda: LogisticRegression(max_iter=1000).fit(x64, y), repeats)
    s["logreg_f64_converged"] = best(lambda: LogisticRegression(max_iter=10000, tol=1e-8).fit(x64, y), repeats)
    nn = NearestNeighbors(n_neighbors=1, algorithm="brute", n_jobs=1).fit(x)
    s["nearest_f32"] = best(lambda: nn.kneighbors(x[:q]), repeats)
    nn64 = NearestNeighbors(n_neighbors=1, algorithm="brute", n_jobs=1).fit(x64)
    s["nearest_f64"] = best(lambda: nn64.kneighbors(x64[:q]), repeats)
    forest = RandomForestClassifier(n_estimators=100, n_jobs=1, random_state=1)
    s["forest"] = best(lambda: forest.fit(x[:8000], y[:8000]), 2)
    s["forest_predict"] = best(lambda: forest.predict_proba(x), 2)
    # 500 queries, times ten: what 5,000 cost
    kde = KernelDensity(bandwidth=0.5, kernel="gaussian").fit(x64)
    s["kde"] = 10 * best(lambda: kde.score_samples(x64[:500]), 1)
    for k, v in s.items():
        print("sklearn %-22s %7.3f s" % (k, v), file=sys.stderr)
    print(json.dumps(out))


main()
