"""The rules of the account in plain Python, one session and one order at a time: slow, obvious, written apart.

Prices are in the total-return basis (open, high, low and close × adj_close / close), shares are adjusted shares,
money is USD. Nothing here is shared with the engine of record: only the panel, the orders and the costs are.
"""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from event_bars import Bar, bars_of

from analytics.backtest.orders import Orders
from analytics.market import Panel

SESSIONS_PER_YEAR = 252
DELISTED_AFTER = 5  # rows without a bar
VOLUME_BARS = 20  # that the average daily dollar volume looks back
NEGLIGIBLE = 1e-9  # of the account: smaller trades are not made, smaller positions are none
LARGEST_CONCESSION = 0.9


class Fill(NamedTuple):
    """One trade: signed shares; fee, the three parts of the concession and the borrow fee since the last fill, USD."""

    row: int
    column: int
    shares: float
    price: float
    quote: float
    fee: float
    spread: float
    slippage: float
    impact: float
    borrow: float
    reason: str
    held: float  # afterwards


@dataclass
class Position:
    shares: float
    entry: float  # price of the first fill
    best: float  # highest price since for a long position, lowest for a short one
    opened_at_close: int | None  # the row, where that bar has no open


@dataclass
class EventSimulation:
    """The account and its history: one number per session of the window in each list."""

    panel: Panel
    cash: float
    costs: Any
    rules: Any
    risk_free: Any
    due: dict[int, dict[int, float]]  # row -> column -> target weight
    bars: list[dict[int, Bar]]  # column -> row -> bar
    initial_capital: float
    fills: list[Fill] = field(default_factory=list)
    cash_path: list[float] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    gross_exposure: list[float] = field(default_factory=list)
    net_exposure: list[float] = field(default_factory=list)
    interest: list[float] = field(default_factory=list)
    borrow: list[float] = field(default_factory=list)
    positions: dict[int, Position] = field(default_factory=dict)
    working: dict[int, float] = field(default_factory=dict)  # column -> shares still to trade
    last_bar: dict[int, int] = field(default_factory=dict)  # column -> row of its newest bar so far
    borrow_due: dict[int, float] = field(default_factory=dict)  # column -> borrow fees since its last fill
    halted: bool = False

    def session(self, row: int) -> None:
        self.overnight(row)
        self.settle_delisted(row)
        self.trade(row)
        self.stop_out(row)
        self.close(row)

    def last_close(self, column: int) -> float:
        return self.bars[column][self.last_bar[column]].close

    def held(self, column: int) -> float:
        return self.positions[column].shares if column in self.positions else 0.0

    def overnight(self, row: int) -> None:
        worth = {column: position.shares * self.last_close(column) for column, position in self.positions.items()}
        shorts = {column: -value for column, value in worth.items() if value < 0}
        rate = float(self.risk_free[row])
        earns = self.rules.cash_interest and not math.isnan(rate)
        interest = max(self.cash - sum(shorts.values()), 0.0) * rate if earns else 0.0
        fees = {column: self.costs.borrow_rate / SESSIONS_PER_YEAR * value for column, value in shorts.items()}
        for column, fee in fees.items():
            self.borrow_due[column] = self.borrow_due.get(column, 0.0) + fee
        self.cash += interest - sum(fees.values())
        self.interest.append(interest)
        self.borrow.append(sum(fees.values()))

    def settle_delisted(self, row: int) -> None:
        for column in sorted({*self.positions, *self.working}):
            if row not in self.bars[column] and row - self.last_bar[column] >= DELISTED_AFTER:
                self.close_free_of_costs(row, column, "delisted")

    def close_free_of_costs(self, row: int, column: int, reason: str) -> None:
        self.working.pop(column, None)
        if column in self.positions:
            price = self.last_close(column)
            self.book(row, column, -self.positions[column].shares, price, (0.0, 0.0, 0.0), 0.0, reason)

    def trade(self, row: int) -> None:
        due = {} if self.halted else self.due.get(row, {})
        if self.halted:  # every position is to be closed, and nothing else is done
            self.working = {column: -position.shares for column, position in self.positions.items()}
        for column in due:
            self.working.pop(column, None)
        ordered = set(due) | {column for column in self.working if row in self.bars[column]}
        quotes = {column: self.bars[column][row].quote for column in ordered}
        value = self.value_before_trades(row, quotes)
        whole = max(value, 0.0)  # a debt is no reason to sell what is to be bought
        wanted, worth = {}, {}
        for column, quote in quotes.items():
            if column in due:  # the worth from the weight, so that equal weights of nothing held are a tie
                worth[column] = due[column] * whole - self.held(column) * quote
                wanted[column] = due[column] * whole / quote - self.held(column)
            else:
                wanted[column] = self.working.pop(column)
                worth[column] = wanted[column] * quote
        for column in sorted(ordered, key=lambda column: (worth[column], column)):
            self.fill_order(row, column, wanted[column], NEGLIGIBLE * abs(value))

    def value_before_trades(self, row: int, quotes: dict[int, float]) -> float:
        value = self.cash
        for column, position in self.positions.items():
            bar = self.bars[column].get(row)
            if column in quotes:
                mark = quotes[column]
            elif bar is not None and not math.isnan(bar.open):
                mark = bar.open
            else:
                mark = self.last_close(column)
            value += position.shares * mark
        return value

    def fill_order(self, row: int, column: int, wanted: float, negligible: float) -> None:
        quote = self.bars[column][row].quote
        volume = self.daily_dollars(row, column)
        shares = wanted
        if self.costs.participation_cap > 0 and volume is not None:
            most = self.costs.participation_cap * volume / quote
            if abs(wanted) > most:
                shares = math.copysign(most, wanted)
                self.working[column] = wanted - shares
        if shares > 0:
            payable = self.affordable(shares, quote, volume)
            if payable < shares:  # an order that runs out of cash is over, what the cap left of it too
                self.working.pop(column, None)
            shares = payable
        if abs(shares) * quote > negligible:
            reason = "drawdown halt" if self.halted else "signal"
            self.pay_and_book(row, column, shares, quote, volume, reason, negligible)

    def affordable(self, shares: float, quote: float, volume: float | None) -> float:
        price = quote * (1 + sum(self.concession(shares, quote, volume)))
        if shares * price * (1 + self.costs.fee_rate) + self.costs.fixed_fee <= self.cash:
            return shares
        return max((self.cash - self.costs.fixed_fee) / (price * (1 + self.costs.fee_rate)), 0.0)

    def daily_dollars(self, row: int, column: int) -> float | None:
        """The average daily dollar volume; None where it is unknown or 0."""
        before = sorted(earlier for earlier in self.bars[column] if earlier < row)[-VOLUME_BARS:]
        known = [self.bars[column][earlier].dollars for earlier in before]
        known = [dollars for dollars in known if not math.isnan(dollars)]
        return sum(known) / len(known) if known and sum(known) > 0 else None

    def concession(self, shares: float, quote: float, volume: float | None) -> tuple[float, float, float]:
        """Half-spread, flat slippage and impact, as fractions of the quote."""
        costs, impact = self.costs, 0.0
        if volume is not None and costs.impact_coefficient > 0:
            impact = costs.impact_coefficient * (abs(shares) * quote / volume) ** costs.impact_exponent
        room, parts = LARGEST_CONCESSION, []
        for part in (costs.half_spread, costs.slippage_rate, impact):
            parts.append(min(part, room))
            room -= parts[-1]
        return parts[0], parts[1], parts[2]

    def pay_and_book(
        self, row: int, column: int, shares: float, quote: float, volume: float | None, reason: str,
        negligible: float = 0.0,
    ) -> None:  # fmt: skip
        parts = self.concession(shares, quote, volume)
        price = quote * (1 + math.copysign(sum(parts), shares))
        fee = abs(shares) * price * self.costs.fee_rate + self.costs.fixed_fee
        self.book(row, column, shares, quote, parts, fee, reason, price=price, negligible=negligible)

    def book(
        self, row: int, column: int, shares: float, quote: float, parts: tuple[float, float, float], fee: float,
        reason: str, *, price: float | None = None, negligible: float = 0.0,
    ) -> None:  # fmt: skip
        price = quote if price is None else price
        before = self.held(column)
        after = before + shares
        if abs(after) * quote <= negligible:
            after = 0.0
        self.cash -= shares * price + fee
        if after == 0:
            self.positions.pop(column, None)
        elif before * after <= 0:  # opened, or turned from long to short or back
            bar = self.bars[column][row]
            self.positions[column] = Position(after, price, price, row if math.isnan(bar.open) else None)
        else:
            self.positions[column].shares = after
        spread, slippage, impact = (abs(shares) * quote * part for part in parts)
        borrow = self.borrow_due.pop(column, 0.0)
        self.fills.append(Fill(row, column, shares, price, quote, fee, spread, slippage, impact, borrow, reason, after))

    def stop_out(self, row: int) -> None:
        for column in sorted(self.positions):
            position, bar = self.positions[column], self.bars[column].get(row)
            if bar is None or position.opened_at_close == row:
                continue
            stop = self.stop(position, bar)
            if stop is not None:
                self.working.pop(column, None)
                self.pay_and_book(row, column, -position.shares, stop[0], self.daily_dollars(row, column), stop[1])
            elif position.shares > 0:
                position.best = max(position.best, bar.range[1])
            else:
                position.best = min(position.best, bar.range[0])

    def stop(self, position: Position, bar: Bar) -> tuple[float, str] | None:
        """The quote and the reason of a stop that the bar reaches."""
        rules, (low, high), open_ = self.rules, bar.range, bar.quote
        long = position.shares > 0
        side = 1 if long else -1  # for a short position losses lie above and profits below
        losses = []
        if rules.stop_loss > 0:
            losses.append((position.entry * (1 - side * rules.stop_loss), "stop loss"))
        if rules.trailing_stop > 0:
            losses.append((position.best * (1 - side * rules.trailing_stop), "trailing stop"))
        if losses:
            level, reason = max(losses, key=lambda loss: side * loss[0])  # the nearer one; the stop loss if equal
            if side * open_ <= side * level:
                return open_, reason
            if (low <= level) if long else (high >= level):
                return level, reason
        if rules.take_profit > 0:
            level = position.entry * (1 + side * rules.take_profit)
            if side * open_ >= side * level:
                return open_, "take profit"
            if (high >= level) if long else (low <= level):
                return level, "take profit"
        return None

    def close(self, row: int) -> None:
        for column, bars in enumerate(self.bars):
            if row in bars:
                self.last_bar[column] = row
        worth = [position.shares * self.last_close(column) for column, position in self.positions.items()]
        equity = self.cash + sum(worth)
        if equity <= 0:
            for column in sorted(self.positions):
                self.close_free_of_costs(row, column, "liquidated")
            self.halted, worth = True, []
        self.cash_path.append(self.cash)
        self.equity.append(equity)
        self.gross_exposure.append(sum(abs(value) for value in worth) / equity if worth else 0.0)
        self.net_exposure.append(sum(worth) / equity if worth else 0.0)
        drawdown = equity / max(*self.equity, self.initial_capital) - 1
        if self.rules.drawdown_halt > 0 and drawdown <= -self.rules.drawdown_halt:
            self.halted = True


def simulate_events(
    panel: Panel,
    orders: Orders,
    *,
    initial_capital: float,
    costs: Any,
    rules: Any,
    risk_free: Any,
    first: int,
    last: int,
) -> EventSimulation:
    """Run the account over the rows from `first` up to, not including, `last`; risk_free per row of the panel."""
    due: dict[int, dict[int, float]] = {}
    for row, column, weight in zip(orders.row, orders.column, orders.target_weight, strict=True):
        due.setdefault(int(row), {})[int(column)] = float(weight)
    bars = [bars_of(panel, column) for column in range(len(panel.tickers))]
    simulation = EventSimulation(panel, initial_capital, costs, rules, risk_free, due, bars, initial_capital)
    for column, own in enumerate(bars):
        earlier = [row for row in own if row < first]
        if earlier:
            simulation.last_bar[column] = max(earlier)
    for row in range(first, last):
        simulation.session(row)
    return simulation
