"""Gates on what a run was asked and what came out of it: costs, number of trades, plausibility."""

from typing import Final

import numpy as np

from analytics.backtest.engine import Fills
from analytics.backtest.gate import AMBER, GREEN, RED, Gate, figure, percent
from analytics.backtest.orders import PENDING, Orders
from analytics.backtest.result import BacktestResult
from analytics.backtest.round_trips import END_OF_TEST
from analytics.backtest.terms import COSTS, Costs
from analytics.conventions import TRADING_DAYS
from analytics.market import Panel

LOW_COSTS: Final = 0.5  # share of the default costs below which a run is amber
FEW_TRADES, ENOUGH_TRADES = 10, 30  # the standard error of a win rate is 16 % with 10 trades, 9 % with 30
MAX_WIN_RATE: Final = 0.95  # of more than ENOUGH_TRADES trades
ROUNDING: Final = 1e-9  # of a price
MAX_SHARPE, HIGH_SHARPE = 5.0, 3.0


def costs_on(costs: Costs, *, sharpe: float, sharpe_doubled: float) -> Gate:
    """Red where trading is free, amber below half of the default costs; sharpe_doubled: with twice the costs."""
    rate, usual = _rate(costs), _rate(Costs())
    if rate == 0.0 and costs.fixed_fee == 0.0:
        but = " but for its impact" if costs.impact_coefficient else ""
        said, verdict = f"Trading was free{but}: no commission, no spread, no slippage", RED
    elif rate < LOW_COSTS * usual:
        said, verdict = f"Trading cost {percent(rate, 3)} each way, below half of the usual {percent(usual, 3)}", AMBER
    else:
        said, verdict = f"Trading cost {percent(rate, 3)} each way, beside impact and fixed fees", GREEN
    return Gate(
        "costs_on", "Costs", verdict,
        f"{said}; twice the costs take the Sharpe ratio from {figure(sharpe)} to {figure(sharpe_doubled)}.",
    )  # fmt: skip


def doubled(costs: Costs) -> Costs:
    """Return twice the costs, each within its bounds; what impact depends on and the participation cap stay."""
    bounds = {item.name: item.maximum for item in COSTS}
    kept = ("impact_exponent", "participation_cap")
    twice = {name: 2.0 * getattr(costs, name) for name in bounds if name not in kept}
    return Costs(
        **{name: min(value, float(bounds[name] or value)) for name, value in twice.items()},
        **{name: getattr(costs, name) for name in kept},
    )


def _rate(costs: Costs) -> float:
    return costs.fee_rate + costs.half_spread + costs.slippage_rate


def minimum_trades(result: BacktestResult) -> Gate:
    """Red below 10 round trips, amber below 30; amber too where they are few because positions are resized or kept."""
    trades, fills = len(result.trades), int(result.audit["fills"])
    said = f"{_count(trades, 'round trip')} of {_count(fills, 'fill')}"
    if trades and fills <= trades and result.trades["reason"].isin([END_OF_TEST, "delisted"]).all():
        detail = f"{said}, and nothing was sold: the result is that of holding, it says nothing of when to trade."
        return Gate("minimum_trades", "Number of trades", AMBER, detail)
    if trades < FEW_TRADES and fills >= ENOUGH_TRADES:
        verdict, judged = AMBER, "most of them resized what is held, so that the result is mostly that of holding"
    elif trades < FEW_TRADES:
        verdict, judged = RED, "too few to tell skill from luck"
    elif trades < ENOUGH_TRADES:
        verdict, judged = AMBER, f"fewer than {ENOUGH_TRADES}, so that luck weighs much"
    else:
        verdict, judged = GREEN, "enough to judge by"
    return Gate("minimum_trades", "Number of trades", verdict, f"{said}: {judged}.")


def fills_within_bars(panel: Panel, fills: Fills, orders: Orders) -> Gate:
    """Red where a fill's quote lies outside the range of its bar, or comes on the bar that decided it or before."""
    key, label = "fills", "Fills"
    traded = fills.take(np.flatnonzero(panel.has_bar[fills.row, fills.column]))  # the others settle what is delisted
    if not len(traded):
        return Gate(key, label, AMBER, "Nothing was traded.")
    at = traded.row, traded.column
    factor = (panel.adj_close / panel.close)[at]
    ends = np.stack([panel.open[at], panel.high[at], panel.low[at], panel.close[at]]) * factor
    outside = (traded.quote > np.nanmax(ends, axis=0) * (1 + ROUNDING)) | (
        traded.quote < np.nanmin(ends, axis=0) * (1 - ROUNDING)
    )
    early = int(((orders.row != PENDING) & (orders.row <= orders.decided)).sum())
    said = f"{_count(int(outside.sum()), 'fill')} of {len(traded):,} outside the prices of the day, {_count(early, 'order')} due before the next bar"
    return Gate(key, label, RED if outside.any() or early else GREEN, f"{said}.")


def impossible_winner(result: BacktestResult) -> Gate:
    """Red where a result is better than foresight allows: nearly no losing trade, or a Sharpe ratio above 5."""
    sharpe, trips, sessions = result.metrics["sharpe_ratio"], len(result.trades), len(result.dates)
    wins = float((result.trades["pnl"] > 0.0).mean()) if trips else float("nan")
    said = f"{percent(wins)} of {_count(trips, 'trade')} won" if trips else "No trade"
    said += f", Sharpe ratio {figure(sharpe)} over {_count(sessions, 'session')}"
    verdict, judged = GREEN, "nothing that only foresight explains"
    if sharpe > HIGH_SHARPE:
        verdict, judged = AMBER, f"a Sharpe ratio above {HIGH_SHARPE:.0f} after costs is rare: look for an error"
    if (wins > MAX_WIN_RATE and trips > ENOUGH_TRADES) or (sharpe > MAX_SHARPE and sessions >= TRADING_DAYS):
        verdict, judged = RED, "no rule that does not see the future does as well"
    return Gate("impossible_winner", "Plausibility", verdict, f"{said}: {judged}.")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
