"""Round trips from the fills of the event simulation: a fill that turns a position round ends one and begins one."""

from typing import Any

from event_simulator import EventSimulation, Fill


def event_trades(simulation: EventSimulation, *, last: int) -> list[dict[str, Any]]:
    """One row per round trip from flat to flat, by entry date, then ticker; what is still open is valued at the end."""
    trips: list[dict[str, Any]] = []
    for column in range(len(simulation.panel.tickers)):
        trip: dict[str, Any] | None = None
        held = 0.0
        for fill in (fill for fill in simulation.fills if fill.column == column):
            turned = held * fill.held < 0
            closing = -held if turned else fill.shares if held * fill.shares < 0 else 0.0
            opening = fill.shares - closing
            if trip is not None:
                trip["borrow"] += fill.borrow
                if closing:
                    _add(trip, "exit", fill, closing)
                if turned or fill.held == 0:
                    trips.append(_ended(trip, fill.row, fill.reason))
                    trip = None
            if opening:
                trip = trip or _begun(fill)
                _add(trip, "entry", fill, opening)
            held = fill.held
        if trip is not None:
            trip["exit_value"] += abs(held) * simulation.last_close(column)
            trip["borrow"] += simulation.borrow_due.get(column, 0.0)
            trips.append(_ended(trip, last - 1, "end of test"))
    trips.sort(key=lambda trip: (trip["entry_row"], trip["column"]))
    return [_shown(simulation, trip) for trip in trips]


def _begun(fill: Fill) -> dict[str, Any]:
    amounts = dict.fromkeys(
        ("quantity", "entry_value", "exit_value", "fees", "spread", "slippage", "impact", "borrow"), 0.0
    )
    return {"column": fill.column, "entry_row": fill.row, "side": 1.0 if fill.held > 0 else -1.0, **amounts}


def _add(trip: dict[str, Any], end: str, fill: Fill, shares: float) -> None:
    """Count `shares` of a fill at one end of the trip, with that part of what the fill cost."""
    part = shares / fill.shares
    trip[f"{end}_value"] += abs(shares) * fill.price
    trip["quantity"] += abs(shares) if end == "entry" else 0.0
    trip["fees"] += part * fill.fee
    trip["spread"] += part * fill.spread
    trip["impact"] += part * fill.impact
    trip["slippage"] += part * (fill.spread + fill.slippage + fill.impact)


def _ended(trip: dict[str, Any], row: int, reason: str) -> dict[str, Any]:
    return {**trip, "exit_row": row, "reason": reason}


def _shown(simulation: EventSimulation, trip: dict[str, Any]) -> dict[str, Any]:
    """The trip in the columns of the trade list."""
    dates, tickers = simulation.panel.dates, simulation.panel.tickers
    pnl = trip["side"] * (trip["exit_value"] - trip["entry_value"]) - trip["fees"] - trip["borrow"]
    costs = {name: trip[name] for name in ("fees", "slippage", "spread", "impact", "borrow")}
    return {
        "ticker": tickers[trip["column"]],
        "direction": "long" if trip["side"] > 0 else "short",
        "entry_date": str(dates[trip["entry_row"]]),
        "entry_price": trip["entry_value"] / trip["quantity"],
        "exit_date": str(dates[trip["exit_row"]]),
        "exit_price": trip["exit_value"] / trip["quantity"],
        "quantity": trip["quantity"],
        **costs,
        "pnl": pnl,
        "return_pct": pnl / trip["entry_value"],
        "reason": trip["reason"],
    }
