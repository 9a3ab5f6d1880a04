"""The answer of a sweep: what choosing on the past earned first, then plateau and peak, then whether it is luck."""

import json
import math
from typing import Any, Final

import pandas as pd
from dash import html

from analytics.backtest.sensitivity import heat_map
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.sweep_cells import KEPT
from analytics.metrics import METRICS
from dashapp.components import card, graph, number_column, percent_column, plain_table, stat, stats
from dashapp.figures.sensitivity import choices_figure, map_figure, points_figure
from dashapp.format import by_unit, number, percent
from dashapp.pages.backtest.luck import NEEDED_TIP
from dashapp.pages.sensitivity.form import label_of
from dashapp.pages.sensitivity.stored import Sweep

WALK_TIP: Final = (
    "The sessions are cut into 16 equal blocks. Before each block from the fifth on, the set with the best Sharpe ratio on all blocks before it is chosen "
    "and held through the block. What these blocks earned, one after the other, nobody had seen when choosing."
)
MOST_NAMED: Final = 5  # tickers of a sweep in the list of sweeps
PBO_TIP: Final = (
    "Over all 12,870 ways to take half of the blocks: how often the best set of one half ranks at or below the median in the other. "
    "Near 0 the choice carries over; 50 % is what chance gives. Sets that stand still half of the time are left out. "
    "Bailey, Borwein, López de Prado and Zhu (2017)."
)


def answer_view(shown: Sweep, *, theme: str | None) -> list[Any]:
    """Return what was asked, the key figures and the walk-forward picture of a stored sweep."""
    link = html.A("link to this sweep", href=f"/sensitivity?sweep={shown.row['sweep_id']}")
    return [
        html.P([_asked(shown), " ", link], className="mb-1"),
        *_notes(shown),
        _walk_card(shown, theme),
        _luck_card(shown),
    ]


def _asked(shown: Sweep) -> str:
    row, random = shown.row, shown.row["axes"]["draws"] is not None
    swept = ", ".join(
        f"{label_of(row['strategy'], span['name'])} {span['low']:g} to {span['high']:g}"
        for span in row["axes"]["ranges"]
    )
    how = "drawn at random from" if random else "of"
    return f"{row['n_cells']:,} sets {how} {swept}; {STRATEGIES[row['strategy']].label} on {', '.join(row['tickers'])}, {row['start_date']} to {row['end_date']}."


def _notes(shown: Sweep) -> list[html.P]:
    notes = []
    if not shown.is_whole:
        notes.append(
            f"{len(shown.cells):,} of {shown.row['n_cells']:,} sets are stored: everything below is of these. Resume computes the others."
        )
    failed = shown.cells["problem"].notna()
    if failed.any():
        why = str(shown.cells.loc[failed, "problem"].iloc[0])
        notes.append(
            f"{int(failed.sum()):,} sets could not be run, because their parameters do not go together; the first: {why}"
        )
    return [html.P(text, className="small text-body-secondary mb-1") for text in notes]


def _walk_card(shown: Sweep, theme: str | None) -> html.Div:
    found, judged = shown.walked, shown.overfitting
    ends = [_period(shown, block) for block in found.blocks]
    return card("Out of sample", [
        stats([
            stat("Out of sample", number(found.out_of_sample), note=f"buy and hold {number(shown.passive)}",
                 tip="Sharpe ratio per year of always holding the set that was best so far: a walk-forward. Below: buy and hold of the same tickers on the same sessions."),
            stat("In sample", number(found.in_sample), tip="Sharpe ratio per year that the chosen sets had when they were chosen: what was promised, on average."),
            stat("With hindsight", number(found.hindsight), tip="Sharpe ratio per year of the best set over the same blocks, which nobody could have known."),
            stat("Overfitting", percent(judged.pbo, digits=0), note=f"probability, of {judged.n_cells:,} sets", tip=PBO_TIP),
            stat("Loss after choosing", percent(judged.loss_probability, digits=0), note="probability",
                 tip="Share of the same halves in which the best set of one had a Sharpe ratio below 0 in the other."),
        ]),
        graph(choices_figure(found, ends, theme=theme), tools=False),
    ], tip=WALK_TIP)  # fmt: skip


def _period(shown: Sweep, block: int) -> str:
    """When a block begins, as a share of the calendar between the first and the last date: sessions are even enough."""
    start, end = (pd.Timestamp(shown.row[name]) for name in ("start_date", "end_date"))
    return f"{start + (end - start) * (int(block) / shown.sums.n_blocks):%Y-%m}"


def _luck_card(shown: Sweep) -> html.Div | None:
    judged, best = shown.judged(), shown.best
    if judged is None or best is None:
        return card("The best set", html.P("No set has a Sharpe ratio: none of them traded.", className="mb-0"))
    found, cell = shown.plateau("sharpe_ratio"), int(shown.cells["cell"].iloc[best])
    score = found.scores[cell] if found else math.nan
    plateau = [
        stat("Its neighbours", number(score), tip="The plateau score of the best set: the median Sharpe ratio of the sets up to one step away on every axis."),
        stat("Best plateau", number(found.scores[found.plateau]), note=_set(shown, found.plateau), tip="The highest plateau score, and the set at its centre."),
    ] if found else []  # fmt: skip
    return card("The best set: skill or luck", [
        stats([
            stat("Best set", number(judged.sharpe_ratio), note=_set(shown, cell), tip="The highest Sharpe ratio per year of all sets, over all sessions: chosen with hindsight."),
            *plateau,
            stat("Tries so far", f"{judged.n_trials:,}", tip="Sets and runs of this strategy on these tickers, since the workspace began."),
            stat("Best of luck alone", number(judged.noise_maximum), tip="The Sharpe ratio that as many tries of a true one of 0 find on average."),
            stat("Needed", number(judged.needed), note=f"without skill {number(judged.null_sharpe_ratio)}", tip=NEEDED_TIP),
            stat("Deflated", percent(judged.deflated), tip="Probability that the true Sharpe ratio is above the best of luck alone, which begins at 0 and not at buy and hold.",
                 tone="up" if judged.significant else "neutral"),
        ]),
        html.P(judged.verdict, className="mb-0"),
    ], tip="The best of many tries looks good by luck alone: Bailey and López de Prado (2012, 2014).")  # fmt: skip


def _set(shown: Sweep, number_of_cell: int) -> str:
    return ", ".join(
        f"{label_of(shown.row['strategy'], name)} {value:g}"
        for name, value in shown.request.cells[number_of_cell].values
    )


def map_view(shown: Sweep, *, metric: str, x: str, y: str | None, others: str, theme: str | None) -> list[Any]:
    """Return the metric over one or two parameters; y None, or the same as x, where there is only one."""
    strategy, item = shown.row["strategy"], METRICS[metric]
    y = None if y == x else y
    told: dict[str, Any] = {
        "labels": (label_of(strategy, x), label_of(strategy, y) if y else ""),
        "metric": item.label,
        "unit": item.unit,
        "theme": theme,
    }
    cells, sets = shown.cells, shown.request.grid
    if y is None or sets is None:
        return [
            graph(
                points_figure(cells[metric].to_numpy(dtype=float), cells[x], None if y is None else cells[y], **told),
                tools=False,
            ),
            _under(_without(shown, metric)),
        ]
    values, found = shown.values(metric), shown.plateau(metric) if item.better == "higher" else None
    axes = [sets.axes[sets.position(name)].values for name in (x, y)]
    at = {"Peak": found.peak, "Best plateau": found.plateau} if found else {}
    marks = {name: tuple(dict(sets.cells[cell].values)[key] for key in (x, y)) for name, cell in at.items()}
    figure = map_figure(heat_map(values, sets, x=x, y=y, others=others), *axes, marks=marks, **told)
    words = f"Peak {by_unit(values[found.peak], item.unit)}, with neighbours at {by_unit(found.scores[found.peak], item.unit)}. " \
            f"Best plateau {by_unit(found.scores[found.plateau], item.unit)}." if found else ""  # fmt: skip
    third = [label_of(strategy, axis.name) for axis in sets.axes if axis.name not in (x, y)]
    held = f"Each place shows the {others} over {third[0]}." if third else ""
    return [graph(figure, tools=False), _under(words, held, _without(shown, metric))]


def _under(*sentences: str) -> html.P:
    return html.P(" ".join(filter(None, sentences)), className="small text-body-secondary mb-0")


def _without(shown: Sweep, metric: str) -> str:
    """How many of the stored sets have no value."""
    unknown = int(shown.cells[metric].isna().sum())
    return f"{unknown:,} sets have no value: they did not trade, or could not be run." if unknown else ""


def table_of(shown: Sweep) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """Return the columns and rows of every stored set, the best Sharpe ratio first."""
    # the grid reads a dot in a name as a path, and keeps the format of a column whose name it knows
    fields = {name: f"set_{name.replace('.', '_')}" for name in shown.names}
    rows = shown.cells.rename(columns=fields)[["cell", *fields.values(), *KEPT]].copy()
    found = shown.plateau("sharpe_ratio")
    rows["plateau"] = found.scores[rows["cell"]] if found else math.nan
    rows = rows.sort_values("sharpe_ratio", ascending=False, kind="stable")
    rows["cell"] = rows["cell"].astype(str)
    whole = {name: pd.api.types.is_integer_dtype(shown.cells[name]) for name in fields}
    columns = [
        number_column(field, label_of(shown.row["strategy"], name), width=130, digits=0 if whole[name] else 2)
        for name, field in fields.items()
    ]
    for key in KEPT:
        item = METRICS[key]
        columns.append(percent_column(key, item.label, tip=item.formula) if item.unit == "fraction" else
                       number_column(key, item.label, tip=item.formula, digits=0 if item.unit == "count" else 2))  # fmt: skip
        if key == "sharpe_ratio" and found:
            columns.append(number_column("plateau", "Plateau score", tip="Median Sharpe ratio of the neighbourhood"))
    return [item | {"flex": 1, "minWidth": item["width"]} for item in columns], rows


def history_view(listed: pd.DataFrame) -> html.Details | None:
    """Return the newest stored sweeps as links; None where there are none."""
    if listed.empty:
        return None
    rows = [
        [
            html.A(str(item.created_at)[:16].replace("T", " "), href=f"/sensitivity?sweep={item.sweep_id}"),
            STRATEGIES[item.strategy].label if item.strategy in STRATEGIES else item.strategy,
            ", ".join(json.loads(item.tickers)[:MOST_NAMED]),
            f"{item.stored:,} of {item.n_cells:,}",
        ]
        for item in listed.itertuples()
    ]
    table = plain_table(["Begun (UTC)", "Strategy", "Tickers", "Sets stored"], rows)
    return html.Details([html.Summary("Stored sweeps"), table], className="mb-3")
