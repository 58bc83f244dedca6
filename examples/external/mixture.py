#!/usr/bin/python3
"""A Gaussian mixture of each class by scikit-learn (Debian: python3-sklearn).  It claims nothing."""
import csv
import json

import numpy as np
from sklearn.mixture import GaussianMixture

request, schema = json.load(open("request.json")), json.load(open("schema.json"))
with open("train.csv", newline="") as f:
    head, *rows = csv.reader(f)
kind = {c["name"]: c for c in schema["columns"]}
label = head.index(request["label"])
numbers = [i for i in range(len(head)) if "bounds" in kind[head[i]]]
assert len(numbers) == len(head) - 1, "every column but the label must be a number"
rng = np.random.RandomState(request["seed"] % 2**32)
low, high = np.array([kind[head[i]]["bounds"] for i in numbers], float).T
whole = np.array([kind[head[i]]["type"] == "integer" for i in numbers])

drawn = rng.choice([r[label] for r in rows], request["rows"])
made = [None] * request["rows"]
for value in sorted(set(drawn)):
    x = np.array([[float(r[i]) for i in numbers] for r in rows if r[label] == value])
    centre, scale = x.mean(0), x.std(0) + 1e-9
    model = GaussianMixture(min(3, len(x)), reg_covar=1e-3, random_state=rng).fit((x - centre) / scale)
    at = np.flatnonzero(drawn == value)
    z = model.sample(len(at))[0] * scale + centre
    z = np.clip(np.where(whole, np.rint(z), z), low, high)
    for i, row in zip(at, z):
        fields = [repr(float(v)) if not w else str(int(v)) for v, w in zip(row, whole)]
        fields.insert(label, value)
        made[i] = fields
with open("synthetic.csv", "w", newline="") as f:
    csv.writer(f).writerows([head] + made)
