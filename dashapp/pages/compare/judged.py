"""Whether a difference is real: skill or luck of each run, and the tests of difference between them."""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from dash import html

from analytics.backtest.compare import Comparison, compare
from analytics.metrics import METRICS
from dashapp.components import card, column, grid, number_column, p_value_column, percent_column, stat, stats
from dashapp.format import number
from dashapp.pages.backtest.luck import judged, tries
from dashapp.pages.compare.runs import KEPT, Held, Runs

SEED = 20_240_102  # the same question has the same answer on every machine
BY_UNIT = {
    "valueFormatter": {
        "function": "params.data.unit === 'fraction' ? plumblinePercent(params.value, 1) : plumblineNumber(params.value, 2)"
    }
}
LUCK_TIP = (
    "The best of many tries looks good by luck alone. Every run of a strategy on these tickers is counted in the ledger, whatever its parameters, "
    "costs, rules and dates, deleted ones too. Needed and p start from what takes no skill, buy and hold; "
    "Probabilistic and Deflated start from 0."
)
PAIR_TIP = (
    "Sharpe ratios per year on the common sessions, first run less the other. p: Ledoit and Wolf's (2008) studentised block bootstrap; corrected: "
    "after Holm (1979) for all pairs. Better: the run that wins at 5 % after the correction, a dash where chance explains the difference."
)


# ---- skill or luck ------------------------------------------------------------------------------------------


def luck_view(runs: Runs) -> html.Div:
    """Return what the ledger says of each chosen run."""
    rows = luck_rows(runs)
    skilled = [row.label for row in rows.itertuples(index=False) if row.verdict == "significant"]
    told = "None of these runs is beyond what luck finds in as many tries."
    if not rows["tries"].any():
        told = "These runs were made before tries were counted: run them again to have them judged."
    elif skilled:
        told = f"Beyond luck, after counting every try: {'; '.join(skilled)}."
    columns = [
        column("label", "Run", minWidth=220, tooltipField="label"), number_column("tries", "Tries", digits=0, width=80),
        number_column("sharpe_ratio", "Sharpe", width=85, tip="Per year, as measured"),
        number_column("null", "Without skill", width=95, tip="What a try without skill earns here: buy and hold of the same tickers, or the mean of the other tries"),
        number_column("noise", "Best of luck", width=95, tip="The best Sharpe ratio that as many tries of true Sharpe ratio 0 find on average"),
        number_column("needed", "Needed", width=85, tip="What the best of as many tries reaches in 5 %, each of them earning what needs no skill"),
        percent_column("probabilistic", "Probabilistic", width=115, tip="Probability that the true Sharpe ratio is above 0, had this been the only try"),
        percent_column("deflated", "Deflated", width=100, tip="Probability that it is above the best of luck, which starts at 0 and not at buy and hold"),
        p_value_column("p_value", "p", tip="Probability that luck on top of what needs no skill finds as much in as many tries"), column("verdict", "Verdict", width=130),
    ]  # fmt: skip
    return card("Skill or luck", [
        html.P(told, className="fw-semibold"), grid("compare-luck", rows, columns, row_id="label", row_height=32),
    ], tip=LUCK_TIP)  # fmt: skip


def luck_rows(runs: Runs) -> pd.DataFrame:
    """Return a row per run: label, tries, the figures of `significance` and the verdict in a word; NaN where not counted."""
    rows = []
    for label, item in runs.results.items():
        tried = tries(item)
        found = judged(tried, item)
        row = {"label": label, "tries": float(len(tried)), "verdict": "not counted"}
        if found is not None:
            row |= {
                "sharpe_ratio": found.sharpe_ratio, "null": found.null_sharpe_ratio, "noise": found.noise_maximum,
                "needed": found.needed, "probabilistic": found.probabilistic, "deflated": found.deflated, "p_value": found.p_value,
                "verdict": "unknown" if np.isnan(found.p_value) else "significant" if found.significant else "not significant",
            }  # fmt: skip
        rows.append(row)
    columns = [
        "label",
        "tries",
        "sharpe_ratio",
        "null",
        "noise",
        "needed",
        "probabilistic",
        "deflated",
        "p_value",
        "verdict",
    ]
    return pd.DataFrame(rows).reindex(columns=columns)


# ---- tests of difference ------------------------------------------------------------------------------------


def differences_view(runs: Runs) -> list[Any]:
    """Return the verdict on the chosen runs and the tests behind it; raises InputError where too few sessions are shared."""
    found = comparison(runs)
    measure, others = runs.measure, other_rows(found)
    spa = "–" if found.spa_p_value is None or np.isnan(found.spa_p_value) else number(found.spa_p_value, digits=3)
    held, n_runs = found.confidence_set, len(found.correlation)
    kept = "all of them" if len(held) == n_runs else "; ".join(held) or "–"
    return [
        card("Is one better?", [
            html.P(found.verdict, className="lead mb-2"),
            stats([
                stat("Winner", found.winner or "None", tip="The run whose Sharpe ratio is higher than every other's at 5 %, after Holm's correction. None: "
                     "the data do not say which is best.", tone="up" if found.winner else "neutral"),
                stat("Any better than the measure?", f"p = {spa}", note=f"measure: {measure}",
                     tip="Hansen's (2005) test of superior predictive ability: the probability of so good a best run, were none better than the measure: the run that buys "
                     "and holds, else buy and hold of the tickers that all share, else the first run."),
                stat("May be the best", f"{len(held)} of {n_runs}", note=kept,
                     tip="Hansen, Lunde and Nason's (2011) model confidence set: holds the best run with 95 % probability."),
                stat("Common sessions", f"{found.n_sessions:,}", tip="Those on which every run and the risk-free rate are known."),
            ]),
        ], tip="All runs are redrawn on the same sessions, in blocks, so that what they have in common cancels."),
        card("Pairs", grid("compare-pairs", pair_rows(found), _pair_columns(), row_id="key", row_height=32, height=_height(len(found.differences))), tip=PAIR_TIP),
        card("Other metrics", grid("compare-other", others, _other_columns(), row_id="key", row_height=32, height=_height(len(others))),
             tip="First run less the other, percents in points, with the 95 % interval of a stationary bootstrap. These p values are not corrected for "
                 "their number: of twenty, chance alone makes one smaller than 5 %."),
    ]  # fmt: skip


def comparison(runs: Runs) -> Comparison:
    """Return the tests of difference of the chosen runs and their measure, computed once."""
    return _comparison(Held.of(runs))


@lru_cache(maxsize=KEPT)
def _comparison(held: Held) -> Comparison:
    runs = held.runs
    return compare(runs.returns(measured=True), runs.common.risk_free, seed=SEED, against=runs.measure)


def pair_rows(found: Comparison) -> pd.DataFrame:
    """Return the pairs, the surest difference first."""
    rows = found.differences.sort_values(["p_value", "run", "other"], ignore_index=True)
    return rows.assign(key=rows["run"] + " | " + rows["other"], better=rows["better"].fillna("–"))


def other_rows(found: Comparison) -> pd.DataFrame:
    """Return the differences of the other metrics than the Sharpe ratio, with their labels and units."""
    rows = found.metrics[found.metrics["metric"] != "sharpe_ratio"]
    labels, units = (rows["metric"].map(lambda key, of=of: getattr(METRICS[key], of)) for of in ("label", "unit"))
    return rows.assign(key=rows["run"] + " | " + rows["other"] + " | " + rows["metric"], label=labels, unit=units)


def _pair_columns() -> list[dict[str, Any]]:
    return [
        column("run", "Run", minWidth=160, tooltipField="run"), column("other", "Other", minWidth=160, tooltipField="other"),
        number_column("difference", "Sharpe, less the other's", width=120), number_column("low", "95 % from", width=95), number_column("high", "to", width=80),
        p_value_column("p_value", "p"), p_value_column("p_hac", "p, asymptotic", width=125, tip="Ledoit and Wolf's test with HAC standard errors"),
        p_value_column("p_corrected", "p, corrected", width=105, tip="After Holm (1979)"), column("better", "Better", minWidth=140, tooltipField="better"),
    ]  # fmt: skip


def _other_columns() -> list[dict[str, Any]]:
    return [
        column("run", "Run", minWidth=160, tooltipField="run"), column("other", "Other", minWidth=160, tooltipField="other"), column("label", "Metric", width=160),
        *(number_column(key, title, width=width) | BY_UNIT for key, title, width in (("difference", "Difference", 115), ("low", "95 % from", 115), ("high", "to", 105))),
        p_value_column("p_value", "p"),
    ]  # fmt: skip


def _height(rows: int) -> int:
    return min(420, 80 + 32 * rows)
