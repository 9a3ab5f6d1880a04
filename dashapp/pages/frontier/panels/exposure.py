"""What the chosen portfolio is exposed to: few positions, the market and its factors, sectors."""

from collections.abc import Mapping
from typing import Any, Final

import dash_bootstrap_components as dbc
import numpy as np
import pandas as pd
from dash import html

from analytics.conventions import MIN_FACTOR_SESSIONS, TRADING_DAYS, FloatArray
from analytics.portfolio.exposure import effective_positions, factor_exposure, group_exposure, herfindahl
from dashapp.components import card, info, plain_table, stat, stats
from dashapp.format import number, percent
from dashapp.pages.frontier.live import SHOWN_WEIGHT, Answer
from dashapp.pages.frontier.panels._panel import Chosen, Panel
from pipeline.queries.portfolio_inputs import FACTORS

NO_WEIGHT: Final = 1e-9
LABELS: Final = {
    "mkt_rf": ("Market", "Return of the US stock market less the risk-free rate."),
    "smb": ("Size", "Small companies less large ones: above 0 it moves with the small."),
    "hml": ("Value", "Cheap companies by book value less dear ones: above 0 it moves with the cheap."),
}
NOTHING_TO_COMPARE: Final = f"Beta and loadings need {MIN_FACTOR_SESSIONS} sessions of factor returns or of a benchmark within the window, and this store has neither."


def render(chosen: Chosen, _controls: Mapping[str, Any]) -> Any:
    """Return concentration, market beta and factor loadings with their intervals, and sectors."""
    daily = _daily(chosen)
    return [
        stats([*_concentration(chosen), _beta(chosen.answer, daily)]),
        dbc.Row([
            dbc.Col(card("Factor loadings", _loadings(chosen.answer, daily),
                         tip="One regression of the portfolio's daily returns, less the risk-free rate, on the three Fama-French factors together. "
                             "Intervals are Newey-West's, 95 %. The weights of today are kept through the window."), xl=6),
            dbc.Col(card("Sectors", _sectors(chosen),
                         tip="Risk is the share of it: what a sector adds to the portfolio's variance, by the chosen covariance."), xl=6),
        ]),
    ]  # fmt: skip


def _daily(chosen: Chosen) -> FloatArray:
    """Daily returns of the weights, cash at the risk-free rate."""
    found = chosen.answer
    cash = max(1 - float(chosen.weights.sum()), 0.0)
    return np.asarray(found.inputs.data.returns @ chosen.weights + cash * found.rate / TRADING_DAYS)


def _concentration(chosen: Chosen) -> list[html.Div]:
    weights, found = chosen.weights, chosen.answer
    largest, cash = int(np.argmax(weights)), max(1 - float(weights.sum()), 0.0)
    name = f"{found.tickers[largest]} · {found.inputs.names.get(found.tickers[largest], '')}"
    held = int((weights >= SHOWN_WEIGHT).sum())
    return [
        stat("HHI", number(herfindahl(weights), digits=3), note="1 is a single position",
             tip="Herfindahl-Hirschman index: the sum of squared weights of what is invested, from 1 / number of positions to 1."),
        stat("Effective positions", number(effective_positions(weights), digits=1), note=f"{held} held",
             tip="1 / HHI: as concentrated as that many equal positions."),
        stat("Largest position", percent(weights[largest]) if held else "–", note=name if held else "", tip="Of the whole capital."),
        stat("Cash", percent(cash if cash > NO_WEIGHT else 0.0), note="at the risk-free rate" if cash > NO_WEIGHT else "all is invested",
             tip="What the weights leave of the capital."),
    ]  # fmt: skip


def _beta(found: Answer, daily: FloatArray) -> html.Div:
    """Beta to the market factor alone, or to the benchmark where no factors are known."""
    factors = found.inputs.data.factor_returns
    market, label, of = (
        None if factors is None else factors[:, :1],
        "the US market factor (Kenneth French)",
        "Market beta",
    )
    if market is None or _sessions(market) < MIN_FACTOR_SESSIONS:
        benchmark = found.inputs.benchmark
        excess = found.inputs.benchmark_returns - found.rate / TRADING_DAYS
        market, label, of = excess[:, None], benchmark, f"Beta to {benchmark}" if benchmark else "Market beta"
    if _sessions(market) < MIN_FACTOR_SESSIONS:
        return stat("Market beta", "–", note="no market to compare with", tip=NOTHING_TO_COMPARE)
    row = _fit(found, daily, market, ["market"]).iloc[1]
    return stat(of, number(row["coefficient"]), note=f"95 %: {number(row['low'])} to {number(row['high'])}",
                tip=f"How much it moved with {label}: regression of daily returns less the risk-free rate, {_window(found, market)}. Newey-West interval.")  # fmt: skip


def _fit(found: Answer, daily: FloatArray, factors: FloatArray, names: list[str]) -> pd.DataFrame:
    """The risk-free rate is the window's mean: its own moves are a thousandth of the portfolio's."""
    return factor_exposure(daily, factors, np.full(len(daily), found.rate / TRADING_DAYS), names)


def _loadings(found: Answer, daily: FloatArray) -> Any:
    factors = found.inputs.data.factor_returns
    if factors is None or _sessions(factors) < MIN_FACTOR_SESSIONS:
        return html.P("The source of this store has too few sessions of factor returns for loadings; beta to the benchmark is above, where there is one.",
                      className="mb-0 text-body-secondary")  # fmt: skip
    table = _fit(found, daily, factors, list(FACTORS)).set_index("factor")
    rows = []
    for key, (label, tip) in LABELS.items():
        row = table.loc[key]
        sure = "clear" if row["low"] > 0 or row["high"] < 0 else "could be 0"
        rows.append(
            [
                html.Span([label, " ", info(tip)]),
                number(row["coefficient"]),
                f"{number(row['low'])} to {number(row['high'])}",
                number(row["t_stat"], digits=1),
                sure,
            ]
        )
    return [
        plain_table(["Factor", "Loading", "95 % interval", "t", ""], rows),
        html.P(f"In sample, {_window(found, factors)}.", className="small text-body-secondary mt-2 mb-0"),
    ]


def _sessions(factors: FloatArray) -> int:
    return int(np.isfinite(factors).all(axis=1).sum())


def _window(found: Answer, factors: FloatArray) -> str:
    """How many sessions are known, and from when to when."""
    known = found.inputs.dates[np.isfinite(factors).all(axis=1)]
    return f"{len(known):,} sessions, {known[0].date()} to {known[-1].date()}"


def _sectors(chosen: Chosen) -> html.Div:
    found = chosen.answer
    groups = [found.inputs.sectors.get(ticker, "Other") for ticker in found.tickers]
    table = group_exposure(chosen.weights, found.covariance, groups)
    held = chosen.weights >= SHOWN_WEIGHT
    counts = pd.Series(groups)[held].value_counts()
    rows = [
        [row.group, percent(row.weight), percent(row.risk_contribution), str(counts[row.group])]
        for row in table.itertuples() if row.group in counts.index
    ]  # fmt: skip
    return plain_table(["Sector", "Weight", "Risk", "Positions"], rows)


PANEL = Panel(
    "exposure", "Exposure", 70,
    "How concentrated the portfolio is, and what it moves with: the market, small against large, cheap against dear companies, sectors.", render,
)  # fmt: skip
