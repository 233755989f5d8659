# SPDX-License-Identifier: BSD-3-Clause
"""The weight problem against generic solvers, and how many passes hard cases take.

    python -m benchmarks.studies.weights [--sizes 1000 10000 ...] [--json FILE]

Influences on a metric and on a utility that opposes it, normalised to a largest entry
of 1, since at their own scale generic solvers call feasible problems infeasible.
Requests are 0.1, 0.5 and 0.9 of the largest attainable improvement. Everything runs in
one thread; solvers are interleaved, and figures are medians over requests and repeats
of time / our time in the same round. A solver that takes more than a minute is left
out of larger sizes.
"""

import argparse
import json
import platform
import time

import numpy as np
import scipy
from threadpoolctl import threadpool_limits

from benchmarks.peers.weight_solvers import SOLVERS, Instance, ours
from sklearn_softunlearn.weights import WeightProblem

FRACTIONS = (0.1, 0.5, 0.9)
TOO_LONG = 60.0
KINDS = (
    "plain",
    "opposed",
    "nearly opposite",
    "opposite",
    "heavy tails",
    "ties",
    "zeros",
    "scale 1e-12",
    "all harmful",
)


def influences(rng, kind, n):
    """Metric and utility influences of one kind, shape (n, 2)."""
    a, u = rng.standard_normal((2, n))
    if kind == "opposed":
        u = u - 0.5 * a
    if kind == "nearly opposite":
        u = -a * (1 + 1e-6 * u)
    if kind == "opposite":
        u = -a
    if kind == "heavy tails":
        a, u = a / rng.random(n) ** 2, u / rng.random(n) ** 2
    if kind == "ties":
        a, u = rng.integers(-3, 4, (2, n)).astype(float)
    if kind == "zeros":
        a, u = a * (rng.random(n) < 0.1), u * (rng.random(n) < 0.5)
    if kind == "scale 1e-12":
        u = 1e-12 * u
    if kind == "all harmful":
        a = np.abs(a)
    return 1e-6 * np.column_stack([a, u])


def instance(A, fraction):
    """The problem for a fraction of the largest attainable improvement."""
    A = A / np.max(np.abs(A), axis=0)
    delta = WeightProblem(A, 0.0, [1.0, 0.0]).delta_max
    return Instance(np.ascontiguousarray(A.T), np.array([-fraction * delta, 0.0]))


def violation(problem, x):
    """Largest violation of constraints and bounds, relative for constraints."""
    size = np.abs(problem.A) @ np.abs(x) + np.abs(problem.b)
    rows = np.max((problem.A @ x - problem.b) / size)
    return float(max(rows, np.max(-x), np.max(x - 1), 0.0))


def timed(run):
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def stream(A):
    """Seconds to read A once."""
    return min(timed(lambda: np.sum(A))[0] for _ in range(5))


def compare(n, repeats, left_out):
    """Rows of the table for one size; adds to ``left_out`` what takes too long."""
    rng = np.random.default_rng(n)
    rounds, rows = {name: [] for name in SOLVERS}, []
    for fraction in FRACTIONS:
        problem = instance(influences(rng, "opposed", n), fraction)
        solve = ours(problem)
        theirs = {
            name: prepare(problem)
            for name, (prepare, most) in SOLVERS.items()
            if n <= most and name not in left_out
        }
        floor = stream(problem.A)
        for _ in range(repeats):
            seconds, solution = timed(solve)
            best = solution.weights
            rows.append(
                (seconds, seconds / floor, solution.n_iter, violation(problem, best))
            )
            for name in [name for name in theirs if name not in left_out]:
                taken, x = timed(theirs[name])
                rounds[name].append(_measured(problem, best, x, taken, seconds))
                if taken > TOO_LONG:
                    left_out.add(name)
    return _summary(rows, rounds)


def _measured(problem, best, x, taken, seconds):
    if x is None:
        return taken / seconds, np.nan, np.nan, np.nan
    return (
        taken / seconds,
        violation(problem, x),
        abs(x @ x / (best @ best) - 1),
        float(np.max(np.abs(x - best))),
    )


def _summary(rows, rounds):
    seconds, floor, passes, worst = np.array(rows).T
    return {
        "ours": {
            "ms": 1e3 * np.median(seconds),
            "streams": np.median(floor),
            "passes": np.median(passes),
            "violation": np.max(worst),
        },
        "solvers": {
            name: {
                "ratio": np.median([r[0] for r in values]),
                "failed": int(np.sum(np.isnan([r[1] for r in values]))),
                "of": len(values),
                "violation": _worst(values, 1),
                "objective": _worst(values, 2),
                "weight": _worst(values, 3),
            }
            for name, values in rounds.items()
            if values
        },
    }


def _worst(values, column):
    found = [r[column] for r in values if not np.isnan(r[column])]
    return float(np.max(found)) if found else None


def hard_cases(n, repeats):
    """Passes and residuals over kinds, requests up to the edge, and regularizations."""
    rng = np.random.default_rng(n)
    passes, residuals = [], []
    for _ in range(repeats):
        for kind in KINDS:
            problem = WeightProblem(influences(rng, kind, n), 0.0, [1.0, 0.0])
            for fraction in (
                0,
                1e-6,
                0.01,
                0.1,
                0.5,
                0.9,
                0.99,
                0.999,
                1 - 1e-6,
                1,
                1.5,
            ):
                for regularization in (1.0, 0.1, 1e-3, 0.0):
                    solution = problem.solve(
                        fraction * problem.delta_max, regularization=regularization
                    )
                    passes.append(solution.n_iter)
                    residuals.append(solution.kkt_residual)
    return {
        "cases": len(passes),
        "passes": {q: float(np.percentile(passes, q)) for q in (50, 90, 99, 100)},
        "residual": float(np.max(residuals)),
    }


def many_constraints(n_groups, n, repeats):
    """All ordered pairs of groups and a utility: the time of one solution."""
    rng = np.random.default_rng(0)
    rates = 1e-6 * rng.standard_normal((n, n_groups))
    k = range(n_groups)
    pairs = [rates[:, i] - rates[:, j] for i in k for j in k if i != j]
    A = np.column_stack([*pairs, 1e-6 * rng.standard_normal(n)])
    values = 1e-3 * rng.random(n_groups)
    gaps = np.array([values[i] - values[j] for i in k for j in k if i != j])
    bounds = np.r_[gaps.max() - gaps, 0.0]
    tighten = np.r_[np.full(len(gaps), gaps.max()), 0.0]
    problem = WeightProblem(A, bounds, tighten)
    runs = [timed(lambda: problem.solve(0.5)) for _ in range(repeats)]
    again = [WeightProblem(A, bounds, tighten) for _ in range(3)]
    attainable = [timed(lambda p=p: p.delta_max)[0] for p in again]
    return {
        "constraints": A.shape[1],
        "ms": 1e3 * np.median([seconds for seconds, _ in runs]),
        "passes": runs[0][1].n_iter,
        "residual": runs[0][1].kkt_residual,
        "delta_max ms": 1e3 * np.median(attainable),
    }


def whole_path(n, n_deltas):
    """Seconds of a path and of as many cold solutions."""
    A = influences(np.random.default_rng(n), "opposed", n)
    problem = WeightProblem(A, 0.0, [1.0, 0.0])
    deltas = problem.delta_max * np.linspace(0.05, 0.9, n_deltas)
    cold = timed(lambda: [problem.solve(delta) for delta in deltas])
    path = timed(lambda: problem.path(deltas, keep_weights=False))
    return {
        "cold ms per delta": 1e3 * cold[0] / n_deltas,
        "path ms per delta": 1e3 * path[0] / n_deltas,
        "cold passes": float(np.mean([s.n_iter for s in cold[1]])),
        "path passes": float(np.mean(path[1].n_iter)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10**k for k in (3, 4, 5, 6)]
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    results = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "threads": 1,
    }
    left_out = set()
    with threadpool_limits(1):
        for n in options.sizes:
            results[f"n={n}"] = compare(n, options.repeats, left_out)
            print(n, json.dumps(results[f"n={n}"], indent=1), flush=True)
        for n in options.sizes[:3]:
            results[f"hard cases n={n}"] = hard_cases(n, 1)
            print(n, results[f"hard cases n={n}"], flush=True)
        results["5 groups, n=34189"] = many_constraints(5, 34189, 9)
        results["path n=100000"] = whole_path(100_000, 20)
    print(
        json.dumps({k: v for k, v in results.items() if "n=1" not in k or "path" in k})
    )
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
