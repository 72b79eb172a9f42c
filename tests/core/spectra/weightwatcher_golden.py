#!/usr/bin/env python3
"""Prints the expected numbers of power_law_test.cpp, from WeightWatcher itself.

    python3 -m venv venv && venv/bin/pip install numpy scipy pandas scikit-learn matplotlib tqdm
    venv/bin/pip install --no-deps weightwatcher==0.7.7 powerlaw==2.0.0
    venv/bin/python tests/core/spectra/weightwatcher_golden.py

The spectra are formulas (also in spectra_fixtures.h), so that nothing but the numbers has to be stored. The
package's own __init__ asks for PyTorch; the modules that fit do not, so only they are imported. The rows
"clauset" are the plain definition, every candidate and every step (powerlaw.Fit of 2.0.0 is no help: it keeps
alpha in [1, 3]).
"""
import importlib.util
import math
import sys
import types

import numpy as np

spec = importlib.util.find_spec("weightwatcher")
package = types.ModuleType("weightwatcher")
package.__path__ = list(spec.submodule_search_locations)
sys.modules["weightwatcher"] = package
from weightwatcher.RMT_Util import matrix_entropy, matrix_rank  # noqa: E402
from weightwatcher.WW_powerlaw import WWFit  # noqa: E402
from scipy.stats import norm  # noqa: E402

LEAST_TAIL = 8


def pareto(n, alpha):
    """x = (1 - u)^(-1 / (alpha - 1)), u = (i + 1/2) / n: a pure tail with xmin 1."""
    u = (np.arange(n) + 0.5) / n
    return (1 - u) ** (-1 / (alpha - 1))


def bulk_and_tail(n, tail, alpha):
    """n - tail values (1 + z / 4)^2 / 4 of normal quantiles z, then a Pareto tail that starts at 1."""
    z = norm.ppf((np.arange(n - tail) + 0.5) / (n - tail))
    return np.sort(np.concatenate([(1 + z / 4) ** 2 / 4, pareto(tail, alpha)]))


def waves(n):
    """x = exp(3 (i / n)^2 + sin(5 i) / 5): nothing's tail, with an order that the sine disturbs."""
    i = np.arange(n)
    return np.sort(np.exp(3 * (i / n) ** 2 + np.sin(5.0 * i) / 5))


SPECTRA = {
    "pareto(1000, 2.5)": (pareto(1000, 2.5), 2000),
    "bulkAndTail(512, 64, 3)": (bulk_and_tail(512, 64, 3.0), 512),
    "waves(300)": (waves(300), 400),
    "waves(4096)": (waves(4096), 4096),
    "small waves(300)": (waves(300) * 1e-6, 400),
    "pareto(12, 3)": (pareto(12, 3.0), 16),
    "waves(19)": (waves(19), 19),
}


def clauset(x):
    best = None
    for i in range(len(x) - LEAST_TAIL + 1):
        tail = x[i:]
        n = len(tail)
        alpha = 1 + n / np.sum(np.log(tail / tail[0]))
        law = 1 - (tail / tail[0]) ** (1 - alpha)
        steps = np.arange(n)
        d = max(np.max(np.abs(law - steps / n)), np.max(np.abs(law - (steps + 1) / n)))
        if best is None or d < best[2]:
            best = (alpha, tail[0], d, n)
    return best


for name, (x, long_side) in SPECTRA.items():
    sigma = np.sqrt(x)
    evals = sigma * sigma
    kept = evals[evals > 1e-5]
    fit = WWFit(kept)
    alpha, peak = fit.alpha, math.log10(np.max(evals))
    print(f"{name}\n  ww       alpha {alpha:.12g} xmin {fit.xmin:.12g} D {fit.D:.12g} "
          f"tail {np.count_nonzero(evals >= fit.xmin)} sigma {fit.sigma:.12g}")
    print(f"           log_norm {math.log10(np.sum(evals)):.12g} log_spectral {peak:.12g} "
          f"weighted {alpha * peak:.12g} log_alpha_norm {math.log10(np.sum(evals ** alpha)):.12g} "
          f"rank {matrix_rank(sigma, long_side)} entropy {matrix_entropy(sigma, long_side):.9g}")
    a, xmin, d, n = clauset(evals)
    print(f"  clauset  alpha {a:.12g} xmin {xmin:.12g} D {d:.12g} tail {n}")
