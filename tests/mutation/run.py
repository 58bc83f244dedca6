#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation testing: breaks one place of a folder at a time and tells which breaks no test notices.

    tests/mutation/run.py FOLDER [--places N] [--seed S]... [--minutes M] [--floor SHARE]

Works in a scratch clone of HEAD, so the tree is not touched.  A mutant changes one token of one
statement (a comparison, a constant, an operator, a guard).  It is killed when the build gives a
different program and a test fails, first the tests of the folder, then all of them.  A mutant that
compiles to the same object code is equivalent and not counted.  A survivor that
tests/mutation-survivors.md lists with its reason counts as explained.  Exit status 1 when fewer than
SHARE (default .85) of the counted mutants are killed or explained.
"""
import argparse
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

# The tests that look at a folder most closely; they run first.
NEAR = {
    "core/base": "^base_", "core/math": "^math_", "core/rand": "^rand_|^privacy_noise",
    "core/io": "^io_|^fuzz", "core/privacy": "^privacy_|^plugins", "core/data": "^data_|^fuzz",
    "core/nn": "^nn_|^conformance_layer|^oracle", "core/learn": "^learn_|^conformance_classifier",
    "generators": "^oracle|^conformance_generator|^plugins", "attacks": "^conformance_attack|^attack",
    "metrics": "^conformance_metric|^metric", "suites": "^cli_|^suites_|^conformance_game",
    "results": "^results_|^cli_", "reports": "^reports_|^cli_", "cli": "^cli_",
}

# (what, replacement): each match of each pattern is one possible mutant.
TOKENS = [
    (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "),
    (r" == ", " != "), (r" != ", " == "), (r" && ", " || "), (r" \|\| ", " && "),
    (r"(?<=[\w\])]) \+ (?=[\w(])", " - "), (r"(?<=[\w\])]) - (?=[\w(])", " + "),
    (r"(?<=[\w\])]) \* (?=[\w(])", " / "), (r"(?<=[\w\])]) / (?=[\w(])", " * "),
    (r" \+= ", " -= "), (r" -= ", " += "), (r"\+\+", "--"),
    (r"(?<![\w.\"'])0(?![\w.])", "1"), (r"(?<![\w.\"'])1(?![\w.])", "0"),
    (r"(?<![\w.\"'])2(?![\w.])", "1"), (r"(?<![\w.])0\.5(?!\d)", "0.75"),
    (r"\bsqrt\(", "("), (r"\bfmax\(", "fmin("), (r"\bfmin\(", "fmax("), (r"\bif \(!", "if ("),
    (r"\breturn ISO_OK;", "return ISO_E_INTERNAL;"),
]


def call(command, cwd, seconds):
    """Status and output; 124 when it takes too long."""
    try:
        p = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, errors="replace", timeout=seconds)
        return p.returncode, p.stdout
    except subprocess.TimeoutExpired:
        return 124, ""


def statements(text):
    """Line numbers that hold code: no comment, preprocessor line, table row or text."""
    blank = lambda m: re.sub(r"[^\n]", " ", m.group(0))
    code = re.sub(r"/\*.*?\*/", blank, text, flags=re.S)
    code = re.sub(r"//[^\n]*", blank, code)
    code = re.sub(r'"(?:\\.|[^"\\\n])*"', blank, code)
    for number, line in enumerate(code.split("\n")):
        if re.match(r"\s*(#|\.[a-z]|ISO_OPT|\{|static const)", line) or not line.strip():
            continue
        yield number, line


def places(tree, folder):
    found = []
    for name in sorted(os.listdir(os.path.join(tree, folder))):
        if not name.endswith(".c") or name == "template.c":
            continue
        path = os.path.join(folder, name)
        with open(os.path.join(tree, path), encoding="utf-8") as f:
            text = f.read()
        for number, line in statements(text):
            for pattern, new in TOKENS:
                found += [(path, number, m.start(), m.end(), new)
                          for m in re.finditer(pattern, line)]
    return found


def key_of(path, old, new):
    """How a mutant is named in mutation-survivors.md: stable when lines move."""
    return "%s: `%s` -> `%s`" % (path, " ".join(old.split()), " ".join(new.split()))


def explained(tree):
    try:
        with open(os.path.join(tree, "tests/mutation-survivors.md"), encoding="utf-8") as f:
            return f.read()
    except OSError:
        return ""


class Trial:
    def __init__(self, root):
        self.scratch = tempfile.mkdtemp(prefix="isoeps-mutation-")
        self.tree = os.path.join(self.scratch, "tree")
        status, out = call(["git", "clone", "-q", root, self.tree], root, 300)
        if status:
            sys.exit("git clone failed:\n" + out)
        shared = os.path.join(root, "..", "shared")
        if os.path.isdir(shared):
            os.symlink(os.path.realpath(shared), os.path.join(self.scratch, "shared"))
        status, out = call(["cmake", "-S", ".", "-B", "build", "-G", "Ninja",
                            "-DCMAKE_BUILD_TYPE=Release"], self.tree, 300)
        if status == 0:
            status, out = self.build()
        if status:
            sys.exit("the unchanged tree does not build:\n" + out[-3000:])

    def build(self):
        return call(["cmake", "--build", "build", "--", "--quiet"], self.tree, 1800)

    def object_hash(self, path):
        """Of the code that the file compiles to, without debug information."""
        digest = hashlib.sha256()
        for folder, _, files in os.walk(os.path.join(self.tree, "build")):
            for name in files:
                if name == os.path.basename(path) + ".o" and "tests" not in folder:
                    full = os.path.join(folder, name)
                    call(["objcopy", "-g", full, full + ".bare"], self.tree, 60)
                    _, out = call(["objdump", "-d", "-s", full + ".bare"], self.tree, 120)
                    os.unlink(full + ".bare")
                    digest.update(out.split("\n", 3)[-1].encode())
        return digest.hexdigest()

    def failing_test(self, near):
        for select in (["-R", near], []):
            status, log = call(["ctest", "--test-dir", "build", "-j", "2", "--stop-on-failure",
                                "--timeout", "600"] + select, self.tree, 3600)
            names = re.findall(r"Test\s+#\d+: (\S+) \.*\*\*\*(?!Skipped)", log)
            if status:
                return names[0] if names else "a time-out"
        return None

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)


def try_one(trial, place, near):
    """(key, "killed by ..", "equivalent", "survived" or "no mutant")."""
    path, number, start, end, new = place
    full = os.path.join(trial.tree, path)
    with open(full, encoding="utf-8") as f:
        text = f.read()
    lines = text.split("\n")
    old = lines[number]
    lines[number] = old[:start] + new + old[end:]
    key = key_of(path, old, lines[number])
    before = trial.object_hash(path)
    try:
        with open(full, "w", encoding="utf-8") as f:
            f.write("\n".join(lines))
        status, _ = trial.build()
        if status:
            return key, "no mutant"
        if trial.object_hash(path) == before:
            return key, "equivalent"
        test = trial.failing_test(near)
        return key, "killed by " + test if test else "survived"
    finally:
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)
        trial.build()


def main():
    a = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("folder", choices=sorted(NEAR))
    a.add_argument("--places", type=int, default=40)
    a.add_argument("--seed", type=int, action="append")
    a.add_argument("--minutes", type=float, default=240)
    a.add_argument("--floor", type=float, default=0.85)
    o = a.parse_args()
    root = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
    end = time.monotonic() + 60 * o.minutes
    trial = Trial(root)
    known = explained(root)
    killed = reasoned = 0
    survivors = []
    try:
        pool = places(trial.tree, o.folder)
        for seed in o.seed or [1]:
            order = pool[:]
            random.Random(seed).shuffle(order)
            tried = 0
            for place in order:
                if tried >= o.places or time.monotonic() > end:
                    break
                key, what = try_one(trial, place, NEAR[o.folder])
                if what in ("no mutant", "equivalent"):
                    continue
                tried += 1
                if what == "survived" and key in known:
                    what = "explained"
                    reasoned += 1
                killed += what.startswith("killed")
                if what == "survived":
                    survivors.append(key)
                print("%s  line %d  %s" % (what, place[1] + 1, key), flush=True)
    finally:
        trial.close()
    total = killed + reasoned + len(survivors)
    print("\n%s: %d of %d killed, %d explained, %d survived" %
          (o.folder, killed, total, reasoned, len(survivors)))
    for key in sorted(set(survivors)):
        print("survived  " + key)
    return 0 if total and (killed + reasoned) >= o.floor * total else 1


if __name__ == "__main__":
    sys.exit(main())
