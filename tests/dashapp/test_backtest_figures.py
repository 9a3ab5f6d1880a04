"""The pictures of a backtest, on the page and in the report."""

import json
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dash._utils import to_json
from hypothesis import given
from hypothesis import strategies as st

from analytics.backtest.tear_sheet import (
    Distribution,
    Record,
    period_returns,
    period_turnover,
    rolling_statistics,
    worst_drawdowns,
)
from dashapp.figures._ticks import log_ticks, money
from dashapp.figures.backtest import (
    DAILY_UP_TO,
    MARKED,
    drawn_rows,
    equity_figure,
    exposure_figure,
    rolling_figure,
    turnover_unit,
)
from dashapp.figures.backtest_returns import (
    MOST_BARS,
    contribution_figure,
    distribution_figure,
    months_figure,
    years_figure,
)
from dashapp.figures.backtest_svg import bars_svg, line_svg
from dashapp.theme import PALETTES, SERIES


def as_json(component: Any) -> Any:
    return json.loads(to_json(component))


# ---- figures -----------------------------------------------------------------------------------------------------


def account(n: int, *, start: str = "2010-01-01") -> pd.DataFrame:
    dates = np.busday_offset(start, np.arange(n), roll="forward").astype(str)
    equity = 100_000 * 1.0003 ** np.arange(n) * (1 + 0.05 * np.sin(np.arange(n) / 40))
    return pd.DataFrame({
        "date": dates, "equity": equity, "benchmark": 100_000 * 1.0002 ** np.arange(n), "risk_free": 0.0001,
        "drawdown": equity / np.maximum.accumulate(equity) - 1, "gross_exposure": 0.8, "net_exposure": 0.5, "turnover": 0.02,
    })  # fmt: skip


def every_figure(n: int, theme: str | None) -> dict[str, dict[str, Any]]:
    rows = account(n)
    record = Record.of(rows, 100_000.0)
    earned = pd.DataFrame({"ticker": ["A", "<b>"], "contribution": [0.2, -0.1]})
    bins = Distribution(
        np.array([-0.01, 0.0, 0.01]), np.array([3.0, 4.0]), np.array([-0.01, 0.01]), np.array([np.nan, 2.0])
    )
    return {
        "equity": equity_figure(rows, theme=theme, drawdowns=worst_drawdowns(record)),
        "exposure": exposure_figure(rows, pd.DataFrame({"period": ["2010-01-01"], "turnover": [0.1]}), theme=theme),
        "rolling": rolling_figure(rolling_statistics(record), {"beta": 1.0, "sharpe_ratio": float("nan")}, theme=theme),
        "months": months_figure(period_returns(record, "M"), theme=theme), "years": years_figure(period_returns(record, "Y"), theme=theme),
        "distribution": distribution_figure(bins, {"VaR": 0.02, "ES": float("nan")}, theme=theme),
        "contribution": contribution_figure(earned, theme=theme),
    }  # fmt: skip


def colours_in(node: Any) -> set[str]:
    if isinstance(node, dict | list):
        return set().union(*map(colours_in, node.values() if isinstance(node, dict) else node), set())
    return {node} if isinstance(node, str) and re.match(r"#|rgb", node) else set()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("n", [1, 300, DAILY_UP_TO + 1])
def test_figures_are_strict_json_in_the_colours_of_their_theme(n: int, theme: str) -> None:
    for name, figure in every_figure(n, theme).items():
        assert "NaN" not in to_json(figure), name
        assert colours_in(as_json(figure)) <= {*PALETTES[theme].values(), *SERIES[theme], "rgba(0,0,0,0)"}, name
        assert figure["layout"]["height"] < 900, name


def test_the_equity_is_on_a_log_scale_with_the_worst_drawdowns_marked() -> None:
    rows = account(900)
    found = worst_drawdowns(Record.of(rows, 100_000.0))
    layout = equity_figure(rows, theme="light", drawdowns=found)["layout"]
    assert layout["yaxis"]["type"] == "log"
    bands = [(shape["x0"], shape["x1"]) for shape in layout["shapes"]]
    ends = found["recovery"].fillna(rows["date"].iloc[-1])
    assert bands == list(zip(found["start"], ends, strict=True))[:MARKED]
    assert [shape["label"]["text"] for shape in layout["shapes"]] == [
        str(number) for number in found["number"][:MARKED]
    ]


def test_long_accounts_are_drawn_by_week() -> None:
    figures, short = (every_figure(n, "light") for n in (2 * DAILY_UP_TO, 300))
    for name, share in (("equity", 2 / 5), ("exposure", 1 / 4), ("rolling", 1 / 4)):
        assert len(figures[name]["data"][0]["x"]) <= share * 2 * DAILY_UP_TO + 2, name
        assert figures[name]["layout"]["xaxis"]["title"]["text"] == "drawn by week"
        assert "title" not in short[name]["layout"]["xaxis"]


def test_what_is_drawn_by_week_loses_no_trough() -> None:
    rows = account(2 * DAILY_UP_TO)
    noise = np.random.default_rng(1).uniform(-0.2, 0.0, len(rows))
    dates = rows["date"].to_numpy("datetime64[D]")
    drawn = drawn_rows(dates, noise)
    weeks = pd.Series(noise).groupby((dates - np.datetime64("1970-01-05")).astype(int) // 7)
    ends = weeks.apply(lambda week: week.iloc[-1])
    lost = weeks.min() < np.minimum(
        ends, ends.shift(fill_value=np.inf)
    )  # the line between two ends would pass above it
    assert set(weeks.idxmin()[lost]) | set(weeks.apply(lambda week: week.index[-1])) == set(drawn)
    assert set(drawn_rows(dates)) <= set(drawn)
    assert (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(drawn_rows(dates[:300], noise[:300]), np.arange(300))
    unknown = np.full(len(rows), np.nan)
    assert set(drawn_rows(dates)) <= set(drawn_rows(dates, unknown))


@given(st.floats(1.0, 1e9), st.floats(1.0, 1e5))
def test_a_log_axis_has_few_round_ticks_within_what_is_drawn(low: float, factor: float) -> None:
    ticks = log_ticks(low, low * factor)
    assert 1 <= len(ticks) <= 12
    assert all(0.9 * low <= tick <= 1.1 * low * factor for tick in ticks)
    assert ticks == sorted(set(ticks))


def test_the_ticks_of_a_log_axis_are_those_that_are_read_at_a_glance() -> None:
    assert [money(tick) for tick in log_ticks(95_000, 1_600_000)] == ["$100k", "$200k", "$500k", "$1M"]
    assert [money(tick) for tick in log_ticks(97_000, 103_000)] == ["$98k", "$100k", "$102k"]
    assert [money(tick) for tick in log_ticks(100, 1e6)] == ["$100", "$1k", "$10k", "$100k", "$1M"]
    axis = equity_figure(account(900), theme="light")["layout"]["yaxis"]
    assert len(axis["tickvals"]) == len(axis["ticktext"]) <= 6


def test_exposure_is_drawn_once_where_nothing_is_sold_short() -> None:
    turnover = pd.DataFrame({"period": ["2010-01-01"], "turnover": [0.1]})
    long_only = account(50).assign(net_exposure=0.8)
    names = [trace["name"] for trace in exposure_figure(long_only, turnover, theme="light")["data"]]
    assert names == ["Exposure", "Turnover"]
    both = [trace["name"] for trace in exposure_figure(account(50), turnover, theme="light")["data"]]
    assert both == ["Gross", "Net", "Turnover"]


def test_a_test_of_a_few_sessions_has_a_tick_for_each() -> None:
    for n, unit in ((4, "D"), (30, "M")):
        rows = account(n)
        turnover = period_turnover(rows, turnover_unit(rows["date"].to_numpy("datetime64[D]")))
        assert len(turnover) == {"D": 4, "M": 2}[unit]
        assert ("xperiod" in exposure_figure(rows, turnover, theme="light")["data"][-1]) == (unit == "M")
    axis = equity_figure(account(4), theme="light")["layout"]["xaxis"]
    assert [str(day) for day in axis["tickvals"]] == list(account(4)["date"])
    assert "tickvals" not in equity_figure(account(30), theme="light")["layout"]["xaxis"]


def test_the_map_of_months_shows_every_month_once() -> None:
    months = period_returns(Record.of(account(300, start="2010-11-15"), 100_000.0), "M")
    trace = months_figure(months, theme="light")["data"][0]
    assert trace["y"] == ["2010", "2011", "2012"]
    shown = [value for row in trace["z"] for value in row if value is not None]
    np.testing.assert_array_equal(shown, months["strategy"])
    assert trace["z"][0][:10] == [None] * 10
    assert trace["text"][0][10] == f"{months['strategy'][0] * 100:.1f}".replace("-", "−")


def test_of_many_tickers_the_best_and_the_worst_are_drawn() -> None:
    rows = pd.DataFrame({"ticker": [f"T{n}" for n in range(50)], "contribution": np.linspace(1, -1, 50)})
    trace = contribution_figure(rows, theme="light")["data"][0]
    assert len(trace["y"]) == MOST_BARS
    assert (trace["y"][0], trace["y"][-1]) == ("T0", "T49")
    names = contribution_figure(pd.DataFrame({"ticker": ["<b>"], "contribution": [1.0]}), theme="light")["data"][0]["y"]
    assert names == ["&lt;b&gt;"]


# ---- the report's pictures -----------------------------------------------------------------------------------------


def paths(picture: str) -> list[str]:
    return [item.attrib["d"] for item in ElementTree.fromstring(picture).iter("path")]


def test_a_picture_is_drawn_from_its_first_to_its_last_value() -> None:
    dates = np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "datetime64[D]")
    drawn = line_svg(
        dates,
        {"A & B": np.array([1.0, 10.0, 100.0]), "C": np.array([1.0, np.nan, 100.0])},
        height=100,
        unit="usd",
        is_log=True,
    )
    first, second = paths(drawn)
    points = [tuple(map(float, point.split())) for point in re.split("[ML]", first)[1:]]
    assert [x for x, _ in points] == pytest.approx([62.0, 479.0, 896.0])
    heights = [y for _, y in points]
    assert heights[0] - heights[1] == pytest.approx(
        heights[1] - heights[2], abs=0.11
    )  # equal factors, equal steps; one decimal
    assert second.count("M") == 2  # a gap
    assert "A &amp; B" in drawn


@pytest.mark.parametrize("values", [[np.nan, np.nan], []])
def test_nothing_known_is_no_picture(values: list[float]) -> None:
    dates = np.array(["2020-01-01", "2020-01-02"], "datetime64[D]")[: len(values)]
    assert line_svg(dates, {"A": np.array(values)}, height=100, unit="usd") == ""
    assert bars_svg(["a", "b"][: len(values)], {"A": np.array(values)}, height=100) == ""


def test_bars_stand_on_zero() -> None:
    drawn = ElementTree.fromstring(bars_svg(["2019", "2020", "2021"], {"A": np.array([0.1, -0.2, np.nan])}, height=120))
    up, down = drawn.iter("rect")
    assert float(up.attrib["y"]) + float(up.attrib["height"]) == pytest.approx(float(down.attrib["y"]), abs=0.2)
    assert float(down.attrib["height"]) == pytest.approx(2 * float(up.attrib["height"]), abs=0.3)
    assert (up.attrib["fill"], down.attrib["fill"]) == (PALETTES["light"]["up"], PALETTES["light"]["down"])


def test_series_beside_each_other_have_a_legend() -> None:
    both = {"Strategy": np.array([0.1, 0.2]), "Buy & hold": np.array([0.3, -0.1])}
    dates = np.array(["2020-01-01", "2020-01-02"], "datetime64[D]")
    for drawn in (bars_svg(["a", "b"], both, height=120), line_svg(dates, both, height=120, unit="percent")):
        words = [item.text for item in ElementTree.fromstring(drawn).iter("text")]
        assert {*both} <= {*words}
        single = {"Strategy": both["Strategy"]}
    for drawn in (bars_svg(["a", "b"], single, height=120), line_svg(dates, single, height=120, unit="percent")):
        assert "Strategy" not in [item.text for item in ElementTree.fromstring(drawn).iter("text")]
