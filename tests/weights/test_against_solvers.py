# SPDX-License-Identifier: BSD-3-Clause
"""Ours against two independent solvers, on data normalised for them.

At the scale of influences their tolerances would call feasible problems infeasible.
Their objective is exact to about 1e-9, their single weights are not.
"""

import numpy as np
import pytest
from scipy import sparse

from tests.weights.weight_problems import BOXES, KINDS, random_problem

piqp = pytest.importorskip("piqp")
clarabel = pytest.importorskip("clarabel")

# Both generic solvers fail on these, or stop at 1e-4.
TOO_HARD = {"nearly opposite", "heavy tails"}
PROBLEMS = [
    (kind, box)
    for kind in KINDS
    for box in BOXES
    if kind not in TOO_HARD and box != "half open"
]


def normalised(problem, delta):
    A, n = problem.constraints, len(problem.constraints)
    unit = np.max(np.abs(A), axis=0)
    unit = np.where(unit > 0, unit, 1e-6)
    r = np.ones(n) if problem.norm_weight is None else problem.norm_weight
    b = (problem.bounds - delta * problem.tighten) / unit
    lower, upper = (np.broadcast_to(v, n) for v in (problem.lower, problem.upper))
    return A / unit, b, r.astype(float), lower.astype(float), upper.astype(float)


def by_clarabel(cost, A, b, r, lower, upper):
    n = len(A)
    rows = sparse.vstack([sparse.csc_matrix(A.T), sparse.eye(n), -sparse.eye(n)])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    cones = [clarabel.NonnegativeConeT(A.shape[1] + 2 * n)]
    solver = clarabel.DefaultSolver(
        sparse.diags(r).tocsc(),
        cost,
        rows.tocsc(),
        np.r_[b, upper, -lower],
        cones,
        settings,
    )
    solution = solver.solve()
    solved = str(solution.status) == "Solved"
    return np.array(solution.x) if solved else None


def by_piqp(cost, A, b, r, lower, upper):
    solver = piqp.DenseSolver()
    solver.settings.eps_abs = solver.settings.eps_rel = 1e-11
    solver.settings.max_iter = 1000
    solver.setup(np.diag(r), cost, None, None, A.T.copy(), None, b, lower, upper)
    solved = solver.solve() == piqp.PIQP_SOLVED
    return np.array(solver.result.x) if solved else None


@pytest.mark.parametrize("their_solver", [by_clarabel, by_piqp])
@pytest.mark.parametrize("regularization", [1.0, 0.3])
def test_nobody_finds_better_weights(their_solver, regularization):
    n_solved = n_problems = 0
    for kind, box in PROBLEMS:
        rng = np.random.default_rng([KINDS.index(kind), BOXES.index(box), 5])
        for _ in range(12):
            problem = random_problem(rng, kind, box)
            # Attainable requests of 1e-17 are rounding of the data.
            delta_max = problem.delta_max if problem.delta_max > 1e-9 else 0.0
            delta = rng.choice([0.01, 0.3, 0.9]) * delta_max
            ours = problem.solve(delta, regularization=regularization)
            A, b, r, lower, upper = normalised(problem, delta)
            cost = problem.constraints @ (ours.coefficients - ours.multipliers)
            theirs = their_solver(cost, A, b, r, lower, upper)
            n_problems += 1
            if theirs is None:
                continue
            n_solved += 1
            objective = [x @ cost + x @ (r * x) / 2 for x in (ours.weights, theirs)]
            size = abs(theirs @ cost) + theirs @ (r * theirs) + 0.01
            assert abs(objective[0] - objective[1]) <= 1e-6 * size
            atol = 3e-3 * max(1.0, np.max(np.abs(theirs)))
            np.testing.assert_allclose(ours.weights, theirs, atol=atol)
    assert n_solved >= 0.9 * n_problems
