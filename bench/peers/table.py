#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One Markdown table from DIR/{ours,torch,sklearn}.ROUND.json: the best time of each over the rounds, ratio, goal."""
import glob
import json
import sys

# ratio = peer / ours; goals of the project (ratios that were measured with prototypes on another machine)
PLAIN = {"disc600": 1.5, "disc64": 3.5, "gen600": 1.5, "vae64": 8}
DP = {"disc600": 2, "gen600": 2, "disc64": 5, "vae64": 11, "vae256": 5}
LEARN = [("logreg_f32", "logreg", 15), ("logreg_f64", "logreg", None), ("logreg_f64_converged", "logreg", None),
         ("nearest_f32", "nearest", 4), ("nearest_f64", "nearest", None),
         ("nearest_f32", "nearest_codes", 10), ("forest", "forest", 8), ("forest_predict", "forest_predict", 5), ("kde", "kde", 100)]


def best(folder, who, path):
    values = []
    for name in glob.glob("%s/%s.*.json" % (folder, who)):
        at = json.load(open(name))
        for key in path.split("."):
            at = at.get(key) if isinstance(at, dict) else None
        if isinstance(at, (int, float)):
            values.append(at)
    return min(values) if values else None


def row(what, ours, peer, goal, unit):
    if ours is None or peer is None:
        return
    ratio = peer / ours
    verdict = "" if goal is None else ("met" if ratio >= goal else "not met")
    print("| %s | %.4g %s | %.4g %s | %.2f | %s | %s |" % (what, ours, unit, peer, unit, ratio, "" if goal is None else ">= %g" % goal, verdict))


def main():
    folder = sys.argv[1]
    print("| task | isoeps | peer | peer / isoeps | goal | |")
    print("|---|---|---|---|---|---|")
    for kind, goals, name in (("plain", PLAIN, "PyTorch"), ("dp", DP, "PyTorch, hand-written book-keeping")):
        for shape in ("disc600", "gen600", "disc256", "vae256", "disc128", "disc64", "vae64"):
            row("%s step %s vs %s" % (kind, shape, name), best(folder, "ours", "step_us.%s.%s" % (kind, shape)),
                best(folder, "torch", "step_us.%s.%s" % (kind, shape)), goals.get(shape), "us")
    for peer, ours, goal in LEARN:
        row("%s vs scikit-learn %s" % (ours, peer), best(folder, "ours", "learn_s." + ours), best(folder, "sklearn", "seconds." + peer), goal, "s")


main()
