"""The rules of the account once more, one date and one order at a time, in plain Python: slow and obvious."""

import math
from dataclasses import dataclass, field

from analytics.backtest import Costs
from analytics.backtest.orders import Orders
from analytics.market import Panel


@dataclass
class SlowAccount:
    cash: float
    held: dict[int, float] = field(default_factory=dict)
    equity: list[float] = field(default_factory=list)
    fills: list[tuple[int, int, float, float, float]] = field(default_factory=list)


def slow_simulation(
    panel: Panel, orders: Orders, *, capital: float, costs: Costs, first: int, last: int
) -> SlowAccount:
    account = SlowAccount(capital, dict.fromkeys(range(len(panel.tickers)), 0.0))
    last_close = dict.fromkeys(account.held, math.nan)
    for row in range(last):
        today = {
            int(column): float(weight)
            for order_row, column, weight in zip(orders.row, orders.column, orders.target_weight, strict=True)
            if order_row == row
        }
        if today and row >= first:
            _trade(panel, account, today, last_close, costs, row)
        for column in account.held:
            if not math.isnan(panel.close[row, column]):
                last_close[column] = float(panel.adj_close[row, column])
        if row >= first:
            positions = sum(shares * last_close[column] for column, shares in account.held.items() if shares)
            account.equity.append(account.cash + positions)
    return account


def _trade(panel: Panel, account: SlowAccount, today: dict, last_close: dict, costs: Costs, row: int) -> None:
    quotes, marks = {}, {}
    for column in account.held:
        close, open_ = float(panel.close[row, column]), float(panel.open[row, column])
        adjusted = float(panel.adj_close[row, column])
        quotes[column] = adjusted if math.isnan(open_) else open_ * adjusted / close
        if math.isnan(open_):
            marks[column] = adjusted if column in today and not math.isnan(close) else last_close[column]
        else:
            marks[column] = open_ * adjusted / close
    value = account.cash + sum(shares * marks[column] for column, shares in account.held.items() if shares)
    worth = {column: weight * value - account.held[column] * marks[column] for column, weight in today.items()}
    for column in sorted(today, key=lambda column: (worth[column], column)):
        shares = today[column] * value / marks[column] - account.held[column]
        if shares < 0:
            price = quotes[column] * (1 - costs.slippage_rate)
        else:
            price = quotes[column] * (1 + costs.slippage_rate)
            shares = min(shares, account.cash / (price * (1 + costs.fee_rate)))
        if abs(shares) < 1e-12:
            continue
        fee = abs(shares) * price * costs.fee_rate
        account.cash -= shares * price + fee
        account.held[column] += shares
        if abs(account.held[column]) < 1e-9:
            account.held[column] = 0.0
        if abs(account.cash) < 1e-9:
            account.cash = 0.0
        account.fills.append((row, column, shares, price, fee))
