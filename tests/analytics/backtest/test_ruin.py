"""An account that is ruined, or halted by its drawdown: what is closed, at which price, and what follows."""

from dataclasses import replace

import numpy as np
import pytest
from given_strategy import decide_as_given
from markets import flat_market, inputs_of
from tolerances import EXACT, PARITY

from analytics.backtest import BacktestResult, BacktestSpec, Costs, Rules, run_backtest
from analytics.backtest.terms import FREE, LONG_SHORT
from analytics.market import Panel

NAN = np.nan


def ask(monkeypatch, panel: Panel, decisions, **rules) -> BacktestResult:
    rules = Rules(**({"cash_interest": False, "max_position": 1.0, "direction": LONG_SHORT} | rules))
    spec = BacktestSpec(initial_capital=1_000.0, costs=Costs(**FREE), rules=rules)
    return run_backtest(
        inputs_of(panel), replace(spec, strategy=decide_as_given(monkeypatch, decisions), parameters={})
    )


def column(result: BacktestResult, name: str) -> list:
    return result.trades[name].tolist()


def test_a_short_that_ruins_the_account_is_liquidated_and_nothing_is_traded_after(monkeypatch):
    panel = flat_market({"A": [10, 10, 20, 40, 10, 10], "B": [5] * 6})
    decisions = [[-0.5, NAN], [NAN, NAN], [NAN, NAN], [NAN, 0.5], [NAN, 0.5], [NAN, NAN]]
    result = ask(monkeypatch, panel, decisions)
    # 50 shares sold at 10; at 40 they cost 2,000 of the 1,500 in cash
    np.testing.assert_allclose(result.equity, [1_000, 1_000, 500, -500, -500, -500], rtol=EXACT)
    assert column(result, "reason") == ["liquidated"]
    assert column(result, "pnl") == [-1_500.0]
    assert (result.audit["liquidated_on"], result.audit["halted_on"]) == ("2024-01-04", None)
    assert result.gross_exposure.tolist()[3:] == [0.0] * 3
    assert result.metrics["total_return"] == pytest.approx(-1.5, rel=EXACT)
    assert result.metrics["max_drawdown"] <= -1.0


def test_an_account_that_loses_exactly_everything_is_handled(monkeypatch):
    panel = flat_market({"A": [10, 10, 20, 10]})
    result = ask(monkeypatch, panel, [[-1.0], [NAN], [NAN], [NAN]])
    assert result.equity.tolist() == [1_000.0, 1_000.0, 0.0, 0.0]
    assert result.audit["liquidated_on"] == "2024-01-03"
    assert column(result, "reason") == ["liquidated"]
    assert result.gross_exposure.tolist()[2:] == [0.0, 0.0]
    assert result.metrics["total_return"] == -1.0


def test_a_fall_beyond_the_halt_closes_everything_at_the_next_open_for_good(monkeypatch):
    panel = flat_market({"A": [10, 10, 8, 7, 9, 9], "B": [10] * 6}, opens={"A": [10, 10, 8, 7.5, 9, 9], "B": [10] * 6})  # fmt: skip
    decisions = [[0.5, 0.5], [NAN, NAN], [NAN, NAN], [0.5, 0.5], [0.5, 0.5], [NAN, NAN]]
    result = ask(monkeypatch, panel, decisions, drawdown_halt=0.09)
    # −10 % at the close of day 2: 50 A go at 7.5 and 50 B at 10 on day 3
    np.testing.assert_allclose(result.equity, [1_000, 1_000, 900, 875, 875, 875], rtol=EXACT)
    assert set(result.trades["reason"]) == {"drawdown halt"}
    assert (result.audit["halted_on"], result.audit["liquidated_on"]) == ("2024-01-03", None)  # at whose close it ended
    assert result.gross_exposure.tolist()[3:] == [0.0] * 3


def test_a_halt_is_told_where_a_stop_had_closed_the_position_first(monkeypatch):
    """Stopped out at 8 on day 2, which is the fall of 10 % that halts: nothing is held, and nothing is bought again."""
    panel = flat_market({"A": [10, 10, 8, 8, 8]})
    decisions = [[0.5], [NAN], [0.5], [0.5], [NAN]]
    result = ask(monkeypatch, panel, decisions, drawdown_halt=0.09, stop_loss=0.1)
    assert column(result, "reason") == ["stop loss"]
    assert (result.audit["halted_on"], result.audit["liquidated_on"]) == ("2024-01-03", None)
    np.testing.assert_allclose(result.equity, [1_000, 1_000, 900, 900, 900], rtol=EXACT)
    traded = ask(monkeypatch, panel, decisions, drawdown_halt=0.11, stop_loss=0.1)  # not fallen so far: it goes on
    assert traded.audit["halted_on"] is None
    assert len(traded.trades) == 2


def test_an_account_that_is_lost_after_its_halt_has_both_days(monkeypatch):
    """90 shares sold at 10; halted at 14, and of the few dollars that are traded a day one share is bought back."""
    panel = flat_market({"A": [10, 10, 10, 10, 10, 14, 30, 60]})
    panel = replace(panel, volume=np.where(np.arange(8)[:, None] < 4, 1_000.0, 10.0))
    spec = BacktestSpec(
        strategy=decide_as_given(monkeypatch, [[NAN]] * 2 + [[-0.9]] + [[NAN]] * 5), initial_capital=1_000.0,
        costs=Costs(**FREE | {"participation_cap": 0.1}),
        rules=Rules(cash_interest=False, max_position=1.0, direction=LONG_SHORT, drawdown_halt=0.2),
    )  # fmt: skip
    result = run_backtest(inputs_of(panel), spec)
    assert (result.audit["halted_on"], result.audit["liquidated_on"]) == ("2024-01-06", "2024-01-07")
    assert column(result, "reason") == ["liquidated"]


def test_a_halt_at_the_last_close_is_told(monkeypatch):
    result = ask(monkeypatch, flat_market({"A": [10, 10, 8]}), [[1.0], [NAN], [NAN]], drawdown_halt=0.19)
    assert column(result, "reason") == ["end of test"]
    assert result.audit["halted_on"] == "2024-01-03"


def test_the_day_of_the_halt_is_that_of_the_calendar_where_the_test_starts_late(monkeypatch):
    panel = flat_market({"A": [10] * 5 + [8, 8, 9]})
    spec = BacktestSpec(initial_capital=1_000.0, costs=Costs(**FREE), start="2024-01-04", rules=Rules(
        cash_interest=False, max_position=1.0, drawdown_halt=0.1,
    ))  # fmt: skip
    result = run_backtest(
        inputs_of(panel), replace(spec, strategy=decide_as_given(monkeypatch, [[1.0]] * 8), parameters={})
    )
    assert result.audit["halted_on"] == "2024-01-06"


def test_a_halted_account_still_earns_interest(monkeypatch):
    panel = flat_market({"A": [10, 10, 5, 5, 5]})
    result = ask(monkeypatch, panel, [[1.0]] + [[NAN]] * 4, drawdown_halt=0.4, cash_interest=True)
    np.testing.assert_allclose(result.equity[4:] / result.equity[3:-1], 1.0001, rtol=PARITY)


def test_a_halt_waits_for_the_next_bar_of_a_suspended_ticker(monkeypatch):
    panel = flat_market({"A": [10, 10, 6, NAN, NAN, 7], "B": [10] * 6})
    result = ask(monkeypatch, panel, [[0.5, 0.5]] + [[NAN, NAN]] * 5, drawdown_halt=0.1)
    ended = dict(zip(column(result, "ticker"), column(result, "exit_date"), strict=True))
    assert ended == {"A": "2024-01-06", "B": "2024-01-04"}
