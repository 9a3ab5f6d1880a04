"""Whole shares and orders: PyPortfolioOpt's optimum, every possibility counted, by hand, and what always holds."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXACT, PARITY

from analytics.errors import InputError
from analytics.portfolio.discrete_allocation import TOLERANCE, Allocation, orders, whole_shares

CENT = 1e-6  # money that sums of prices in cents may be off by
# PyPortfolioOpt 1.6.0, DiscreteAllocation(weights, prices, capital).lp_portfolio(solver="HIGHS").
LP_PORTFOLIO = [
    {
        "weights": [0.1483, 0.0426, 0.7426, 0.0506, 0.0159],
        "prices": [64.74, 158.36, 133.17, 125.88, 101.77],
        "capital": 10000,
        "shares": [23, 3, 55, 4, 2],
        "leftover": 4.49,
    },
    {
        "weights": [
            0.0065, 0.0228, 0.082, 0.1289, 0.0201, 0.0151, 0.0255, 0.006, 0.0587, 0.0039, 0.0264, 0.1962, 0.0156,
            0.0753, 0.0302, 0.1192, 0.0532, 0.087, 0.017, 0.0104
        ],
        "prices": [
            101.43, 342.63, 153.87, 66.41, 85.95, 153.3, 467.81, 80.18, 81.87, 221.82, 48.95, 78.78, 201.55, 158.27,
            107.04, 170.05, 10.36, 225.21, 46.17, 26.18
        ],
        "capital": 25000,
        "shares": [2, 2, 13, 49, 6, 2, 1, 2, 18, 0, 14, 62, 2, 12, 7, 18, 127, 10, 9, 10],
        "leftover": 6.02,
    },
    {
        "weights": [
            0.1401, 0.0159, 0.1193, 0.0052, 0.0346, 0.0293, 0.0226, 0.0559, 0.0256, 0.0547, 0.034, 0.0345, 0.0017,
            0.055, 0.1716, 0.0327, 0.0432, 0.0087, 0.0149, 0.1005
        ],
        "prices": [
            58.11, 134.85, 91.1, 325.73, 23.02, 99.24, 48.73, 185.06, 18.28, 75.57, 117.7, 30.34, 218.8, 114.77,
            222.62, 214.29, 45.43, 52.55, 84.55, 180.98
        ],
        "capital": 1000000,
        "shares": [2411, 118, 1309, 16, 1502, 295, 464, 302, 1400, 724, 289, 1137, 8, 479, 771, 153, 951, 165, 176, 555],
        "leftover": 4.67,
    },
]  # fmt: skip


def allocate(weights: list[float], prices: list[float], capital: float) -> Allocation:
    tickers = [f"T{number:02d}" for number in range(len(weights))]
    return whole_shares(pd.Series(weights, tickers), pd.Series(prices, tickers), capital=capital)


def distance(weights: np.ndarray, prices: np.ndarray, shares: np.ndarray, capital: float) -> float:
    """Σ|target − value| over tickers and cash, with cash as the rest of the capital."""
    value, target = shares * prices, weights * capital
    return float(np.abs(target - value).sum() + abs((capital - target.sum()) - (capital - value.sum())))


# ---- against PyPortfolioOpt and the count of all possibilities


@pytest.mark.parametrize("case", LP_PORTFOLIO, ids=["5 assets", "20 assets", "20 assets, a million"])
def test_shares_equal_pyportfolioopt(case: dict[str, list[float]]) -> None:
    found = allocate(case["weights"], case["prices"], case["capital"])
    assert found.shares.tolist() == case["shares"]
    assert found.cash == pytest.approx(case["leftover"], abs=CENT)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.6, 1.0))
def test_no_other_shares_are_closer(seed: int, invested: float) -> None:
    rng = np.random.default_rng(seed)
    weights, prices = invested * rng.dirichlet(np.ones(3)), np.round(rng.uniform(20, 300, 3), 2)
    capital = 1_000.0
    found = allocate(weights.tolist(), prices.tolist(), capital)
    most = np.ceil(weights * capital / prices).astype(int) + 1
    every = [np.array(shares) for shares in product(*(range(count + 1) for count in most))]
    allowed = [shares for shares in every if shares @ prices <= weights.sum() * capital + CENT]
    best = min(distance(weights, prices, shares, capital) for shares in allowed)
    assert found.distance == pytest.approx(best, abs=TOLERANCE * capital + CENT)
    assert found.distance - found.gap <= best + CENT


# ---- what always holds


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.sampled_from([3_000.0, 50_000.0, 2e6]), st.floats(0.5, 1.0))
def test_money_adds_up(seed: int, n_assets: int, capital: float, invested: float) -> None:
    rng = np.random.default_rng(seed)
    weights, prices = invested * rng.dirichlet(np.ones(n_assets)), np.round(np.exp(rng.normal(4.5, 0.8, n_assets)), 2)
    found = allocate(weights.tolist(), prices.tolist(), capital)
    shares = found.shares.to_numpy()
    assert found.shares.dtype == np.int64
    assert (shares >= 0).all()
    assert (shares <= np.ceil(weights * capital / prices)).all()
    assert shares @ prices <= invested * capital + CENT
    assert found.cash == pytest.approx(capital - shares @ prices, abs=CENT)
    np.testing.assert_allclose(found.weights, shares * prices / capital, rtol=EXACT)
    assert found.deviation == pytest.approx(np.abs(found.weights - weights).max(), abs=EXACT)
    assert found.distance == pytest.approx(distance(weights, prices, shares, capital), abs=CENT)
    rounded = np.floor(weights * capital / prices + PARITY)
    assert found.distance <= distance(weights, prices, rounded, capital) + CENT
    assert 0 <= found.gap <= 1.1 * TOLERANCE * capital + CENT
    pd.testing.assert_series_equal(allocate(weights.tolist(), prices.tolist(), capital).shares, found.shares)


# ---- by hand


def test_whole_targets_are_met_exactly() -> None:
    found = allocate([0.5, 0.3, 0.2], [50.0, 30.0, 10.0], 1_000.0)
    assert found.shares.tolist() == [10, 10, 20]
    assert (found.cash, found.distance, found.deviation) == (0.0, 0.0, 0.0)


def test_a_share_is_given_up_for_a_dearer_one() -> None:
    """Targets 500 and 500. Rounded down: 16 × 30 + 3 × 130 = 870; a fourth B costs its last 130: 480 + 520 = 1000."""
    found = allocate([0.5, 0.5], [30.0, 130.0], 1_000.0)
    assert found.shares.tolist() == [16, 4]
    assert found.cash == 0
    # Targets 505 and 505 of 1010: with four B 490 are left, 16 A; the distance is 25 + 15 + 10 of cash.
    found = allocate([0.5, 0.5], [30.0, 130.0], 1_010.0)
    assert found.shares.tolist() == [16, 4]
    assert found.distance == pytest.approx(25 + 15 + 10)
    # Targets 400 and 340 of 740: 10 A alone miss all of B, 340 + 340 of cash; six A and one B for 740 miss 160 + 160.
    found = allocate([0.4, 0.34], [40.0, 500.0], 1_000.0)
    assert found.shares.tolist() == [6, 1]
    assert (found.cash, found.distance) == (pytest.approx(260), pytest.approx(320))
    # Targets 60 and 440: giving up one A of 30 pays for B at 470, since 30 + 470 = 500.
    assert allocate([0.12, 0.88], [30.0, 470.0], 500.0).shares.tolist() == [1, 1]


def test_cash_that_the_weights_leave_is_not_spent() -> None:
    found = allocate([0.45, 0.45], [100.0, 100.0], 1_000.0)
    assert sorted(found.shares) == [4, 5]
    assert found.cash == 100


def test_tickers_without_weight_need_no_price() -> None:
    weights = pd.Series({"A": 1.0, "B": 0.0, "C": 0.0})
    found = whole_shares(weights, pd.Series({"C": np.nan, "A": 300.0}), capital=1_000.0)
    assert found.shares.to_dict() == {"A": 3, "B": 0, "C": 0}
    assert found.cash == 100
    nothing = whole_shares(0 * weights, pd.Series(dtype=float), capital=10.0)
    assert nothing.shares.sum() == 0
    assert nothing.cash == 10


# ---- orders


def test_orders_lead_from_one_holding_to_the_other() -> None:
    current = pd.Series({"OLD": 5, "A": 10, "B": 3, "C": 7})
    target = pd.Series({"A": 4, "B": 3, "C": 9, "NEW": 2})
    prices = pd.Series({"A": 10.0, "C": 20.0, "NEW": 100.0, "OLD": 8.0})
    table = orders(current, target, prices)
    assert table["ticker"].tolist() == ["A", "OLD", "NEW", "C"]
    assert table["side"].tolist() == ["sell", "sell", "buy", "buy"]
    assert table["shares"].tolist() == [6, 5, 2, 2]
    assert table["value"].tolist() == [60.0, 40.0, 200.0, 40.0]
    signed = table.set_index("ticker")["shares"] * np.where(table["side"] == "buy", 1, -1)
    assert current.add(signed, fill_value=0).sub(target, fill_value=0).abs().sum() == 0


def test_no_change_is_no_order() -> None:
    same = pd.Series({"A": 4})
    assert orders(same, same, pd.Series(dtype=float)).empty


def test_an_order_without_a_price_is_named() -> None:
    with pytest.raises(InputError, match="no price of B"):
        orders(pd.Series({"A": 1}), pd.Series({"A": 2, "B": 1}), pd.Series({"A": 9.0}))


# ---- bad input


@pytest.mark.parametrize(("weights", "prices", "capital", "message"), [
    ([0.5, 0.5], [np.nan, 10.0], 1_000.0, "no price of T00"),
    ([0.5, 0.5], [10.0, 0.0], 1_000.0, "no price of T01"),
    ([0.7, 0.7], [10.0, 10.0], 1_000.0, "weights that add up to 1.4"),
    ([1.2, -0.2], [10.0, 10.0], 1_000.0, "weights from 0 on"),
    ([0.5, np.nan], [10.0, 10.0], 1_000.0, "weights from 0 on"),
    ([], [], 1_000.0, "0 weights"),
    ([0.5, 0.5], [10.0, 10.0], 0.0, "an amount of money above 0"),
    ([0.5, 0.5], [10.0, 10.0], np.nan, "an amount of money above 0"),
    ([0.5, 0.5], [60.0, 80.0], 50.0, r"capital: got 50.0; allowed: at least 60.00, for one share.*Raise the capital"),
    ([0.25, 0.25], [60.0, 80.0], 100.0, "at least 120.00, for one share"),
])  # fmt: skip
def test_bad_input_is_named(weights: list[float], prices: list[float], capital: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        allocate(weights, prices, capital)
