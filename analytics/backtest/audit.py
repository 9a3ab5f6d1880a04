"""The audit of a run: whether its numbers can be believed, gate by gate, on the strategy as it was run."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics.backtest.decisions import decide_orders
from analytics.backtest.engine import Ledger, TradingPrices, total_return_prices
from analytics.backtest.gate import AMBER, GREEN, RED, Audit, Gate, figure, percent
from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.look_ahead import Leaks, cut_rows, find_leaks
from analytics.backtest.orders import PENDING, Orders
from analytics.backtest.plausibility import costs_on, doubled, fills_within_bars, impossible_winner, minimum_trades
from analytics.backtest.result import BacktestResult
from analytics.backtest.spec import BacktestSpec
from analytics.backtest.survivorship import Spell, survivorship
from analytics.backtest.warm_up import HISTORIES, WarmUp, WindowedOrders, measure_warm_up
from analytics.errors import InputError
from analytics.market import Panel
from analytics.metrics import METRICS, Performance

WARM_UP_SHARE = 0.05  # of the sessions of a run: those at its start that may still lack history
CUTS = 25  # one cut alone misses leaks that depend on where it falls
BASE_SHARPE, DELAY_DROP = 0.5, 0.5  # a ratio above the first that loses more than the second by a day's delay is amber


@dataclass(frozen=True, eq=False)
class _Run:
    """What is audited: the inputs up to the end of the test, its rows first..last−1 and its orders."""

    inputs: StrategyInputs
    spec: BacktestSpec
    prices: TradingPrices
    first: int
    last: int
    orders: Orders

    def ledger(self, orders: Orders, spec: BacktestSpec | None = None) -> Ledger:
        """The account that trades the given orders."""
        from analytics.backtest import kernel  # imported here: the web app itself never runs a backtest

        spec = spec or self.spec
        return kernel.simulate(self.prices, orders.due(), spec, self.inputs.risk_free, self.first, self.last)

    def sharpe(self, orders: Orders, spec: BacktestSpec | None = None) -> float:
        """The Sharpe ratio of an account that trades the given orders."""
        risk_free, ledger = self.inputs.risk_free, self.ledger(orders, spec)
        sessions = slice(self.first, self.last)
        performance = Performance(
            self.inputs.panel.dates[sessions], ledger.returns, risk_free_returns=risk_free[sessions]
        )
        return METRICS["sharpe_ratio"].func(performance)


def audit_backtest(
    inputs: StrategyInputs, spec: BacktestSpec, result: BacktestResult, *,
    orders_of: WindowedOrders | None = None, members: Mapping[str, Sequence[Spell]] | None = None, cuts: int = CUTS,
    report: Callable[[float, str], None] | None = None,
) -> Audit:  # fmt: skip
    """Answer every gate for a run: inputs and spec are those that gave the result.

    orders_of(inputs, first, last): the strategy as it decides, for one that is not registered. members: {universe:
    (ticker, first day, day after the last) of every membership}, None where not known. report(fraction, message) is
    told how far it is. The same run gives the same audit. Raises InputError below 25 cuts.
    """
    if cuts < CUTS:
        raise InputError("cuts", got=cuts, allowed=f"{CUTS} or more")
    tell = report or (lambda _fraction, _message: None)
    decide = orders_of or (lambda given, first, last: decide_orders(given, spec, first=first, last=last))
    run = _run_of(inputs, spec, result, decide)
    rows = cut_rows(run.orders, first=run.first + 1, last=run.last, cuts=cuts)
    leaks = find_leaks(
        lambda given: decide(given, run.first, min(run.last, len(given.panel.dates))),
        run.inputs, rows, before=run.orders, tell=lambda done, said: tell(0.75 * done, said),
    )  # fmt: skip
    tell(0.75, "checking how much history the strategy needs")
    warm_up = measure_warm_up(decide, run.inputs, first=run.first, last=run.last)
    tell(0.95, "checking delay and costs")
    sharpe = run.sharpe(run.orders)
    delayed = run.sharpe(delay(run.orders, run.inputs.panel))
    costly = run.sharpe(run.orders, replace(spec, costs=doubled(spec.costs)))
    return Audit(
        (
            _poison(leaks, run, rows), _truncation(leaks, run, rows),
            _same_bar(leaks, run, rows, result, sharpe=sharpe, delayed=delayed),
            _warm_up(warm_up, history=run.first, sessions=run.last - run.first),
            costs_on(spec.costs, sharpe=sharpe, sharpe_doubled=costly), minimum_trades(result),
            survivorship(run.inputs.panel, members, first=run.first, last=run.last), impossible_winner(result),
            fills_within_bars(run.inputs.panel, run.ledger(run.orders).fills, run.orders),
        )
    )  # fmt: skip


def delay(orders: Orders, panel: Panel) -> Orders:
    """Return the orders each filled one bar of its ticker later, PENDING where there is none."""
    rows = orders.row.copy()
    for column, present in enumerate(panel.has_bar.T):
        following = np.append(np.flatnonzero(present), PENDING)
        own = (orders.column == column) & (orders.row != PENDING)
        rows[own] = following[np.searchsorted(following[:-1], orders.row[own]) + 1]
    return replace(orders, row=rows)


def _run_of(inputs: StrategyInputs, spec: BacktestSpec, result: BacktestResult, decide: WindowedOrders) -> _Run:
    first, final = (int(row) for row in np.searchsorted(inputs.panel.dates, result.dates[[0, -1]]))
    known = inputs.cut_at(final + 1) if final + 1 < len(inputs.panel.dates) else inputs
    return _Run(known, spec, total_return_prices(known.panel), first, final + 1, decide(known, first, final + 1))


def _changed(key: str, label: str, run: _Run, rows: list[int], found: set[int], change: str) -> Gate:
    """Red where orders decided before a change of what came after differ; amber where there was nothing to compare."""
    orders = f"{len(run.orders):,} orders"
    if found:
        first = run.inputs.panel.dates[min(found)]
        detail = f"{change} changed orders decided before it at {len(found)} of {len(rows)} dates, first at {first}: the strategy reads the future."
        return Gate(key, label, RED, detail)
    if not rows or not len(run.orders):
        return Gate(key, label, AMBER, f"{len(rows)} dates and {orders}: there was nothing to compare.")
    return Gate(key, label, GREEN, f"{change} changed none of {orders} decided before it, at {len(rows)} dates.")


def _poison(leaks: Leaks, run: _Run, rows: list[int]) -> Gate:
    change = "Multiplying everything known from a date on by 10, and making it unknown,"
    return _changed("poison", "Look-ahead", run, rows, {*leaks.multiplied, *leaks.unknown}, change)


def _truncation(leaks: Leaks, run: _Run, rows: list[int]) -> Gate:
    return _changed("truncation", "Truncation", run, rows, {*leaks.cut}, "Ending the data before a date")


def _same_bar(
    leaks: Leaks, run: _Run, rows: list[int], result: BacktestResult, *, sharpe: float, delayed: float
) -> Gate:
    """Red where a day's prices change what is ordered for it; amber where a day's delay takes most of the result."""
    dated = result.orders.dropna(subset="date")
    early = int((dated["date"] <= dated["decided"]).sum())
    later = f"filled a bar later, the Sharpe ratio is {figure(delayed)} instead of {figure(sharpe)}"
    if math.isnan(sharpe) and math.isnan(delayed):
        later = "there is no Sharpe ratio to compare with one filled a bar later"
    if leaks.same_bar or early:
        verdict, said = RED, (
            f"Orders depended on the prices of the day they were filled on at {len(leaks.same_bar)} of {len(rows)} dates, "
            f"and {early:,} were filled on the bar that decided them"
        )  # fmt: skip
    else:
        verdict, said = GREEN, f"What was held during a day did not depend on its prices, at {len(rows)} dates"
        if not rows or not len(run.orders):
            verdict, said = AMBER, "There was no order to compare"
        elif sharpe > BASE_SHARPE and delayed < (1.0 - DELAY_DROP) * sharpe:
            verdict, said = AMBER, f"{said}, but most of the result is earned on the first bar"
    return Gate("same_bar", "Same-bar fills", verdict, f"{said}; {later}.")


def _warm_up(found: WarmUp, *, history: int, sessions: int) -> Gate:
    """Amber where more than WARM_UP_SHARE of the run's sessions lack the history that the orders need to stay as they are."""
    shares = ", ".join(
        f"{percent(share, 1)} with {sessions:,}" for sessions, share in found.drift.items() if sessions > 1
    )
    had = f"the run had {history:,} sessions before its start"
    if not found.n_orders or not found.drift:
        return Gate("warm_up", "Warm-up", AMBER, f"There were no orders or no history to compare; {had}.")
    if found.needed is None:
        longest = f"Even with {max(found.drift):,} sessions of history"
        verdict, said = AMBER, f"{longest} orders differ from those with all of it"
    elif found.needed == HISTORIES[0]:
        verdict, said = GREEN, "The orders need no history"
    else:
        verdict = GREEN if found.needed - history <= WARM_UP_SHARE * sessions else AMBER
        said = f"The orders need {found.needed:,} sessions of history"
    return Gate("warm_up", "Warm-up", verdict, f"{said} (differing orders: {shares}); {had}.")
