# SPDX-License-Identifier: BSD-3-Clause
"""Nets trained on random halves of the rows: what attributions are to foretell."""

import numpy as np
from scipy.special import logsumexp

from benchmarks.studies.lds_problems import rows_of

N_SUBSETS, N_SEEDS, SHARE = 50, 3, 0.5


def subsets(n_rows, n_subsets=N_SUBSETS):
    """Which rows each subset holds, bool of shape (n_subsets, n_rows)."""
    rng = np.random.default_rng(0)
    kept = np.zeros((n_subsets, n_rows), dtype=bool)
    for row in kept:
        row[rng.choice(n_rows, int(SHARE * n_rows), replace=False)] = True
    return kept


def margin(raw, y):
    """Log odds of the true class, of shape (n_samples,)."""
    own = np.arange(len(y)), y
    others = np.where(np.eye(raw.shape[1], dtype=bool)[y], -np.inf, raw)
    return raw[own] - logsumexp(others, axis=1)


def margin_gradient(raw, y):
    """Its derivative by the raw predictions, of shape (n_samples, n_outputs)."""
    true = np.eye(raw.shape[1], dtype=bool)[y]
    others = np.where(true, -np.inf, raw)
    return true - np.exp(others - logsumexp(others, axis=1, keepdims=True))


def retrained(problem, kept, seed, folder):
    """Margins of the test rows after training on some rows; kept in a folder."""
    name = f"{np.packbits(kept).tobytes().hex()[:12]}_{seed}.npy"
    path = folder / name
    if path.exists():
        return np.load(path)
    rows = np.flatnonzero(kept)
    net = problem.net(seed).fit(rows_of(problem.X, rows), problem.y[rows])
    found = margin(raw_prediction(net, problem.X_test), problem.y_test)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(path, found)
    return found


def raw_prediction(net, X):
    """Outputs of the module in float64."""
    return net.forward(X).double().numpy()


def truth(problem, folder, n_subsets=N_SUBSETS, n_seeds=N_SEEDS):
    """Margins of shape (n_seeds, n_subsets, n_test), and the subsets."""
    kept = subsets(len(problem.y), n_subsets)
    margins = [
        [retrained(problem, one, seed, folder) for one in kept]
        for seed in range(n_seeds)
    ]
    return np.array(margins), kept
