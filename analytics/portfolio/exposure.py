"""Where the money and the risk of a portfolio are: concentration, risk contributions, groups, factors."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.factor_models._regression import regress

FACTOR_COLUMNS = ("factor", "coefficient", "std_err", "t_stat", "p_value", "low", "high")


def herfindahl(weights: FloatArray) -> float:
    """Return Σ vᵢ² of the invested part v = w / Σw, from 1/n to 1 of weights (n,). NaN when: nothing is invested.

    Source: Herfindahl (1950), Hirschman (1945).
    """
    invested = float(np.sum(weights))
    return float(np.sum((np.asarray(weights) / invested) ** 2)) if invested > 0 else float("nan")


def effective_positions(weights: FloatArray) -> float:
    """Return 1 / herfindahl: how many equal positions are as concentrated. NaN when: nothing is invested."""
    return 1 / herfindahl(weights)


def risk_contributions(weights: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return wᵢ (Σw)ᵢ / w′Σw of each asset, (n,), which add up to 1. NaN when: the portfolio has no variance.

    weights (n,), covariance (n, n); cash has no risk. Raises InputError on shapes that do not fit. Source: Euler's
    theorem on homogeneous functions; Litterman (1996).
    """
    held, sigma = np.asarray(weights, dtype=float), np.asarray(covariance, dtype=float)
    if sigma.shape != (len(held), len(held)):
        raise InputError("covariance", got=f"shape {sigma.shape}", allowed=f"{len(held)} × {len(held)}")
    part: FloatArray = held * (sigma @ held)
    total = part.sum()
    return part / total if total > 0 else np.full(len(held), np.nan)


def group_exposure(weights: FloatArray, covariance: FloatArray, groups: Sequence[str]) -> pd.DataFrame:
    """Return group, weight, risk_contribution and positions of each group (a sector), the largest weight first.

    weights (n,); groups names the group of each asset. Raises InputError on lengths that do not fit.
    """
    held = np.asarray(weights, dtype=float)
    if len(groups) != len(held):
        raise InputError("groups", got=f"{len(groups)} names", allowed=f"one of each of the {len(held)} assets")
    table = pd.DataFrame({
        "group": list(groups), "weight": held, "risk_contribution": risk_contributions(held, covariance),
        "positions": (held != 0).astype(int),
    })  # fmt: skip
    total = table.groupby("group", as_index=False).sum(min_count=1)
    return total.sort_values(["weight", "group"], ascending=[False, True], ignore_index=True)


def factor_exposure(
    portfolio_returns: FloatArray, factor_returns: FloatArray, risk_free_returns: FloatArray, factors: Sequence[str]
) -> pd.DataFrame:
    """Return the portfolio's loading on each factor with its Newey-West error and 95 % interval.

    The portfolio's own excess returns are regressed on the factors: the coefficients are the weighted sums of the
    assets' loadings over the same periods, and the errors need no covariance between the assets' estimates.
    portfolio_returns (T,), factor_returns (T, k) and risk_free_returns (T,) are fractions a period; factors names
    the k columns. Rows: alpha (a period), then the factors; with the market alone, its row is the portfolio's
    beta. Periods where something is unknown are left out. Columns: FACTOR_COLUMNS. Raises InputError on shapes
    that do not fit or too few periods.
    """
    shape = (len(portfolio_returns), len(factors))
    if np.shape(factor_returns) != shape or np.shape(risk_free_returns) != shape[:1]:
        got = f"{np.shape(factor_returns)} and {np.shape(risk_free_returns)}"
        raise InputError("factor_returns and risk_free_returns", got=got, allowed=f"{shape} and {shape[:1]}")
    known = np.isfinite(np.column_stack([portfolio_returns, factor_returns, risk_free_returns])).all(axis=1)
    fit = regress((portfolio_returns - risk_free_returns)[known][:, None], np.asarray(factor_returns)[known])
    columns = {
        name: getattr(fit, name if name != "coefficient" else "coefficients")[:, 0] for name in FACTOR_COLUMNS[1:]
    }
    return pd.DataFrame({"factor": ["alpha", *factors], **columns}, columns=list(FACTOR_COLUMNS))
