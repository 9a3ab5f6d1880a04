"""Whether alpha survives: under every model, window and frequency, and after correction for the number of tickers."""

from typing import Any

import pandas as pd
from dash import Input, Output, callback, html

from analytics.conventions import FACTOR_WINDOWS
from analytics.factor_models import FACTOR_MODELS
from dashapp.components import card, grid, guarded
from dashapp.data import market
from dashapp.format import number
from dashapp.ids import SHELL
from dashapp.pages.fundamentals._reading import Chosen, chosen, fitted_instrument, window_label
from dashapp.pages.fundamentals.columns import HOLDS, OF_TICKER, UNCORRECTED, verdict
from dashapp.pages.fundamentals.layout import FREQUENCIES, ID, MODELS
from pipeline.queries import factors as factor_queries


@callback(
    Output(ID.survival, "children"),
    Input(SHELL.view, "data"), Input(ID.model, "value"), Input(ID.window, "value"), Input(ID.frequency, "value"), Input(SHELL.run, "data"),
)  # fmt: skip
@guarded
def show(seen: Any, model: Any, window: Any, frequency: Any, _run: Any) -> Any:
    """Show every newest fit of one ticker, and which model the data prefer."""
    fit = chosen(model, window, frequency)
    with market() as reader:
        ticker = fitted_instrument(reader, seen)["ticker"]
        fits = factor_queries.latest_fits(reader, ticker)
    if fits.empty:
        return None
    place = {key: number for number, key in enumerate(FACTOR_MODELS)}
    order = fits.assign(
        place=fits["model"].map(lambda key: (len(FACTOR_MODELS[key].factors), place[key])),
        longest=fits["window_months"].map(FACTOR_WINDOWS.index),
    )
    order = order.sort_values(["frequency", "longest", "place"], ascending=[False, True, True])
    shown = order.assign(
        fit=order["model"].map(MODELS), window=order["window_months"].map(window_label), returns=order["frequency"].map(FREQUENCIES),
        verdict=[verdict(row.alpha_p, row.alpha_q) for row in order.itertuples()],
        key=order["model"] + order["window_months"].astype(str) + order["frequency"],
    )[["key", *(item["field"] for item in OF_TICKER)]]  # fmt: skip
    lines = [_tally(shown, "Monthly"), _tally(shown, "Daily"), _selection(fit, fits)]
    return card("Does alpha survive?", [
        grid("fundamentals-survival", shown, OF_TICKER, row_id="key", height=430, file=f"alpha-{ticker}"),
        *(html.P(words, className="small mb-0 mt-1") for words in lines if words),
    ], tip="The same question under every model and window: an alpha that is there under one of them only is a choice of the model.")  # fmt: skip


def _tally(shown: pd.DataFrame, returns: str) -> str:
    own = shown[shown["returns"] == returns]
    if own.empty:
        return ""
    holds, before = ((own["verdict"] == word).sum() for word in (HOLDS, UNCORRECTED))
    signs = f"{(own['alpha'] > 0).sum()} of {len(own)} are above 0"
    return f"{returns} returns: alpha holds after correction in {holds} of {len(own)} fits, and only before correction in {before} more; {signs}."


def _selection(fit: Chosen, fits: pd.DataFrame) -> str:
    """Which model the data prefer, among those fitted on the same dates."""
    own = fit.of(fits).dropna(subset=["bic"])
    if own.empty:
        return ""
    sample = own["sample_start"] + own["sample_end"] + own["n_obs"].astype(str)
    same, others = (own[sample == sample.mode()[0]], own[sample != sample.mode()[0]])
    lowest, highest = same.loc[same["bic"].idxmin()], same.loc[same["adjusted_r_squared"].idxmax()]
    left_out = (
        f" Not compared, because fitted on other dates: {', '.join(others['model'].map(MODELS))}."
        if len(others)
        else ""
    )
    return (f"Model selection, {window_label(fit.window)}, {FREQUENCIES[fit.frequency].lower()}, {same['sample_start'].iloc[0]} to {same['sample_end'].iloc[0]}: "
            f"lowest BIC {MODELS[lowest['model']]} ({number(lowest['bic'], digits=1)}), highest adjusted R² {MODELS[highest['model']]} "
            f"({number(highest['adjusted_r_squared'])}).{left_out}")  # fmt: skip
