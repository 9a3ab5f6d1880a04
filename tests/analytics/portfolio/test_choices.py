"""The same question under every pair of estimators: against each pair asked alone."""

import numpy as np
import pytest
from tolerances import EXACT

from analytics.conventions import FloatArray
from analytics.portfolio import ESTIMATORS, MarketData, efficient_frontier, evaluate, long_only
from analytics.portfolio.choices import COLUMNS, choices

RATE = 0.02


@pytest.fixture(scope="module")
def data(stock_returns: FloatArray) -> MarketData:
    returns = stock_returns[:, :8]
    models = {"capm": np.linspace(0.05, 0.1, 8), "ff3": np.linspace(0.1, 0.05, 8)}  # no ff5, no factor returns
    return MarketData(tuple("ABCDEFGH"), returns, RATE, model_returns=models)


def test_every_pair_is_a_row_and_is_what_it_gives_alone(data: MarketData) -> None:
    allowed = long_only(8, upper=0.3)
    table = choices(data, feasible=allowed, base="mean__ledoit_wolf", risk_free_rate=RATE)
    assert list(table) == list(COLUMNS)
    rows = {f"{row.expected_returns}__{row.covariance}": row for row in table.itertuples()}
    assert set(rows) == set(ESTIMATORS)

    def alone(key: str) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        mu, sigma = ESTIMATORS[key].estimate(data)
        frontier = efficient_frontier(mu, sigma, risk_free_rate=RATE, feasible=allowed)
        return frontier.min_variance, frontier.max_sharpe, mu, sigma

    base = alone("mean__ledoit_wolf")
    for key in ("mean__ledoit_wolf", "capm__sample", "james_stein__denoised", "black_litterman__oas"):
        least, best, mu, sigma = alone(key)
        row = evaluate(best, mu, sigma, risk_free_rate=RATE)
        assert rows[key].min_variance_volatility == pytest.approx(np.sqrt(least @ sigma @ least), rel=EXACT)
        assert rows[key].max_sharpe_ratio == pytest.approx(row.sharpe_ratio[0], rel=EXACT)
        assert rows[key].max_sharpe_return == pytest.approx(row.expected_return[0], rel=EXACT)
        assert rows[key].min_variance_moved == pytest.approx(np.abs(least - base[0]).sum() / 2, abs=EXACT)
        assert rows[key].max_sharpe_moved == pytest.approx(np.abs(best - base[1]).sum() / 2, abs=EXACT)
    assert rows["mean__ledoit_wolf"].max_sharpe_moved == 0


def test_a_pair_without_data_says_why(data: MarketData) -> None:
    table = choices(data, feasible=long_only(8), base="mean__ledoit_wolf", risk_free_rate=RATE)
    missing = table[table["note"] != ""]
    assert set(missing["expected_returns"]) >= {"ff5"}
    assert "factor_model" in set(missing["covariance"])
    assert missing["max_sharpe_ratio"].isna().all()
    assert table.loc[table["note"] == "", "max_sharpe_ratio"].notna().all()
    without = choices(data, feasible=long_only(8), base="ff5__sample", risk_free_rate=RATE)
    assert without["max_sharpe_moved"].isna().all()  # nothing to compare with
