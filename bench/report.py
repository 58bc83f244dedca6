#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The report of isoeps-bench --json as the Markdown tables of docs/performance.md:  report.py FILE.json"""
import json
import sys

SHAPES = {
    "disc600": ("794-128-1", 600, 1.08), "gen600": ("110-128-784", 600, 1.08), "disc256": ("784-128-1", 256, 1.10),
    "vae256": ("VAE 108..7..108", 256, 1.10), "disc128": ("784-128-1", 128, 1.22), "disc64": ("794-128-1", 64, 1.35),
    "vae64": ("VAE 108..7..108", 64, 1.35),
}


def goals(d):
    yes = lambda ok: "yes" if ok else "no"
    rows = [
        ("GEMM: fraction of the FMA peak, geometric mean", "%.3f" % d["gemm_peak_fraction"], ">= 0.90", d["gemm_peak_fraction"] >= 0.90),
        ("the same, worst of 27", "%.3f" % d["gemm_peak_fraction_worst"], ">= 0.70", d["gemm_peak_fraction_worst"] >= 0.70),
        ("OpenBLAS time / ours, geometric mean", "%.2f" % d["gemm_vs_openblas"], ">= 1", d["gemm_vs_openblas"] >= 1),
        ("noise, ns per float", "%.2f" % d["noise_ns_per_float"], "<= 1.0", d["noise_ns_per_float"] <= 1),
        ("noise share of disc600", "%.1f %%" % (100 * d["noise_share"]["disc600"]), "<= 5 %", d["noise_share"]["disc600"] <= 0.05),
        ("two cells / one", "%.2f" % d["two_cells_over_one"], ">= 1.9", d["two_cells_over_one"] >= 1.9),
        ("resident memory of a cell", "%.1f MB" % d["cell_rss_mb"], "<= 40 MB", d["cell_rss_mb"] <= 40),
        ("PLD, 10,000 steps", "%.1f ms" % d["account_ms"]["pld_10k"], "< 50 ms", d["account_ms"]["pld_10k"] < 50),
        ("calibration to epsilon 1", "%.0f ms" % d["account_ms"]["calibrate_eps1"], "< 200 ms", d["account_ms"]["calibrate_eps1"] < 200),
        ("calibration to epsilon 8", "%.0f ms" % d["account_ms"]["calibrate_eps8"], "< 200 ms", d["account_ms"]["calibrate_eps8"] < 200),
        ("RDP epsilon", "%.2f ms" % d["account_ms"]["rdp"], "< 1 ms", d["account_ms"]["rdp"] < 1),
    ]
    print("| goal | measured | wanted | met |\n|---|---|---|---|")
    for what, value, wanted, ok in rows:
        print("| %s | %s | %s | %s |" % (what, value, wanted, yes(ok)))


def products(d):
    print("| batch, in, out | forward (NN) | backward (NT) | weights (TN) |\n|---|---|---|---|")
    for s, v in d["gemm_shapes"].items():
        o = d["gemm_shapes_vs_openblas"][s]
        print("| %s | %s |" % (s.replace("x", ", "), " | ".join("%.2f (%.2f)" % (v[p], o[p]) for p in ("forward", "backward", "weights"))))


def steps(d):
    print("| name | net, batch | plain us: min / median / spread | DP us: min / median / spread | DP / plain: median, best | goal | plain / peak | noise |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (net, batch, goal) in SHAPES.items():
        p, q = d["detail"]["step_us"]["plain"][name], d["detail"]["step_us"]["dp"][name]
        cell = lambda s: "%.0f / %.0f / %.0f %%" % (s["min"], s["median"], 100 * s["spread"])
        print("| %s | %s, %d | %s | %s | %.2f, %.2f | %.2f | %.2f | %.1f %% |" % (
            name, net, batch, cell(p), cell(q), d["dp_over_plain"][name], d["dp_over_plain_best"][name], goal,
            d["step_peak_fraction"][name], 100 * d["noise_share"][name]))


def main():
    d = json.load(open(sys.argv[1]))
    f = d["detail"]["fma_peak_gflops"]
    print("FMA peak %.0f Gflop/s (median of %d probes, spread %.0f %%), %s, OpenBLAS core %s\n" % (
        d["fma_peak_gflops"], f["probes"], 100 * f["spread"], d["isa"], d["openblas_core"]))
    for table in (goals, products, steps):
        table(d)
        print()


main()
