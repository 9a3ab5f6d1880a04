"""Strategies: where they begin, what they remember, and that their signals are the stored ones."""

import re
from pathlib import Path

import numpy as np
import pytest
from markets import flat_market, random_market

from analytics.backtest.strategies import STRATEGIES, Strategy, changes_only, first_decision_rows
from analytics.backtest.strategies.technical_vote import signals
from analytics.conventions import CORE_VOTES, VOTE_THRESHOLD
from analytics.errors import InputError
from analytics.parameters import resolve
from analytics.signals import technical_signals

NAN = np.nan
VOTES = STRATEGIES["technical_vote"].parameters[1].choices


def test_every_strategy_is_declared_and_documented():
    page = (Path(__file__).parents[3] / "docs/METHODS.md").read_text()
    section = page.split("## Backtests")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)) == set(STRATEGIES)
    for strategy in STRATEGIES.values():
        assert isinstance(strategy, Strategy)
        assert strategy.label
        assert strategy.description.endswith(".")
        assert resolve(strategy.parameters, {}).keys() == {parameter.name for parameter in strategy.parameters}


def test_signals_with_default_parameters_are_the_stored_overall_signal():
    panel = random_market(n=600)
    defaults = resolve(STRATEGIES["technical_vote"].parameters, {})
    assert defaults == {"threshold": VOTE_THRESHOLD, "votes": tuple(sorted(CORE_VOTES)), "indicator_parameters": ""}
    found = signals(panel, **defaults)
    for column, ticker in enumerate(panel.tickers):
        stored = technical_signals(panel.bars(ticker))["overall_signal"]
        np.testing.assert_array_equal(found[panel.has_bar[:, column], column], stored)
        assert np.isnan(found[~panel.has_bar[:, column], column]).all()
    assert {-1.0, 0.0, 1.0} <= set(found[np.isfinite(found)])


def test_the_first_row_is_the_last_bar_before_the_start():
    panel = flat_market({"A": [1, 1, 1, 1, 1], "B": [1, NAN, NAN, 1, 1], "C": [NAN, NAN, NAN, NAN, 1]})
    assert first_decision_rows(panel, panel.dates[3]).tolist() == [2, 0, 4]
    assert first_decision_rows(panel, panel.dates[0]).tolist() == [0, 0, 4]
    assert first_decision_rows(panel, panel.dates[4] + 9).tolist() == [4, 4, 4]


def test_a_decision_is_said_once_and_memory_begins_flat():
    targets = np.array([[0.5], [0.5], [NAN], [0.5], [0.0], [0.0], [NAN], [0.5], [0.2]])
    said = changes_only(targets, np.array([0]))[:, 0]
    np.testing.assert_array_equal(said, [0.5, NAN, NAN, NAN, 0.0, NAN, NAN, 0.5, 0.2])
    later = changes_only(targets, np.array([4]))[:, 0]  # flat before row 4: nothing to close there
    np.testing.assert_array_equal(later, [NAN] * 7 + [0.5, 0.2])


def test_buy_and_hold_decides_once_per_ticker():
    panel = flat_market({"A": [1, 1, 1], "B": [NAN, 1, 1]})
    first_rows = first_decision_rows(panel, panel.dates[0])
    decided = STRATEGIES["buy_and_hold"].decide(panel, first_rows)
    np.testing.assert_array_equal(decided, [[0.5, NAN], [NAN, 0.5], [NAN, NAN]])


@pytest.mark.parametrize("threshold", [1, 2])
@pytest.mark.parametrize("start_row", [0, 120, 250, 333])
def test_the_vote_trades_on_changes_of_state_from_flat_at_the_start(threshold, start_row):
    panel = random_market(seed=5)
    parameters = {"threshold": threshold, "votes": VOTES}
    first_rows = first_decision_rows(panel, panel.dates[start_row])
    decided = STRATEGIES["technical_vote"].decide(panel, first_rows, **parameters)
    signal = signals(panel, **parameters)
    for column in range(len(panel.tickers)):  # the rule, bar by bar
        holds, expected = False, np.full(len(panel.dates), NAN)
        for row in range(first_rows[column], len(panel.dates)):
            if signal[row, column] == 1.0 and not holds:
                holds, expected[row] = True, 1.0 / len(panel.tickers)
            elif signal[row, column] == -1.0 and holds:
                holds, expected[row] = False, 0.0
        np.testing.assert_array_equal(decided[:, column], expected)
    assert np.isfinite(decided).sum() > 4


def test_more_votes_than_voters_are_refused():
    panel = random_market(n=60, n_tickers=1)
    with pytest.raises(InputError, match="threshold: got 2; allowed: at most the number of voting indicators, 1"):
        STRATEGIES["technical_vote"].decide(panel, np.zeros(1, dtype=int), threshold=2, votes=("rsi",))
