"""Real daily returns, a random problem, and an independent solver to compare the frontier with."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import clarabel
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from analytics.conventions import FRONTIER_SESSIONS, FloatArray

Solver = Callable[[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray], FloatArray]


@pytest.fixture(scope="session")
def stock_returns() -> FloatArray:
    """Daily returns of 20 US stocks over the last five years to 2022."""
    spec = find_spec("skfolio")  # not imported: that takes seconds
    assert spec is not None
    assert spec.origin is not None
    closes = pd.read_csv(Path(spec.origin).parent / "datasets/data/sp500_dataset.csv.gz", index_col=0)
    return closes.pct_change().iloc[-FRONTIER_SESSIONS:].to_numpy()


@pytest.fixture(scope="session")
def interior_point() -> Solver:
    """minimum_variance(Σ, A, b, G, h): the w of least w′Σw with Aw = b and Gw ≤ h, by Clarabel."""
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-11

    def solve(
        covariance: FloatArray, equal: FloatArray, target: FloatArray, below: FloatArray, limit: FloatArray
    ) -> FloatArray:
        solver = clarabel.DefaultSolver(
            sparse.csc_matrix(np.triu(covariance)),
            np.zeros(len(covariance)),
            sparse.csc_matrix(np.vstack([equal, below])),
            np.concatenate([target, limit]),
            [clarabel.ZeroConeT(len(target)), clarabel.NonnegativeConeT(len(limit))],
            settings,
        )
        return np.array(solver.solve().x)

    return solve
