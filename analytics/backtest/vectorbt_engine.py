"""The second engine: vectorbt's compiled simulator, and the peer of ours where both know what is asked.

A session has two rows here: on the first the orders that are due are filled, on the second the bar passes and stops
are hit. Where a stop is hit depends on prices alone, so vectorbt finds the stops with one share per ticker first, and
then fills everything from one account. Its first call imports the whole of vectorbt, which takes seconds.
"""

from typing import Any

import numpy as np

from analytics.backtest.account import settle
from analytics.backtest.engine import Fills, Ledger, TradingPrices
from analytics.backtest.orders import Orders
from analytics.backtest.spec import BacktestSpec
from analytics.conventions import FloatArray
from analytics.errors import InputError

AMOUNT, TARGET_PERCENT, LONG_ONLY, BOTH = 0, 5, 0, 2  # vectorbt's SizeType and Direction
SELL = 1  # vectorbt's OrderSide
REVERSE, FILL_PRICE, STOP_MARKET = 3, 2, 1  # its OppositeEntryMode, StopEntryPrice and StopExitPrice
REASONS = ("order", "stop loss", "trailing stop", "take profit")


def engine_name() -> str:
    """Return name and version of the engine, for the audit."""
    import vectorbt_rust  # imported here: only a worker needs it

    return f"vectorbt-rust {vectorbt_rust.__version__}"


def simulate(
    prices: TradingPrices, orders: Orders, spec: BacktestSpec, risk_free: FloatArray, first: int, last: int
) -> Ledger:
    """Fill orders that are due, by row, then column, from one account of cash; as `kernel.simulate` otherwise.

    A ticker that is delisted keeps its last value, and its money is not used again; a sale that brings in less than
    its fixed fee is not made; no stop is hit on a bar at whose close an order is filled. Raises InputError where costs
    or rules are asked for that vectorbt does not know: market impact, a participation cap, borrow fees on shorts, a
    drawdown halt, interest on cash, a stop loss beside a trailing stop; and where the account loses everything.
    """
    exits = _stops(prices, orders, spec)
    if not len(orders):
        return settle(
            _fills(np.zeros(0, dtype=_RECORD), np.zeros(0, int), prices, spec, {}),
            prices,
            spec.initial_capital,
            first=first,
            last=last,
        )
    rows = np.unique(np.concatenate([2 * orders.row, *(np.array([row]) for row, _ in exits)]))
    records = _fill_orders(prices, orders, exits, rows, spec)
    ledger = settle(_fills(records, rows, prices, spec, exits), prices, spec.initial_capital, first=first, last=last)
    if (ledger.equity <= 0.0).any():
        raise InputError(
            "engine", got="vectorbt, whose account trades on after it has lost everything", allowed="the engine 'kernel'",
            fix="Choose the engine 'kernel', which closes such an account, or trade long only.",
        )  # fmt: skip
    return ledger


_RECORD = [("idx", int), ("col", int), ("size", float), ("price", float), ("fees", float), ("side", int)]


def _concession(spec: BacktestSpec) -> float:
    return spec.costs.half_spread + spec.costs.slippage_rate


def _stops(prices: TradingPrices, orders: Orders, spec: BacktestSpec) -> dict[tuple[int, int], float]:
    """{(row of two per session, column): price} of every stop that is hit; none where no stop is set."""
    rules = spec.rules
    if not (rules.stop_loss or rules.take_profit or rules.trailing_stop) or not len(orders):
        return {}
    from vectorbt.portfolio.dispatch import simulate_from_signals  # imported here: it pulls in vectorbt

    shape = 2 * len(prices.close), prices.close.shape[1]
    side, price, bars = np.zeros(shape), np.full(shape, np.nan), np.full((4, *shape), np.nan)
    side[2 * orders.row, orders.column] = np.where(orders.target_weight == 0.0, 2.0, np.sign(orders.target_weight))
    price[2 * orders.row, orders.column] = prices.fill[orders.row, orders.column]
    bars[:, 1::2] = [prices.open, prices.high, prices.low, prices.close]
    late = ~np.isfinite(prices.open[orders.row, orders.column])  # filled at the close: the bar has passed
    bars[:, 2 * orders.row[late] + 1, orders.column[late]] = np.nan
    records, _ = simulate_from_signals(
        shape, np.ones(shape[1], dtype=np.int64), np.full(shape[1], 1e15), np.zeros(shape, dtype=np.int64),
        long_entries=side == 1.0, short_entries=side == -1.0, long_exits=side == 2.0, short_exits=side == 2.0,
        size=np.asarray(1.0), price=price, slippage=np.asarray(_concession(spec)), upon_opposite_entry=np.asarray(REVERSE),
        open=bars[0], high=bars[1], low=bars[2], close=bars[3], sl_stop=np.asarray(rules.trailing_stop or rules.stop_loss or np.nan),
        sl_trail=np.asarray(bool(rules.trailing_stop)), tp_stop=np.asarray(rules.take_profit or np.nan),
        stop_entry_price=np.asarray(FILL_PRICE), stop_exit_price=np.asarray(STOP_MARKET), engine="rust",
    )  # fmt: skip
    hit = records[records["idx"] % 2 == 1]
    paid = hit["price"] / np.where(hit["side"] == SELL, 1.0 - _concession(spec), 1.0 + _concession(spec))
    return {
        (int(row), int(column)): float(quote) for row, column, quote in zip(hit["idx"], hit["col"], paid, strict=True)
    }


def _fill_orders(
    prices: TradingPrices, orders: Orders, exits: dict[tuple[int, int], float], rows: np.ndarray, spec: BacktestSpec
) -> np.ndarray:
    """Run vectorbt over one group that shares its cash; return its order records, by position in `rows`."""
    from vectorbt_rust.portfolio import simulate_from_orders_rs  # imported here: it pulls in vectorbt

    shape = len(rows), prices.close.shape[1]
    at = np.searchsorted(rows, 2 * orders.row), orders.column
    size, size_type, price = np.zeros(shape), np.full(shape, AMOUNT), np.full(shape, np.nan)
    size[at], size_type[at] = orders.target_weight, TARGET_PERCENT
    price[at] = prices.fill[orders.row, orders.column]
    value = prices.mark(rows // 2, size_type == TARGET_PERCENT)
    for (row, column), quote in exits.items():
        where = np.searchsorted(rows, row), column
        size_type[where], price[where], value[where] = TARGET_PERCENT, quote, quote
    direction = BOTH if (orders.target_weight < 0.0).any() else LONG_ONLY
    named: dict[str, Any] = {
        "size": size, "price": price, "size_type": size_type, "direction": direction, "fees": spec.costs.fee_rate,
        "fixed_fees": spec.costs.fixed_fee, "slippage": _concession(spec), "min_size": 0.0, "max_size": np.inf,
        "size_granularity": np.nan, "reject_prob": 0.0, "lock_cash": False, "allow_partial": True,
        "raise_reject": False, "log": False, "val_price": value, "close": price,
    }  # fmt: skip
    records, _ = simulate_from_orders_rs(
        shape, np.array([shape[1]]), np.array([spec.initial_capital]), np.tile(np.arange(shape[1]), (shape[0], 1)),
        *(np.atleast_2d(item) for item in named.values()), auto_call_seq=True, max_orders=len(orders) + len(exits),
    )  # fmt: skip
    return records


def _fills(
    records: np.ndarray,
    rows: np.ndarray,
    prices: TradingPrices,
    spec: BacktestSpec,
    exits: dict[tuple[int, int], float],
) -> Fills:
    sign = np.where(records["side"] == SELL, -1.0, 1.0)
    quote = records["price"] / (1.0 + sign * _concession(spec))
    value, nothing = records["size"] * quote, np.zeros(len(records))
    events = rows[records["idx"]] if len(records) else np.zeros(0, int)
    return Fills(
        row=events // 2, column=records["col"], quantity=sign * records["size"], price=records["price"], quote=quote,
        fee=records["fees"], spread=value * spec.costs.half_spread, slippage=value * spec.costs.slippage_rate,
        impact=nothing, borrow=nothing, reason=_reasons(records, events, spec),
    )  # fmt: skip


def _reasons(records: np.ndarray, events: np.ndarray, spec: BacktestSpec) -> np.ndarray:
    """Which of REASONS each fill had: a stop that gains as much as the take-profit asks is one."""
    loss = REASONS.index("trailing stop" if spec.rules.trailing_stop else "stop loss")
    reasons, held, entry = np.zeros(len(records), dtype=np.int64), {}, {}  # type: ignore[var-annotated]
    goal = spec.rules.take_profit or np.inf
    for k, (event, record) in enumerate(zip(events, records, strict=True)):
        column, size = int(record["col"]), record["size"] * (-1.0 if record["side"] == SELL else 1.0)
        before = held.get(column, 0.0)
        held[column] = before + size
        if event % 2:
            quote = record["price"] / (1.0 + np.sign(size) * _concession(spec))
            gain = np.sign(before) * (quote / entry[column] - 1.0)
            reasons[k] = REASONS.index("take profit") if gain >= goal * (1.0 - 1e-12) else loss
            held[column] = 0.0
        elif before * held[column] <= 0.0:
            entry[column] = record["price"]
    return reasons
