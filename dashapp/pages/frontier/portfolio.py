"""The chosen portfolio: what it promises with its error, what it holds, and where its risk is."""

from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
import pandas as pd
from dash import html

from analytics.conventions import FRONTIER_POINTS, TRADING_DAYS
from analytics.errors import MissingDataError
from analytics.portfolio.exposure import effective_positions, group_exposure, risk_contributions
from analytics.portfolio.intervals import portfolio_intervals
from analytics.portfolio.objectives import OBJECTIVES, choose
from analytics.portfolio.portfolios import evaluate
from dashapp import inputs
from dashapp.components import card, column, graph, grid, percent_column, stat, stats
from dashapp.figures.frontier import weights_figure
from dashapp.format import number, percent, unbroken
from dashapp.pages.frontier.live import SHOWN_WEIGHT, Answer, answer
from dashapp.pages.frontier.panels import Chosen
from dashapp.pages.frontier.request import parse

ON_FRONTIER, TODAY = "frontier", "held"
MOST_BARS = 15


def chosen_portfolio(request: Any, point: Any, pick: Any, theme: Any) -> Chosen:
    """Return the portfolio that the slider or the list of objectives names; raises InputError, MissingDataError."""
    found = answer(parse(request))
    name = inputs.choice("portfolio", pick, [ON_FRONTIER, TODAY, *OBJECTIVES])
    theme = "dark" if theme == "dark" else "light"
    if name == ON_FRONTIER:
        place = min(inputs.whole("portfolio", point, low=1, high=FRONTIER_POINTS), len(found.frontier.weights))
        return Chosen(found, found.frontier.weights[place - 1], f"Frontier portfolio {place}", place, theme)
    if name == TODAY:
        if not found.holdings.any():
            raise MissingDataError('Nothing is held today: choose it under "Cash, turnover, income".')
        return Chosen(found, found.holdings, "Held today", None, theme)
    return Chosen(found, choose(OBJECTIVES[name], found.task).weights, OBJECTIVES[name].label, None, theme)


def portfolio_view(chosen: Chosen) -> list[Any]:
    """Return key figures, weights with risk contributions, sectors and the table of weights."""
    found, weights = chosen.answer, chosen.weights
    held = pd.DataFrame({
        "name": list(found.tickers), "weight": weights, "risk_contribution": risk_contributions(weights, found.covariance),
    })  # fmt: skip
    held = held[held["weight"] >= SHOWN_WEIGHT].sort_values(["weight", "name"], ascending=[False, True])
    left = len(held) - MOST_BARS
    more = f"; {left} smaller ones are in the table" if left > 0 else ""
    sectors = group_exposure(
        weights, found.covariance, [found.inputs.sectors.get(name, "Other") for name in found.tickers]
    )
    sectors = sectors[sectors["weight"] >= SHOWN_WEIGHT].rename(columns={"group": "name"})
    return [
        stats(_cards(chosen)),
        dbc.Row([
            dbc.Col(card("Weights and risk", graph(weights_figure(held.head(MOST_BARS), theme=chosen.theme), tools=False),
                         tip=f"{chosen.label}. The share of the risk is wᵢ(Σw)ᵢ / w′Σw: what a ticker adds to the variance{more}."), xl=3),
            dbc.Col(card("Sectors", graph(weights_figure(sectors, theme=chosen.theme), tools=False)), xl=4),
            dbc.Col(card("All weights", grid("frontier-weights", _table(found, weights), [
                column("ticker", "Ticker", width=80), *(percent_column(name, label, digits=2, width=None, minWidth=90) for name, label in (
                    ("chosen", "Chosen"), ("min_variance", "Min var"), ("max_sharpe", "Max Sharpe")))],
                row_id="ticker", height=420), tip="Tickers that none of the three portfolios holds are left out."), xl=5),
        ]),
    ]  # fmt: skip


def _cards(chosen: Chosen) -> list[html.Div]:
    found, weights = chosen.answer, chosen.weights
    promised = evaluate(weights, found.expected_returns, found.covariance, risk_free_rate=found.rate)
    cash = max(1 - float(weights.sum()), 0.0)
    past = portfolio_intervals(found.inputs.data.returns @ weights + cash * found.rate / TRADING_DAYS)
    sharpe = promised.sharpe_ratio[0] if found.rate_known else np.nan
    window = f"over {found.inputs.dates[0].date()} to {found.inputs.as_of}"
    cash_card = (
        [stat("Cash", percent(cash), note="at the risk-free rate", tip="What is not invested.")]
        if cash > SHOWN_WEIGHT
        else []
    )
    return [
        stat("Expected return", percent(promised.expected_return[0]),
             note=unbroken(f"past mean {percent(past.mean_return)}, 95 %: {percent(past.mean_return_low, digits=0)} to {percent(past.mean_return_high, digits=0)}"),
             tip="By the chosen estimate of expected returns: what the portfolio was chosen by, not a forecast. The interval is that of "
                 f"the mean return of these weights {window} (Newey-West)."),
        stat("Volatility", percent(promised.volatility[0]),
             note=unbroken(f"past {percent(past.volatility)}, 95 %: {percent(past.volatility_low, digits=0)} to {percent(past.volatility_high, digits=0)}"),
             tip=f"Annual, by the chosen covariance; the interval is that of these weights' volatility {window}, volatility clustering counted."),
        stat("Sharpe ratio", number(sharpe), note="in sample", tip="Expected return less the risk-free rate, over volatility. In sample: "
             "the panel Out of sample shows what such promises were worth."),
        stat("Effective positions", number(effective_positions(weights), digits=1), note=f"{int((weights >= SHOWN_WEIGHT).sum())} held",
             tip="1 / Σ w²: as concentrated as that many equal positions."),
        *cash_card,
        stat("Risk-free rate", percent(found.inputs.data.risk_free_rate, digits=2), note=f"mean to {found.inputs.as_of}",
             tip="Mean daily rate of the window × 252, from the factor files; carried forward where they end earlier."),
    ]  # fmt: skip


def _table(found: Answer, weights: Any) -> pd.DataFrame:
    best = found.frontier.max_sharpe if found.rate_known else np.full(len(weights), np.nan)
    table = pd.DataFrame({
        "ticker": list(found.tickers), "min_variance": found.frontier.min_variance, "max_sharpe": best, "chosen": weights,
    })  # fmt: skip
    kept = table[(table.drop(columns="ticker") >= SHOWN_WEIGHT).any(axis=1)]
    return kept.sort_values(["chosen", "ticker"], ascending=[False, True])
