"""From weights to orders: whole shares for a capital, and what to buy and sell to get there."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.conventions import FloatArray
from analytics.errors import InputError

IntArray = npt.NDArray[np.intp]
WHOLE: Final = 1e-9  # of a share: what rounding leaves of a whole one
NODES: Final = 200  # of the search; a limit in seconds would make the answer depend on the machine
TOLERANCE: Final = 1e-5  # of the capital: the search ends where no answer can be closer by more
ORDER_COLUMNS: Final = ("ticker", "side", "shares", "price", "value")


@dataclass(frozen=True, eq=False)
class Allocation:
    """Whole shares by ticker and what they leave; money in the currency of the prices.

    shares (integers) and weights (of the capital): Series by ticker. cash: what is not spent. distance: Σ|target −
    value| over tickers and cash; gap: how much smaller it could be at the most. deviation: largest |weight −
    target weight| of a ticker.
    """

    shares: pd.Series
    weights: pd.Series
    cash: float
    distance: float
    gap: float
    deviation: float


@dataclass(frozen=True, eq=False)
class _Problem:
    """Of each asset: target value and price in money, the target in whole shares, and the fraction left of one."""

    target: FloatArray
    prices: FloatArray
    floor: FloatArray
    fraction: FloatArray

    def spare(self, shares: FloatArray) -> float:
        """Money that the targets give and these shares do not spend."""
        return float(self.target.sum() - self.prices @ shares)

    def distance(self, shares: FloatArray) -> float:
        """Σ|target − value| over assets and cash, which is twice the shortfall as long as spare is not negative."""
        return 2 * float(np.maximum(self.target - self.prices * shares, 0).sum())


def whole_shares(weights: pd.Series, prices: pd.Series, *, capital: float) -> Allocation:
    """Return the whole shares whose values, with the cash left over, are closest to weights × capital.

    weights: fractions by ticker, 0 or more, at most 1 together; what is missing to 1 stays in cash. prices: by
    ticker, of every ticker with a weight. Least Σ|target − value| over tickers and cash, spending no more than
    the weights allow: a mixed-integer programme, searched to within 1e-5 of the capital or for a fixed number of
    nodes, never worse than rounding, so that the same input gives the same shares; `gap` says what may be missing.
    Raises InputError on a missing price, weights that are no portfolio, or a capital too small for one share.
    Source: PyPortfolioOpt's DiscreteAllocation.lp_portfolio has the same optimum where the weights add up to 1.
    """
    wanted, price = _checked(weights, prices, capital)
    held = wanted > 0
    problem = _problem(wanted[held], price[held], float(capital))
    found, bound = _search(problem, float(capital)) if held.any() else (np.zeros(0), 0.0)
    shares, value = np.zeros(len(wanted)), np.zeros(len(wanted))
    shares[held], value[held] = found, found * problem.prices
    distance = problem.distance(found)
    return Allocation(
        pd.Series(shares.astype(np.int64), weights.index), pd.Series(value / capital, weights.index),
        cash=max(float(capital - value.sum()), 0.0), distance=distance, gap=max(distance - bound, 0.0),
        deviation=float(np.abs(value / capital - wanted).max()),
    )  # fmt: skip


def orders(current_shares: pd.Series, target_shares: pd.Series, prices: pd.Series) -> pd.DataFrame:
    """Return what to buy and sell: ticker, side, shares, price and value, sales first, the largest value first.

    All three are Series by ticker; a ticker that one of the share counts does not name has 0 there. Raises
    InputError where a ticker that is traded has no price.
    """
    tickers = current_shares.index.union(target_shares.index, sort=True)
    change = target_shares.reindex(tickers, fill_value=0) - current_shares.reindex(tickers, fill_value=0)
    change = change[change != 0]
    price = prices.reindex(change.index).astype(float)
    _require_prices(price, change.index)
    table = pd.DataFrame({
        "ticker": change.index, "side": np.where(change > 0, "buy", "sell"), "shares": change.abs().to_numpy(),
        "price": price.to_numpy(), "value": (change.abs() * price).to_numpy(),
    }, columns=list(ORDER_COLUMNS))  # fmt: skip
    return table.sort_values(["side", "value", "ticker"], ascending=[False, False, True], ignore_index=True)


def _checked(weights: pd.Series, prices: pd.Series, capital: float) -> tuple[FloatArray, FloatArray]:
    wanted = weights.to_numpy(dtype=float)
    if not len(wanted) or not np.isfinite(wanted).all() or wanted.min() < -WHOLE or wanted.sum() > 1 + WHOLE:
        got = f"{len(wanted)} weights that add up to {wanted.sum():.6g}"
        raise InputError("weights", got=got, allowed="weights from 0 on that add up to 1 at most")
    if not (np.isfinite(capital) and capital > 0):
        raise InputError("capital", got=capital, allowed="an amount of money above 0")
    wanted = np.where(wanted > WHOLE, wanted, 0.0)
    price = prices.reindex(weights.index).to_numpy(dtype=float)
    held = wanted > 0
    _require_prices(pd.Series(price[held]), weights.index[held])
    least = price[held].min() / wanted.sum() if held.any() else 0.0
    if capital * (1 + WHOLE) < least:
        allowed = f"at least {least:.2f}, for one share of the portfolio"
        raise InputError("capital", got=capital, allowed=allowed, fix="Raise the capital.")
    return wanted, price


def _require_prices(prices: pd.Series, tickers: pd.Index) -> None:
    values = prices.to_numpy(dtype=float)
    missing = [
        str(ticker) for ticker, known in zip(tickers, np.isfinite(values) & (values > 0), strict=True) if not known
    ]
    if missing:
        raise InputError("prices", got=f"no price of {', '.join(missing)}", allowed="a price above 0 of each")


def _problem(weights: FloatArray, prices: FloatArray, capital: float) -> _Problem:
    target = weights * capital
    exact = target / prices
    floor = np.floor(exact + WHOLE)
    return _Problem(target, prices, floor, np.maximum(exact - floor, 0.0))


def _greedy(problem: _Problem) -> FloatArray:
    """Round down, then up where most of a share is missing, as long as there is money for it."""
    shares = problem.floor.copy()
    for asset in np.argsort(-problem.fraction, kind="stable"):
        if problem.fraction[asset] * problem.prices[asset] > 0 and problem.prices[asset] <= problem.spare(shares):
            shares[asset] += 1
    return shares


def _search(problem: _Problem, capital: float) -> tuple[FloatArray, float]:
    """The best shares found, and a distance that none can be below.

    A share more than the rounded-down ones costs its price and makes up for a fraction of it; giving up one of
    those frees its price and misses all of it. Two shares more of one asset, or one more of one that needs none,
    never help: what is left is a knapsack. With fractions of shares it is full of the largest remainders down to
    a critical one; a decision that costs more against that than the greedy shares miss cannot be part of the best.
    """
    price, fraction, greedy = problem.prices, problem.fraction, _greedy(problem)
    order = np.argsort(-fraction, kind="stable")
    room = problem.spare(problem.floor) - np.cumsum(price[order])
    full = int(np.searchsorted(-room, 0.0, side="right"))  # so many are paid for
    critical = float(fraction[order[min(full, len(order) - 1)]])
    most = max(critical * problem.spare(problem.floor), 0.0) + float((np.maximum(fraction - critical, 0) * price).sum())
    missed = most - (problem.distance(problem.floor) - problem.distance(greedy)) / 2
    bound = problem.distance(problem.floor) - 2 * most
    if 2 * missed <= TOLERANCE * capital:
        return greedy, bound
    cost = (fraction - critical) * price
    sure = np.where(cost > missed, 1.0, 0.0)
    open_up, open_down = np.abs(cost) <= missed, ((1 - critical) * price <= missed) & (problem.floor > 0)
    found, bound = _branch(problem, sure, np.flatnonzero(open_up), np.flatnonzero(open_down), most - missed, capital)
    affordable = problem.spare(found) >= -WHOLE * capital
    return (found if affordable and problem.distance(found) < problem.distance(greedy) else greedy), bound


def _branch(
    problem: _Problem, sure: FloatArray, up: IntArray, down: IntArray, known: float, capital: float
) -> tuple[FloatArray, float]:
    """The best shares and a bound of the distance, where only `up` may be raised and `down` lowered; known is a gain."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # 0.2 s, for the one who asks for orders

    price, fraction, start = problem.prices, problem.fraction, problem.floor + sure
    unit = float(price.mean())
    gained = float((fraction * price * sure).sum())
    tolerance = TOLERANCE * capital / 2 / max(known - gained, TOLERANCE * capital)
    found = milp(
        np.append(-fraction[up] * price[up], price[down]) / unit,
        integrality=np.ones(len(up) + len(down)),
        bounds=Bounds(0.0, np.append(np.ones(len(up)), problem.floor[down])),
        constraints=LinearConstraint(
            np.append(price[up], -price[down])[None] / unit, -np.inf, problem.spare(start) / unit
        ),
        options={"node_limit": NODES, "mip_rel_gap": tolerance},
    )
    if found.x is None:
        return problem.floor, 0.0
    shares = start.copy()
    shares[up] += np.round(found.x[: len(up)])
    shares[down] -= np.round(found.x[len(up) :])
    return shares, problem.distance(problem.floor) - 2 * (gained - unit * float(found.mip_dual_bound))
