"""The engine that fills orders with vectorbt's compiled simulator.

The kernel is called on plain arrays: it is compiled ahead of time, so that a first run leaves nothing to compile.
Its first call imports the whole of vectorbt, which takes seconds: `warm_up` pays that before anyone waits.
"""

from typing import Any

import numpy as np

from analytics.backtest.engine import Fills, TradingPrices
from analytics.backtest.orders import Orders
from analytics.backtest.spec import Costs

AMOUNT, TARGET_PERCENT, LONG_ONLY = 0, 5, 0  # vectorbt's SizeType and Direction
SELL = 1  # vectorbt's OrderSide


def engine_name() -> str:
    """Return name and version of the engine, for the audit."""
    import vectorbt_rust  # imported here: only a worker needs it

    return f"vectorbt-rust {vectorbt_rust.__version__}"


def simulate(prices: TradingPrices, orders: Orders, initial_capital: float, costs: Costs) -> Fills:
    """Fill orders that are due, sorted by row, from one account of cash.

    Sales come first; buys follow from the smallest to the largest, equal ones by column, and one that the
    cash cannot cover is cut to what it can. An order without a price, or without cash, is not filled.
    """
    if not len(orders):
        return Fills(*(np.empty(0, dtype=kind) for kind in (np.int64, np.int64, float, float, float)))
    rows = np.unique(orders.row)  # only dates with orders are simulated: between them nothing is traded
    records = _kernel(_arguments(prices, orders, rows, costs), initial_capital, len(orders))
    sign = np.where(records["side"] == SELL, -1.0, 1.0)
    return Fills(rows[records["idx"]], records["col"], sign * records["size"], records["price"], records["fees"])


def warm_up() -> None:
    """Load the simulator and everything a backtest imports by running a tiny one."""
    one, two = np.array([[10.0], [11.0]]), np.array([1, 0])
    orders = Orders(two[1:], two[:1], two[1:], np.ones(1), np.ones(1))
    simulate(TradingPrices(one, one, one), orders, 1.0, Costs())


def _arguments(prices: TradingPrices, orders: Orders, rows: np.ndarray, costs: Costs) -> tuple[np.ndarray, ...]:
    """The kernel's arrays in its order, of shape (len(rows), n_tickers) or (1, 1); amount 0 is "no order"."""
    at = np.searchsorted(rows, orders.row), orders.column
    shape = len(rows), prices.close.shape[1]
    size, size_type, price = np.zeros(shape), np.full(shape, AMOUNT), np.full(shape, np.nan)
    size[at], size_type[at] = orders.target_weight, TARGET_PERCENT
    price[at] = prices.fill[orders.row, orders.column]
    named: dict[str, Any] = {
        "size": size, "price": price, "size_type": size_type, "direction": LONG_ONLY, "fees": costs.fee_rate,
        "fixed_fees": 0.0, "slippage": costs.slippage_rate, "min_size": 0.0, "max_size": np.inf,
        "size_granularity": np.nan, "reject_prob": 0.0, "lock_cash": False, "allow_partial": True,
        "raise_reject": False, "log": False, "val_price": prices.mark(rows, size_type == TARGET_PERCENT),
        "close": price,
    }  # fmt: skip
    return tuple(np.atleast_2d(value) for value in named.values())


def _kernel(arrays: tuple[np.ndarray, ...], initial_capital: float, max_orders: int) -> np.ndarray:
    """Run vectorbt's simulator over one group that shares its cash; return its order records."""
    from vectorbt_rust.portfolio import simulate_from_orders_rs  # imported here: it pulls in vectorbt

    n_rows, n_tickers = arrays[0].shape
    call_seq = np.tile(np.arange(n_tickers), (n_rows, 1))  # sorted per date by the kernel: sales first
    records, _ = simulate_from_orders_rs(
        (n_rows, n_tickers), np.array([n_tickers]), np.array([initial_capital]), call_seq, *arrays,
        auto_call_seq=True, max_orders=max_orders,
    )  # fmt: skip
    return records
