"""Is it luck: the Sharpe ratio of a result, judged by how often its hypothesis has been tried."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from dash import html

from analytics.backtest.overfitting import Significance, Trials, significance
from analytics.conventions import TRADING_DAYS
from dashapp.components import card, stat, stats
from dashapp.data import workspace
from dashapp.format import number, percent
from pipeline.ledger import hypothesis_of
from pipeline.queries import trials as trial_queries
from pipeline.standard import trial_of
from pipeline.workspace import reading

TIP = (
    "The best of many tries looks good by luck alone. Every run of a strategy on these tickers is counted, whatever its parameters, costs, rules and "
    "dates, and the Sharpe ratio is judged by how many there were: Bailey and López de Prado (2012, 2014)."
)
NEEDED_TIP = (
    "What the best of as many tries reaches by luck in 5 %, where each of them earns what needs no skill: the Sharpe ratio of holding the same tickers "
    "(where that is not known, the mean of the other tries), and no less than 0. The judgement below is by this figure."
)


def luck_card(result: dict[str, Any]) -> html.Div | None:
    """Return what the ledger says of a stored result; None where the result was never counted."""
    tried = tries(result)
    found = judged(tried, result)
    if found is None:
        return None
    tone = "up" if found.significant else "neutral"
    return card("Skill or luck", [
        stats([
            stat("Tries so far", f"{len(tried):,}", tip="Runs of this strategy on these tickers, all parameters and dates, since the workspace began."),
            stat("Measured", number(found.sharpe_ratio), tip="The Sharpe ratio per year, as measured: before any correction."),
            stat("Best of luck alone", number(found.noise_maximum), tip="The Sharpe ratio that as many tries of a true one of 0 find on average."),
            stat("Needed", number(found.needed), note=f"without skill {number(found.null_sharpe_ratio)}", tip=NEEDED_TIP),
            stat("Probabilistic", percent(found.probabilistic), tip="Probability that the true Sharpe ratio is above 0, had this been the only try."),
            stat("Deflated", percent(found.deflated), tone=tone,
                 tip="Probability that the true Sharpe ratio is above the best of luck alone. That begins at 0: buy and hold may reach it without skill, which Needed asks for."),
            stat("Record needed", f"{number(found.needed_sessions / TRADING_DAYS, digits=1)} y", note=f"there are {number(found.sessions / TRADING_DAYS, digits=1)} y",
                 tip="Years from which on a Sharpe ratio like this one is above 0 with 95 % probability, had this been the only try; a dash where it is not above 0."),
        ]),
        html.P(found.verdict, className="mb-0 mt-2"),
    ], tip=TIP)  # fmt: skip


def tries(result: Mapping[str, Any]) -> pd.DataFrame:
    """Return every try on the hypothesis of a stored result, oldest first."""
    with reading(workspace()) as reader:
        return trial_queries.trials(reader, hypothesis_of(result["strategy_name"], result["tickers"]))


def judged(tried: pd.DataFrame, result: Mapping[str, Any]) -> Significance | None:
    """Return what a result is worth among the tries on its hypothesis; None where it was not counted.

    A standard backtest of an earlier night has the place of the newest, with its own figures in it.
    """
    mine = tried["result_id"] == result["result_id"]
    if not mine.any():
        mine = tried["id"] == trial_of(result["strategy_name"], result["tickers"], result["params"])
        known = {name: result["metrics"].get(name) for name in ("sharpe_ratio", "skewness", "kurtosis")}
        known["n_obs"] = result["audit"].get("sessions")
        tried = tried.assign(**{name: tried[name].where(~mine, value) for name, value in known.items()})
    if not mine.any():
        return None
    columns = (tried[name].to_numpy(dtype=float) for name in ("sharpe_ratio", "n_obs", "skewness", "kurtosis"))
    held = result["metrics"].get("benchmark_sharpe_ratio")
    return significance(Trials(*columns), int(np.flatnonzero(mine)[0]), benchmark_sharpe_ratio=held)
