"""Each gate is green on a clean run and turns amber or red on one made for it."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from leaks import by_feature, orders_by
from markets import flat_market, random_market

from analytics.backtest import BacktestSpec, run_backtest, simulate
from analytics.backtest import audit as audit_module
from analytics.backtest.audit import audit_backtest, delay
from analytics.backtest.engine import TradingPrices, total_return_prices
from analytics.backtest.gate import Audit, Gate, figure, percent
from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.look_ahead import Leaks
from analytics.backtest.orders import PENDING, Orders
from analytics.backtest.plausibility import costs_on, doubled, impossible_winner, minimum_trades
from analytics.backtest.result import BacktestResult
from analytics.backtest.strategies import first_decision_rows
from analytics.backtest.survivorship import survivorship
from analytics.backtest.terms import FREE, Costs
from analytics.backtest.warm_up import measure_warm_up
from analytics.errors import InputError
from analytics.market import Panel

PARAMETERS = {"threshold": 1}
N, FIRST = 420, 150
PANEL = random_market(n=N, n_tickers=3, seed=6)
SPEC = BacktestSpec(parameters=PARAMETERS, start=str(PANEL.dates[FIRST]))
UNIVERSE = {"index": [(ticker, "1990-01-01", None) for ticker in PANEL.tickers]}
GATES = [
    "poison", "truncation", "same_bar", "warm_up", "costs_on", "minimum_trades", "survivorship", "impossible_winner",
    "fills",
]  # fmt: skip


def inputs_of(panel: Panel) -> StrategyInputs:
    return StrategyInputs(panel, first_decision_rows(panel, panel.dates[0]), np.full(len(panel.dates), 0.00005))


INPUTS = inputs_of(PANEL)
RESULT = run_backtest(INPUTS, SPEC)
ONE = inputs_of(Panel.of([PANEL.bars("T0")]))  # of one ticker, whose rule is quick
ONE_SPEC = BacktestSpec(start=SPEC.start)


def above_average(window: int) -> Callable[[StrategyInputs, int, int], Orders]:
    """Hold the ticker while it is above its mean of the last closes."""

    def decide(inputs: StrategyInputs) -> np.ndarray:
        close = inputs.panel.close
        padded = np.concatenate([np.full(window - 1, np.nan), close[:, 0]])
        mean = np.lib.stride_tricks.sliding_window_view(padded, window).mean(axis=1)
        return np.where(np.isfinite(close[:, 0] + mean), close[:, 0] > mean, np.nan)[:, None]

    return orders_by(decide)


@pytest.fixture(scope="module")
def audit() -> Audit:
    told: list[tuple[float, str]] = []
    found = audit_backtest(INPUTS, SPEC, RESULT, members=UNIVERSE, report=lambda *said: told.append(said))
    assert len(told) >= 25
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    return found


def verdicts(audit: Audit) -> dict[str, str]:
    return {gate.key: gate.verdict for gate in audit.gates}


def run_with(monkeypatch, orders_of, inputs: StrategyInputs, spec: BacktestSpec) -> BacktestResult:
    """The result of a rule that is not registered."""
    monkeypatch.setattr(simulate, "decide_orders", lambda given, _spec, *, first, last: orders_of(given, first, last))
    return run_backtest(inputs, spec)


def test_a_clean_run_is_green_but_for_the_history_it_lacks(audit):
    found = verdicts(audit)
    assert list(found) == GATES
    assert found.pop("warm_up") == "amber"  # SMA 200 needs more than this market has
    assert set(found.values()) == {"green"}, audit.as_dict()
    assert "at 25 dates" in audit.gates[0].detail
    assert json.loads(json.dumps(audit.as_dict())) == audit.as_dict()


def test_the_audit_is_of_the_window_that_was_run_and_the_same_twice(monkeypatch):
    end, orders_of = 400, above_average(20)
    spec = replace(ONE_SPEC, end=str(PANEL.dates[end - 1]))
    result = run_with(monkeypatch, orders_of, ONE, spec)
    found = audit_backtest(ONE, spec, result, orders_of=orders_of)
    assert found == audit_backtest(ONE.cut_at(end), spec, result, orders_of=orders_of)
    assert f"{len(orders_of(ONE.cut_at(end), FIRST, end)):,} orders" in found.gates[0].detail


def test_fewer_than_25_cuts_are_refused():
    with pytest.raises(InputError, match="cuts"):
        audit_backtest(INPUTS, SPEC, RESULT, cuts=24)


@pytest.mark.parametrize(("bars", "leaky"), [(1, True), (0, False)])
def test_a_leak_makes_the_verdict_red(bars, leaky, monkeypatch):
    orders_of = orders_by(lambda given: rises(given.panel.close, ahead=bars))
    result = run_with(monkeypatch, orders_of, ONE, ONE_SPEC)
    audit = audit_backtest(ONE, ONE_SPEC, result, orders_of=orders_of, members=UNIVERSE)
    red = {key for key, verdict in verdicts(audit).items() if verdict == "red"}
    assert ({"poison", "truncation"} <= red) == leaky, audit.as_dict()
    assert ("first at 201" in audit.gates[0].detail) == leaky
    assert leaky == bool(red)


def rises(close: np.ndarray, *, ahead: int) -> np.ndarray:
    """1 where the close is above the one before, `ahead` bars from each date on, else 0."""
    later = np.concatenate([close[ahead:], np.full((ahead, 1), np.nan)])
    return np.where(np.isfinite(close), np.diff(later, axis=0, prepend=np.nan) > 0.0, np.nan)


def test_perfect_foresight_is_an_impossible_winner(monkeypatch):
    """Held through the rises of the close and no fall: these opens lie near the closes of their day."""
    orders_of = orders_by(by_feature(lambda c, _: c.shift(-2) - c.shift(-1)))
    result = run_with(monkeypatch, orders_of, INPUTS, replace(SPEC, costs=Costs(**FREE)))
    gate = impossible_winner(result)
    assert result.metrics["sharpe_ratio"] > 5.0
    assert gate.verdict == "red"
    assert f"{result.metrics['sharpe_ratio']:.2f}" in gate.detail
    assert impossible_winner(RESULT).verdict == "green"


@pytest.mark.parametrize(
    ("sharpe", "sessions", "wins", "trades", "verdict"),
    [
        (5.1, 252, 0.5, 40, "red"), (5.1, 251, 0.5, 40, "amber"), (3.1, 600, 0.5, 40, "amber"), (3.0, 600, 0.5, 40, "green"),
        (1.0, 600, 1.0, 31, "red"), (1.0, 600, 1.0, 30, "green"), (float("nan"), 600, 0.5, 0, "green"),
    ],
)  # fmt: skip
def test_what_counts_as_impossible(sharpe, sessions, wins, trades, verdict):
    pnl = np.where(np.arange(trades) < wins * trades, 1.0, -1.0)
    result = replace(
        RESULT, metrics={"sharpe_ratio": sharpe}, dates=RESULT.dates[:1].repeat(sessions), trades=pd.DataFrame({"pnl": pnl}),
    )  # fmt: skip
    assert impossible_winner(result).verdict == verdict


def test_a_fill_on_the_bar_that_decides_is_red_and_on_the_next_green(monkeypatch):
    honest = orders_by(lambda given: rises(given.panel.close, ahead=0))

    def same_bar(inputs, first, last):
        orders = honest(inputs, first, last)
        kept = orders.take(np.flatnonzero(orders.decided >= first))
        return replace(kept, row=kept.decided)

    for orders_of, verdict in ((same_bar, "red"), (honest, "green")):
        result = run_with(monkeypatch, orders_of, ONE, ONE_SPEC)
        found = verdicts(audit_backtest(ONE, ONE_SPEC, result, orders_of=orders_of))
        assert found["same_bar"] == found["fills"] == verdict
        assert found["poison"] == found["truncation"] == "green"


def test_a_result_that_one_bar_of_delay_takes_away_is_amber(monkeypatch):
    """Heavy volume is followed by one session of rising prices, and by nothing after it."""
    rng = np.random.default_rng(2)
    n = 600
    heavy = rng.random(n) < 0.5
    rises = np.where(np.concatenate([[False], heavy[:-1]]), 0.004, -0.004) + rng.normal(0.0, 0.004, n)
    panel = flat_market({"A": list(100.0 * np.exp(np.cumsum(rises)))})
    panel = replace(
        panel, volume=np.where(heavy, 2e9, 1e9)[:, None], open=np.vstack([panel.close[:1], panel.close[:-1]])
    )
    panel = replace(panel, high=np.fmax(panel.open, panel.close), low=np.fmin(panel.open, panel.close))
    inputs = inputs_of(panel)
    spec = BacktestSpec(start=str(panel.dates[300]), costs=Costs(**FREE))
    orders_of = orders_by(lambda given: np.where(given.panel.has_bar, (given.panel.volume > 1.5e9) * 1.0, np.nan))
    result = run_with(monkeypatch, orders_of, inputs, spec)
    gate = audit_backtest(inputs, spec, result, orders_of=orders_of).gates[2]
    assert gate.verdict == "amber"
    assert f"instead of {result.metrics['sharpe_ratio']:.2f}" in gate.detail


def test_delayed_orders_fill_one_bar_of_their_ticker_later():
    panel = flat_market({"A": [1, 2, 3, 4, 5], "B": [1, 2, np.nan, 4, np.nan]})
    orders = orders_by(lambda given: np.where(given.panel.has_bar, 0.25 * (np.arange(5) % 2 == 0)[:, None], np.nan))(
        inputs_of(panel), 0, 5
    )
    later = delay(orders, panel)
    bars = {0: [0, 1, 2, 3, 4], 1: [0, 1, 3]}
    for was, now, column in zip(orders.row, later.row, orders.column, strict=True):
        following = [row for row in bars[column] if row > was]
        assert now == (following[0] if was != PENDING and following else PENDING)
    assert {PENDING, 2, 3} <= set(later.row)


@pytest.mark.parametrize(
    ("feature", "needed"),
    [
        (lambda c, _: c - c.rolling(30).mean(), 50),
        (lambda c, _: c - c.rolling(80).mean(), 100),
        (lambda c, _: c - c.ewm(span=150, adjust=False).mean(), 500),
        (lambda c, _: pd.Series(np.arange(len(c)) // 7 % 2 - 0.5, c.index), None),  # counts from the first bar
        (lambda c, _: c * 0.0 + 1.0, 1),
    ],
)
def test_the_history_that_a_rule_needs_is_found(feature, needed):
    panel = random_market(n=1_700, n_tickers=2, seed=8).bars("T0")
    inputs = inputs_of(Panel.of([panel]))
    found = measure_warm_up(orders_by(by_feature(feature)), inputs, first=1_100, last=1_700)
    assert found.needed == needed
    assert found.n_orders > 0
    assert all(0.0 <= share <= 1.0 for share in found.drift.values())


@pytest.mark.parametrize(("history", "verdict"), [(30, "amber"), (31, "green"), (60, "green")])
def test_a_run_that_lacks_history_at_more_than_a_twentieth_of_its_sessions_is_amber(history, verdict, monkeypatch):
    """Of 390 sessions 20 lack it where 30 lie before the start: 5.1 %; of 389 it is 19, 4.9 %."""
    spec = BacktestSpec(start=str(PANEL.dates[history]))
    orders_of = above_average(30)
    result = run_with(monkeypatch, orders_of, ONE, spec)
    gate = audit_backtest(ONE, spec, result, orders_of=orders_of).gates[3]
    assert gate.verdict == verdict
    assert "need 50 sessions" in gate.detail
    assert f"had {history} sessions" in gate.detail


def test_buying_and_holding_needs_no_history_and_is_no_timing():
    spec = BacktestSpec(strategy="buy_and_hold")
    audit = audit_backtest(INPUTS, spec, run_backtest(INPUTS, spec), members=UNIVERSE)
    found = verdicts(audit)
    assert found["warm_up"] == "green"
    assert found["minimum_trades"] == "amber"
    assert audit.verdict == "amber"


def test_a_history_of_one_day_is_answered():
    one = inputs_of(flat_market({"A": [10.0]}))
    spec = BacktestSpec(strategy="buy_and_hold")
    audit = audit_backtest(one, spec, run_backtest(one, spec))
    found = verdicts(audit)
    assert found["poison"] == found["truncation"] == found["same_bar"] == found["warm_up"] == "amber"
    assert found["minimum_trades"] == "red"
    assert found["fills"] == "amber"


@pytest.mark.parametrize(
    ("costs", "verdict"),
    [
        (Costs(), "green"), (Costs(**FREE), "red"), (Costs(**{**FREE, "impact_coefficient": 0.1}), "red"),
        (Costs(**{**FREE, "fixed_fee": 1.0}), "amber"), (Costs(fee_rate=0.0, slippage_rate=0.0), "amber"),
        (Costs(slippage_rate=0.0), "green"),
    ],
)  # fmt: skip
def test_costs(costs, verdict):
    gate = costs_on(costs, sharpe=1.234, sharpe_doubled=0.567)
    assert gate.verdict == verdict
    assert "from 1.23 to 0.57" in gate.detail
    assert ("free but for its impact" in gate.detail) == (verdict == "red" and costs.impact_coefficient > 0)


def test_doubled_costs_are_twice_as_high_within_bounds():
    twice = doubled(Costs(fee_rate=0.4, fixed_fee=2.0, impact_coefficient=0.02))
    assert (twice.fee_rate, twice.fixed_fee, twice.impact_coefficient) == (0.5, 4.0, 0.04)
    assert (twice.half_spread, twice.borrow_rate) == (2 * Costs().half_spread, 2 * Costs().borrow_rate)
    assert (twice.impact_exponent, twice.participation_cap) == (Costs().impact_exponent, Costs().participation_cap)


def test_twice_the_costs_lower_the_sharpe_ratio_of_the_run_itself(audit):
    costly = run_backtest(INPUTS, replace(SPEC, costs=doubled(SPEC.costs))).metrics["sharpe_ratio"]
    base = RESULT.metrics["sharpe_ratio"]
    assert audit.gates[4].detail.endswith(f"from {figure(base)} to {figure(costly)}.")
    assert costly < base - 0.005


@pytest.mark.parametrize(
    ("trades", "fills", "reason", "verdict", "said"),
    [
        (9, 18, "signal", "red", "too few"), (9, 29, "signal", "red", "too few"), (9, 30, "signal", "amber", "resized"),
        (10, 20, "signal", "amber", "luck weighs"), (29, 58, "signal", "amber", "luck weighs"), (29, 900, "signal", "amber", "luck weighs"),
        (30, 60, "signal", "green", "enough"), (4, 80, "end of test", "amber", "resized"), (4, 4, "end of test", "amber", "nothing was sold"),
        (4, 4, "delisted", "amber", "nothing was sold"), (4, 5, "end of test", "red", "too few"), (0, 0, "signal", "red", "too few"),
        (4, 4, "stop loss", "red", "too few"),
    ],
)  # fmt: skip
def test_number_of_trades(trades, fills, reason, verdict, said):
    result = replace(
        RESULT, trades=pd.DataFrame({"reason": [reason] * trades}, dtype=object), audit={"fills": fills},
    )  # fmt: skip
    gate = minimum_trades(result)
    assert gate.verdict == verdict
    assert gate.detail.startswith(f"{trades} round trip")
    assert f"of {fills} fill" in gate.detail
    assert said in gate.detail


def test_fills_at_the_close_before_turn_the_fills_red(monkeypatch):
    """An engine that trades at yesterday's close leaks in no order: only the day's own prices show it."""

    def a_day_late(panel: Panel) -> TradingPrices:
        prices = total_return_prices(panel)
        return replace(prices, open=np.vstack([prices.open[:1], prices.last_close[:-1]]))

    for module in (simulate, audit_module):
        monkeypatch.setattr(module, "total_return_prices", a_day_late)
    orders_of = above_average(20)
    result = run_with(monkeypatch, orders_of, ONE, ONE_SPEC)
    found = audit_backtest(ONE, ONE_SPEC, result, orders_of=orders_of)
    assert verdicts(found)["fills"] == found.verdict == "red"
    assert {verdicts(found)[key] for key in ("poison", "truncation", "same_bar")} == {"green"}


@pytest.mark.parametrize(
    ("kind", "gate"),
    [("multiplied", "poison"), ("unknown", "poison"), ("cut", "truncation"), ("same_bar", "same_bar")],
)
def test_a_leak_of_each_kind_alone_turns_its_gate_red(kind, gate, monkeypatch):
    at = {name: (200,) if name == kind else () for name in ("multiplied", "unknown", "cut", "same_bar")}
    monkeypatch.setattr(audit_module, "find_leaks", lambda *_, **__: Leaks(**at))
    orders_of = above_average(20)
    found = verdicts(
        audit_backtest(ONE, ONE_SPEC, run_with(monkeypatch, orders_of, ONE, ONE_SPEC), orders_of=orders_of)
    )
    assert {key for key, verdict in found.items() if verdict == "red"} == {gate}


LEFT = [(f"GONE{i}", "1990-01-01", "2015-12-01") for i in range(20)]
BASE = UNIVERSE["index"]


@pytest.mark.parametrize(
    ("spells", "verdict", "said"),
    [
        (None, "amber", "not known"),
        ({"other": [("XYZ", "1990-01-01", None)]}, "amber", "not known"),
        ({"index": BASE}, "green", "0 of the 3 members"),
        ({"index": [*BASE, *LEFT]}, "red", "20 of the 23 members of index left during the test"),
        ({"index": BASE * 1 + [(f"S{i}", "1990-01-01", None) for i in range(16)] + LEFT[:1]}, "green", "1 of the 20"),
        ({"index": BASE + [(f"S{i}", "1990-01-01", None) for i in range(6)] + LEFT[:1]}, "amber", "1 of the 10"),
        ({"index": [*BASE, ("GONE", "1990-01-01", "2015-01-01")]}, "green", "0 of the 3"),  # before the test
        ({"index": [BASE[0], BASE[1], ("T2", "2016-04-01", None)]}, "red", "outside their ticker's membership"),
        ({"index": [(t, "2016-02-01", None) for t, _, _ in BASE]}, "amber", "Before 2016-02-01"),
        ({"index": [(t, "2030-01-01", None) for t, _, _ in BASE]}, "amber", "after the test"),
        ({"index": BASE, "world": [*BASE, *LEFT]}, "green", "of index"),
        ({"index": BASE[:1], "world": [*BASE, *LEFT]}, "red", "of world"),
    ],
)
def test_survivorship(spells, verdict, said):
    gate = survivorship(PANEL, spells, first=FIRST, last=N)
    assert (gate.verdict, said in gate.detail) == (verdict, True), gate


def test_a_single_ticker_stands_for_itself_while_it_is_a_member():
    one = Panel.of([PANEL.bars("T0")])
    for spell, verdict in ((BASE[0], "green"), (("T0", "1990-01-01", "2015-12-01"), "red")):
        gate = survivorship(one, {"index": [spell, *LEFT]}, first=FIRST, last=N)
        assert gate.verdict == verdict
        assert "A single ticker of index stands for itself" in gate.detail


def test_the_verdict_is_the_worst():
    gates = [Gate(verdict, "", verdict, "") for verdict in ("green", "amber", "red")]
    assert [Audit(tuple(gates[:n])).verdict for n in (1, 2, 3)] == ["green", "amber", "red"]
    assert Audit((gates[2], gates[0])).verdict == "red"


def test_gates_write_numbers_as_the_page_does():
    assert (figure(-0.114), figure(float("nan"))) == ("−0.11", "unknown")
    assert (percent(0.0011, 2), percent(-0.25)) == ("0.11 %", "−25 %")
