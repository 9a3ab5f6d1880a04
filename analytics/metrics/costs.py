"""Metrics of what trading cost, item by item and in all."""

from analytics.conventions import TRADING_DAYS
from analytics.metrics._arithmetic import NAN, mean, ratio
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance


def _total(performance: Performance, name: str) -> float:
    """The sum over the trades in USD; 0 where there is none, NaN where it is not known."""
    values = getattr(performance.trades, name) if performance.trades is not None else None
    return float(values.sum()) if values is not None else NAN


def total_fees(performance: Performance) -> float:
    """Return the fees of all trades in USD. NaN when: the trades are not known."""
    return _total(performance, "fees")


def total_slippage(performance: Performance) -> float:
    """Return the cost of slippage of all trades in USD. NaN when: the trades are not known."""
    return _total(performance, "slippage")


def total_spread(performance: Performance) -> float:
    """Return the part of the slippage that the spread was, in USD. NaN when: it is not known."""
    return _total(performance, "spread")


def total_impact(performance: Performance) -> float:
    """Return the part of the slippage that came with the size of orders, in USD. NaN when: it is not known."""
    return _total(performance, "impact")


def total_borrow(performance: Performance) -> float:
    """Return what borrowing shares cost in USD. NaN when: it is not known."""
    return _total(performance, "borrow")


def total_costs(performance: Performance) -> float:
    """Return fees, slippage and borrowing of all trades in USD. NaN when: one of them is not known."""
    return total_fees(performance) + total_slippage(performance) + total_borrow(performance)


def total_interest(performance: Performance) -> float:
    """Return what cash earned in USD. NaN when: it is not known."""
    (interest,) = performance.known("interest")
    return float(interest.sum()) if len(interest) else NAN


def cost_drag(performance: Performance) -> float:
    """Return the costs per year over the mean value of the account. NaN when: either is not known."""
    (equity,) = performance.known("equity")
    return TRADING_DAYS * ratio(total_costs(performance), mean(equity) * len(equity)) if len(equity) else NAN


def cost_share(performance: Performance) -> float:
    """Return the costs over what the trades earned before them. NaN when: they are not known, or earned nothing."""
    costs = total_costs(performance)
    earned = _total(performance, "pnl") + costs
    return ratio(costs, earned) if earned > 0.0 else NAN


METRICS = (
    Metric(
        key="total_fees",
        label="Fees",
        level="cost",
        formula="Σ fees",
        unit="usd",
        better="lower",
        func=total_fees,
        reference="definition",
        description="What was paid in fees over the whole period.",
    ),
    Metric(
        key="total_slippage",
        label="Spread, slippage and impact",
        level="cost",
        formula="Σ quantity × |price paid − price quoted|",
        unit="usd",
        better="lower",
        func=total_slippage,
        reference="definition",
        description="What was lost to prices worse than quoted over the whole period.",
    ),
    Metric(
        key="total_spread",
        label="Slippage: half-spread",
        level="cost",
        formula="Σ quantity × price quoted × half-spread",
        unit="usd",
        better="lower",
        func=total_spread,
        reference="definition",
        description="The part of the slippage that is half the distance between bid and ask.",
    ),
    Metric(
        key="total_impact",
        label="Slippage: market impact",
        level="cost",
        formula="Σ quantity × price quoted × α (order value / average daily dollar volume)^γ",
        unit="usd",
        better="lower",
        func=total_impact,
        reference="Almgren, Thum, Hauptmann and Li (2005)",
        description="The part of the slippage that comes with orders that are large for the market.",
    ),
    Metric(
        key="total_borrow",
        label="Borrow fees",
        level="cost",
        formula="Σ borrow fees of short positions",
        unit="usd",
        better="lower",
        func=total_borrow,
        reference="definition",
        description="What borrowing the shares that were sold short cost over the whole period.",
    ),
    Metric(
        key="total_costs",
        label="Costs",
        level="cost",
        formula="fees + slippage + borrow fees",
        unit="usd",
        better="lower",
        func=total_costs,
        reference="definition",
        description="What trading cost in all over the whole period.",
    ),
    Metric(
        key="total_interest",
        label="Interest on cash",
        level="cost",
        formula="Σ cash × f_t",
        unit="usd",
        better="neither",
        func=total_interest,
        reference="definition",
        description="What the cash of the account earned at the risk-free rate over the whole period.",
    ),
    Metric(
        key="cost_drag",
        label="Cost drag",
        level="cost",
        formula=f"{TRADING_DAYS} × costs / Σ value of the account at the close",
        unit="fraction",
        better="lower",
        func=cost_drag,
        reference="definition",
        description="What trading cost per year, as a share of the account's average value.",
    ),
    Metric(
        key="cost_share",
        label="Costs of what was earned",
        level="cost",
        formula="costs / (Σ pnl + costs)",
        unit="fraction",
        better="lower",
        func=cost_share,
        reference="definition",
        description="How much of what the trades earned before costs went to costs.",
    ),
)
