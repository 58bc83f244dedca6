#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes people.csv: 3,000 made-up people, whose illness follows age, smoking and hours of sport."""
import math
import random

random.seed(7)
print("age,hours,smoker,region,ill")
for _ in range(3000):
    age, smoker = random.randint(18, 90), random.random() < 0.3
    hours = round(max(0, min(20, random.gauss(6 - age / 30, 2))), 1)
    region = random.choice(["north", "south", "west"])
    risk = (age - 55) / 9 + (1.5 if smoker else -0.5) - (hours - 4) / 2
    ill = random.random() < 1 / (1 + math.exp(-risk))
    print(f"{age},{hours},{'yes' if smoker else 'no'},{region},{'yes' if ill else 'no'}")
