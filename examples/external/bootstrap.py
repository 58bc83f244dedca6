#!/usr/bin/python3
"""Rows drawn again from the training rows: the Python standard library in fifteen lines.  It claims nothing."""
import csv
import json
import random

request = json.load(open("request.json"))
random.seed(request["seed"])
with open("train.csv", newline="") as f:
    head, *rows = csv.reader(f)
with open("synthetic.csv", "w", newline="") as f:
    out = csv.writer(f)
    out.writerow(head)
    out.writerows(random.choice(rows) for _ in range(request["rows"]))
