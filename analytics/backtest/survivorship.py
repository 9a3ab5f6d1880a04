"""Whether a run's tickers were chosen because they exist today: judged by the universe as it was."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from analytics.backtest.gate import AMBER, GREEN, RED, SEVERITY, Gate, Verdict, percent
from analytics.conventions import DateArray
from analytics.market import Panel

Spell = tuple[str, str, str | None]  # ticker, first day, day after the last; None: still a member

BIAS_AMBER: Final = 0.05  # share of members left out, or of sessions before or after a membership
BIAS_RED: Final = 0.2
NEVER: Final = "9999-12-31"
KEY, LABEL = "survivorship", "Survivorship"


def survivorship(panel: Panel, members: Mapping[str, Sequence[Spell]] | None, *, first: int, last: int) -> Gate:
    """Judge the choice of tickers by the universe that holds most of them, over the rows first..last−1.

    members: {universe: spells of its members}. Two shares count: of its members, those that left it during the test
    and are not in the run (not asked of a single ticker, which stands for itself); of the run's bars, those outside
    their ticker's membership. Green up to 5 %, amber up to 20 %, and amber where the membership is not known.
    """
    universe = _universe(panel, members or {})
    if universe is None:
        detail = (
            "Who belonged to a universe of these tickers is not known; tickers chosen today are those that survived."
        )
        return Gate(KEY, LABEL, AMBER, detail)
    spells = [(t, np.datetime64(start), np.datetime64(end or NEVER)) for t, start, end in (members or {})[universe]]
    known_from = min(start for _, start, _ in spells)
    dates = panel.dates[first:last]
    dates, bars = dates[dates >= known_from], panel.has_bar[first:last][dates >= known_from]
    if not len(dates):
        return Gate(KEY, LABEL, AMBER, f"Who belonged to {universe} is known from {known_from} on, after the test.")
    left_out, said = _left_out(panel.tickers, spells, dates, universe)
    outside = float((bars & ~_membership(panel.tickers, spells, dates)).sum() / max(bars.sum(), 1))
    worst = max(left_out, outside)
    verdict: Verdict = GREEN if worst <= BIAS_AMBER else AMBER if worst <= BIAS_RED else RED
    detail = f"{said}; {percent(outside)} of the run's bars are from outside their ticker's membership."
    if known_from > panel.dates[first]:
        verdict = max(verdict, AMBER, key=SEVERITY.__getitem__)
        detail += f" Before {known_from} the members are not known."
    return Gate(KEY, LABEL, verdict, detail)


def _universe(panel: Panel, members: Mapping[str, Sequence[Spell]]) -> str | None:
    """The universe with most of the tickers, of equal ones the smallest; None where none has any."""
    shared = {name: len({spell[0] for spell in spells} & {*panel.tickers}) for name, spells in members.items()}
    held = [name for name in shared if shared[name]]
    return min(held, key=lambda name: (-shared[name], len(members[name]), name)) if held else None


def _left_out(
    tickers: tuple[str, ...], spells: Sequence[tuple[str, np.datetime64, np.datetime64]], dates: DateArray, universe: str
) -> tuple[float, str]:  # fmt: skip
    """The share of the members between two dates that left before the second and are not in the run; in words."""
    inside = [spell for spell in spells if spell[1] <= dates[-1] and spell[2] > dates[0]]
    in_window, at_end = {spell[0] for spell in inside}, {spell[0] for spell in inside if spell[2] > dates[-1]}
    if len(tickers) == 1:
        return 0.0, f"A single ticker of {universe} stands for itself"
    missing = in_window - at_end - {*tickers}
    share = len(missing) / max(len(in_window), 1)
    return (
        share,
        f"{len(missing)} of the {len(in_window)} members of {universe} left during the test and are not in the run",
    )


def _membership(
    tickers: tuple[str, ...], spells: Sequence[tuple[str, np.datetime64, np.datetime64]], dates: DateArray
) -> np.ndarray:
    """Where a ticker was a member, (n_dates, n_tickers)."""
    member = np.zeros((len(dates), len(tickers)), dtype=bool)
    for ticker, start, end in spells:
        if ticker in tickers:
            member[slice(*np.searchsorted(dates, [start, end])), tickers.index(ticker)] = True
    return member
