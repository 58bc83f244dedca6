#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The training steps of isoeps-bench in PyTorch: plain autograd, and DP by hand-written book-keeping.

One thread, thread CPU time, the minimum of many repeats, plain and DP interleaved.  The private step is the cheapest
that PyTorch allows: forward and backward hooks keep each layer's input a and delta d, the squared norm is
sum_l |d|^2 (|a|^2 + 1), then one weight product per layer on the scaled deltas, Gaussian noise, Adam.  Nothing of
size batch x parameters is ever made.  Prints one JSON object: {"torch": version, "blas": .., "step_us": {..}}.
"""
import json
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
torch.set_flush_denormal(False)
CLIP, SIGMA, LATENT = 1e-3, 1.1, 7


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(108, 128), nn.Tanh(), nn.Linear(128, 64), nn.Tanh(), nn.Linear(64, 2 * LATENT))
        self.decoder = nn.Sequential(nn.Linear(LATENT, 64), nn.Tanh(), nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 108), nn.Sigmoid())

    def loss(self, x, eps):
        out = self.encoder(x)
        mu, lv = out[:, :LATENT], out[:, LATENT:]
        y = self.decoder(mu + torch.exp(0.5 * lv) * eps)
        return 0.5 * ((y - x) ** 2).sum() + 0.0025 * (torch.exp(lv) + mu * mu - 1 - lv).sum()


class Mlp(nn.Module):
    def __init__(self, sizes, kind):
        super().__init__()
        self.kind = kind
        self.net = nn.Sequential(nn.Linear(sizes[0], sizes[1]), nn.LeakyReLU(0.2), nn.Linear(sizes[1], sizes[2]))

    def loss(self, x, target):
        y = self.net(x)
        if self.kind == "bce":
            return nn.functional.binary_cross_entropy_with_logits(y, torch.ones_like(y), reduction="sum")
        return 0.5 * ((y - target) ** 2).sum()


SHAPES = {
    "disc600": (600, (794, 128, 1), "bce"),
    "gen600": (600, (110, 128, 784), "squares"),
    "disc256": (256, (784, 128, 1), "bce"),
    "vae256": (256, None, "vae"),
    "disc128": (128, (784, 128, 1), "bce"),
    "disc64": (64, (794, 128, 1), "bce"),
    "vae64": (64, None, "vae"),
}


class Plain:
    def __init__(self, batch, sizes, kind):
        torch.manual_seed(1)
        self.batch = batch
        self.model = Vae() if kind == "vae" else Mlp(sizes, kind)
        self.x = torch.rand(batch, 108 if kind == "vae" else sizes[0])
        self.target = torch.randn(batch, LATENT) if kind == "vae" else torch.rand(batch, sizes[2])
        self.opt = torch.optim.Adam(self.model.parameters(), lr=1e-5)

    def step(self):
        self.opt.zero_grad(set_to_none=True)
        (self.model.loss(self.x, self.target) / self.batch).backward()
        self.opt.step()


class BookKeeping(Plain):
    def __init__(self, *args):
        super().__init__(*args)
        self.layers = [m for m in self.model.modules() if isinstance(m, nn.Linear)]
        self.kept = {}
        for m in self.layers:
            m.register_forward_hook(self.forward_hook)
            for p in m.parameters():
                p.requires_grad_(True)

    def forward_hook(self, layer, inputs, output):
        a = inputs[0].detach()
        output.register_hook(lambda d, layer=layer, a=a: self.kept.__setitem__(layer, (a, d)))

    def step(self):
        loss = self.model.loss(self.x, self.target)
        # deltas only: the leaves asked for are the first layer's biases, so no weight product is made here
        torch.autograd.grad(loss, [m.bias for m in self.layers])
        norm2 = 0
        with torch.no_grad():
            for a, d in self.kept.values():
                norm2 = norm2 + (d * d).sum(1) * ((a * a).sum(1) + 1)
            factor = (CLIP / norm2.sqrt()).clamp(max=1.0).unsqueeze(1)
            for m in self.layers:
                a, d = self.kept[m]
                d = d * factor
                w = d.t() @ a
                b = d.sum(0)
                w.add_(torch.randn_like(w), alpha=SIGMA * CLIP)
                b.add_(torch.randn_like(b), alpha=SIGMA * CLIP)
                m.weight.grad = w.div_(self.batch)
                m.bias.grad = b.div_(self.batch)
        self.opt.step()


def seconds(job, inner):
    t = time.thread_time()
    for _ in range(inner):
        job.step()
    return (time.thread_time() - t) / inner


def main():
    rounds = 8 if "--quick" in sys.argv else 30
    out = {"torch": torch.__version__, "threads": torch.get_num_threads(), "step_us": {"plain": {}, "dp": {}}}
    for name, shape in SHAPES.items():
        jobs = {"plain": Plain(*shape), "dp": BookKeeping(*shape)}
        best = {}
        for job in jobs.values():
            seconds(job, 3)
        inner = max(1, int(0.02 / seconds(jobs["dp"], 3)))
        for _ in range(rounds):
            for kind, job in jobs.items():
                best[kind] = min(best.get(kind, 1e9), seconds(job, inner))
        for kind, t in best.items():
            out["step_us"][kind][name] = t * 1e6
        print("torch %-8s plain %8.1f us  book-keeping %8.1f us" % (name, best["plain"] * 1e6, best["dp"] * 1e6), file=sys.stderr)
    a, b = torch.rand(512, 512), torch.rand(512, 512)
    t = min(seconds(type("J", (), {"step": staticmethod(lambda: a @ b)}), 10) for _ in range(20))
    out["gemm_gflops"] = 2e-9 * 512 ** 3 / t
    print(json.dumps(out))


main()
