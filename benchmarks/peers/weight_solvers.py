# SPDX-License-Identifier: BSD-3-Clause
"""Generic solvers on one weight problem, each prepared as its users would.

A solver is ``prepare(problem) -> run`` with ``run() -> weights``: matrices are built in
``prepare``, which is not timed; set-up and solution are. Every solver is asked for the
accuracy that it can still reach at most sizes.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Instance:
    """``min |x|^2 / 2`` s.t. ``A x <= b``, ``0 <= x <= 1``; A of shape (m, n)."""

    A: np.ndarray
    b: np.ndarray


def ours(problem):
    """WeightProblem and one solution, nothing prepared."""
    from sklearn_softunlearn.weights import WeightProblem

    def run():
        return WeightProblem(problem.A.T, problem.b, 0.0).solve(0.0)

    return run


def piqp(problem):
    import piqp

    n = problem.A.shape[1]
    P, G = sparse.eye(n, format="csc"), sparse.csc_matrix(problem.A)
    c, low, high = np.zeros(n), np.zeros(n), np.ones(n)

    def run():
        solver = piqp.SparseSolver()
        solver.settings.eps_abs = solver.settings.eps_rel = 1e-9
        solver.setup(P, c, None, None, G, None, problem.b, low, high)
        return solver.result.x if solver.solve() == piqp.PIQP_SOLVED else None

    return run


def clarabel(problem):
    import clarabel

    n = problem.A.shape[1]
    P, rows, bounds = sparse.eye(n, format="csc"), *_stacked(problem)
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-9
    cones = [clarabel.NonnegativeConeT(len(bounds))]

    def run():
        solver = clarabel.DefaultSolver(P, np.zeros(n), rows, bounds, cones, settings)
        solution = solver.solve()
        return np.array(solution.x) if str(solution.status) == "Solved" else None

    return run


def osqp(problem):
    import osqp

    m, n = problem.A.shape
    P = sparse.eye(n, format="csc")
    rows = sparse.vstack([problem.A, sparse.eye(n)], format="csc")
    low = np.r_[np.full(m, -np.inf), np.zeros(n)]
    high = np.r_[problem.b, np.ones(n)]

    def run():
        solver = osqp.OSQP()
        solver.setup(
            P,
            np.zeros(n),
            rows,
            low,
            high,
            verbose=False,
            eps_abs=1e-6,
            eps_rel=1e-6,
            max_iter=100_000,
            polishing=True,
            time_limit=60.0,
        )
        result = solver.solve(raise_error=False)
        return result.x if result.info.status == "solved" else None

    return run


def scs(problem):
    import scs

    n = problem.A.shape[1]
    rows, bounds = _stacked(problem)
    data = {"P": sparse.eye(n, format="csc"), "A": rows, "b": bounds, "c": np.zeros(n)}

    def run():
        solver = scs.SCS(
            data,
            {"l": len(bounds)},
            verbose=False,
            eps_abs=1e-7,
            eps_rel=1e-7,
            time_limit_secs=60.0,
        )
        solution = solver.solve()
        return solution["x"] if solution["info"]["status"] == "solved" else None

    return run


def highs(problem):
    import highspy

    m, n = problem.A.shape
    rows = sparse.csc_matrix(problem.A)

    def run():
        model = highspy.HighsModel()
        lp, inf = model.lp_, highspy.kHighsInf
        lp.num_col_, lp.num_row_ = n, m
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = (
            np.zeros(n),
            np.zeros(n),
            np.ones(n),
        )
        lp.row_lower_, lp.row_upper_ = np.full(m, -inf), problem.b
        lp.a_matrix_.start_ = rows.indptr
        lp.a_matrix_.index_ = rows.indices
        lp.a_matrix_.value_ = rows.data
        model.hessian_.dim_ = n
        model.hessian_.format_ = highspy.HessianFormat.kTriangular
        model.hessian_.start_ = np.arange(n + 1)
        model.hessian_.index_ = np.arange(n)
        model.hessian_.value_ = np.ones(n)
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("time_limit", 60.0)
        solver.passModel(model)
        solver.run()
        solved = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return np.array(solver.getSolution().col_value) if solved else None

    return run


def daqp(problem):
    from ctypes import c_int

    import daqp

    m, n = problem.A.shape
    H, A = np.eye(n), np.ascontiguousarray(problem.A)
    high, low = np.r_[np.ones(n), problem.b], np.r_[np.zeros(n), np.full(m, -1e30)]
    sense = np.zeros(n + m, dtype=c_int)

    def run():
        x, _, flag, _ = daqp.solve(H, np.zeros(n), A, high, low, sense)
        return np.array(x) if flag == 1 else None

    return run


def quadprog(problem):
    import quadprog

    n = problem.A.shape[1]
    H = np.eye(n)
    C = np.ascontiguousarray(np.vstack([-problem.A, np.eye(n), -np.eye(n)]).T)
    c = np.r_[-problem.b, np.zeros(n), -np.ones(n)]

    def run():
        return quadprog.solve_qp(H, np.zeros(n), C, c)[0]

    return run


def _stacked(problem):
    n = problem.A.shape[1]
    rows = sparse.vstack([problem.A, sparse.eye(n), -sparse.eye(n)], format="csc")
    return rows, np.r_[problem.b, np.ones(n), np.zeros(n)]


# Name, and the most rows that its matrices (dense for the last two) allow.
SOLVERS = {
    "PIQP": (piqp, 10**7),
    "Clarabel": (clarabel, 10**7),
    "SCS": (scs, 10**7),
    "OSQP": (osqp, 10**7),
    "HiGHS": (highs, 10**7),
    "DAQP": (daqp, 2000),
    "quadprog": (quadprog, 2000),
}
