"""The inner loop of a sweep: one backtest per parameter set, of which only the metrics and block sums are kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

import numpy as np

from analytics.backtest.block_sums import BLOCKS, BlockSums, of_returns, stacked
from analytics.backtest.decisions import begin, decide_orders
from analytics.backtest.engine import Fills, TradingPrices, total_return_prices
from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.orders import Orders, schedule_orders
from analytics.backtest.parameter_sets import SETTINGS, Cell
from analytics.backtest.scaling import scale_decisions
from analytics.backtest.simulate import window_of
from analytics.backtest.spec import BacktestSpec
from analytics.backtest.strategies import changes_only
from analytics.backtest.strategies._positions import decisions, equal_share, sides
from analytics.backtest.strategies._technical import agreed, check_threshold
from analytics.backtest.terms import LONG_ONLY
from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.indicators import VOTES, parse_settings
from analytics.metrics import METRICS, Performance
from analytics.signals import compute_votes

OF_RETURNS: Final = ("sharpe_ratio", "total_return", "annual_return", "annual_volatility", "max_drawdown")
KEPT: Final = (*OF_RETURNS, "n_trades")  # keys of the metric registry
BATCH: Final = 100  # cells between two reports: a fraction of a second on one ticker
VOTE_BYTES: Final = 128 * 2**20  # of remembered votes; beyond it they are forgotten and computed again
VOTERS: Final = "technical_vote"  # the strategy whose cells share their votes


@dataclass(frozen=True, eq=False)
class Batch:
    """What is kept of some cells: metrics {key of KEPT: (n_cells,)}, block sums, and why a cell could not be run.

    A cell with a problem has NaN throughout, its parameters do not go together; problems (n_cells,), None where it ran.
    """

    cells: tuple[Cell, ...]
    metrics: Mapping[str, FloatArray]
    sums: BlockSums
    problems: tuple[str | None, ...]


@dataclass(frozen=True, eq=False)
class SweepPlan:
    """One question asked with many parameter sets: what they share is prepared once, at the first of them.

    spec: strategy, costs, rules, capital and dates; its parameters hold where a cell does not set them. Every cell is
    run by the engine of record, whatever spec.engine. Raises as run_backtest does.
    """

    inputs: StrategyInputs
    spec: BacktestSpec
    blocks: int = BLOCKS

    def evaluate(self, cells: Sequence[Cell], *, batch: int = BATCH) -> Iterator[Batch]:
        """Yield the answers of the cells in their order, `batch` at a time; a cell's do not depend on the others.

        Raises InputError on a parameter out of bounds, UnknownKeyError on one that is not declared.
        """
        specs = [replace(self.spec, parameters=cell.parameters(self.spec.parameters)) for cell in cells]
        for start in range(0, len(cells), batch):
            answers = [self._answer(spec) for spec in specs[start : start + batch]]
            metrics, sums, problems = zip(*answers, strict=True)
            yield Batch(
                tuple(cells[start : start + batch]),
                {key: np.array([found[key] for found in metrics]) for key in KEPT}, stacked(sums), problems,
            )  # fmt: skip

    def _answer(self, spec: BacktestSpec) -> tuple[dict[str, float], BlockSums, str | None]:
        market = self._market
        try:
            return (*market.answer(spec, self.blocks), None)
        except InputError as error:
            nothing = np.full(market.last - market.first, np.nan)
            return dict.fromkeys(KEPT, np.nan), of_returns(nothing, blocks=self.blocks, known=market.known), str(error)

    @cached_property
    def _market(self) -> "_Market":
        first, last = window_of(self.inputs, self.spec)
        known = self.inputs.cut_at(last) if last < len(self.inputs.panel.dates) else self.inputs
        begun = begin(known, known.panel.dates[first])
        return _Market(begun, total_return_prices(known.panel), first, last, _Votes(begun))


@dataclass(frozen=True, eq=False)
class _Market:
    """What every cell of a plan reads, and the answers by the orders that led to them: cells often agree on all.

    ordered: the name of the orders by that of the votes that led to them.
    """

    inputs: StrategyInputs
    prices: TradingPrices
    first: int
    last: int
    votes: "_Votes"
    answers: dict[bytes, tuple[dict[str, float], BlockSums]] = field(default_factory=dict)
    ordered: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def known(self) -> np.ndarray:
        """The sessions of the test whose risk-free rate is known."""
        return np.isfinite(self.inputs.risk_free[self.first : self.last])

    def answer(self, spec: BacktestSpec, blocks: int) -> tuple[dict[str, float], BlockSums]:
        """The metrics and block sums of a cell; raises InputError where its parameters do not go together."""
        if spec.strategy != VOTERS:
            return self._account_once(decide_orders(self.inputs, spec, first=self.first, last=self.last), spec, blocks)[
                1
            ]
        agreed_votes = self.votes.agreed(spec.parameters)
        said = _name(*agreed_votes)
        if said not in self.ordered:
            self.ordered[said] = self._account_once(self._voted(*agreed_votes, spec), spec, blocks)[0]
        return self.answers[self.ordered[said]]

    def _account_once(
        self, orders: Orders, spec: BacktestSpec, blocks: int
    ) -> tuple[bytes, tuple[dict[str, float], BlockSums]]:
        due = orders.due()
        same = _name(due.row, due.column, due.target_weight)
        if same not in self.answers:
            self.answers[same] = self.account(due, spec, blocks)
        return same, self.answers[same]

    def _voted(self, buy: np.ndarray, sell: np.ndarray, spec: BacktestSpec) -> Orders:
        """The orders that follow from votes, those of `decide_orders`."""
        panel, rules = self.inputs.panel, spec.rules
        limit = rules.position_limit(len(panel.tickers))
        wanted = np.clip(self.votes.decisions(buy, sell), 0.0 if rules.direction == LONG_ONLY else -limit, limit)
        scaled = scale_decisions(wanted, panel, self.inputs.risk_free, self.inputs.first_rows, rules)
        return schedule_orders(panel, scaled, start=panel.dates[self.first], end=panel.dates[self.last - 1])

    def account(self, due: Orders, spec: BacktestSpec, blocks: int) -> tuple[dict[str, float], BlockSums]:
        """The metrics and block sums of an account that carries the orders out."""
        from analytics.backtest import kernel  # imported here: it loads the compiler

        sessions = slice(self.first, self.last)
        ledger = kernel.simulate(self.prices, due, spec, self.inputs.risk_free, self.first, self.last)
        returns, risk_free = ledger.returns, self.inputs.risk_free[sessions]
        performance = Performance(self.inputs.panel.dates[sessions], returns, risk_free_returns=risk_free)
        found = {key: METRICS[key].func(performance) for key in OF_RETURNS}
        found["n_trades"] = float(_n_round_trips(ledger.fills))
        return found, of_returns(returns - risk_free, blocks=blocks, known=self.known)


def _name(*arrays: np.ndarray) -> bytes:
    """What tells arrays of equal lengths apart."""
    found = blake2b()
    for array in arrays:
        found.update(array.tobytes())
    return found.digest()


def _n_round_trips(fills: Fills) -> int:
    """The number of rows that `round_trips` would give."""
    from analytics.backtest import _trips

    by_ticker = fills.take(np.argsort(fills.column, kind="stable"))
    given = np.column_stack([getattr(by_ticker, name) for name in _trips.FILL_COLUMNS]).astype(float)
    return int(_trips.walk(given, np.zeros((2 * len(given) + 1, len(_trips.TRIP_COLUMNS)))))


class _Votes:
    """The votes of indicators on every ticker, each computed once for its parameters and kept as int8, 0 unknown."""

    def __init__(self, inputs: StrategyInputs) -> None:
        self._inputs = inputs
        self._bars = [inputs.panel.bars(ticker) for ticker in inputs.panel.tickers]
        self._kept: dict[tuple[str, tuple[tuple[str, Any], ...]], np.ndarray] = {}

    def agreed(self, parameters: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """Where enough votes say buy, and where sell, (n_dates, n_tickers) each; raises InputError."""
        threshold, keys = parameters["threshold"], parameters["votes"]
        check_threshold(threshold, keys)
        given = parse_settings(parameters[SETTINGS])
        buys, sells = np.zeros((2, *self._inputs.panel.close.shape), dtype=np.int8)
        for key in keys:
            votes = self._vote(key, given.get(VOTES[key].indicator.key, {}))
            buys += votes > 0
            sells += votes < 0
        return agreed(buys, sells, threshold), agreed(sells, buys, threshold)

    def decisions(self, buy: np.ndarray, sell: np.ndarray) -> FloatArray:
        """The decisions of the voting strategy, bit for bit."""
        targets = sides(self._inputs, buy, sell) * equal_share(self._inputs)
        if len(self._bars) > 1:
            return decisions(self._inputs, targets)
        wanted = np.where(self._inputs.panel.has_bar, targets, np.nan)  # one ticker is never more than the account
        return changes_only(wanted, self._inputs.first_rows)

    def _vote(self, key: str, given: Mapping[str, Any]) -> np.ndarray:
        """The votes of one key, shape (n_dates, n_tickers)."""
        name = (key, tuple(sorted(given.items())))
        if name not in self._kept:
            panel = self._inputs.panel
            votes = np.zeros(panel.close.shape, dtype=np.int8)
            for column, bars in enumerate(self._bars):
                found = compute_votes(bars, keys=[key], parameters={VOTES[key].indicator.key: given})[key]
                votes[panel.has_bar[:, column], column] = np.nan_to_num(found)
            if (len(self._kept) + 1) * votes.nbytes > VOTE_BYTES:
                self._kept.clear()
            self._kept[name] = votes
        return self._kept[name]
