import base64
import dataclasses
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dash._utils import to_json

from analytics.conventions import CORE_VOTES
from analytics.indicators import INDICATORS, VOTES
from analytics.market import FIELDS, Bars, period_ends
from dashapp.figures._trace import days, encode
from dashapp.figures.backtest import DAILY_UP_TO, equity_figure
from dashapp.figures.factor_history import characteristic_line_figure, residuals_figure, rolling_figure
from dashapp.figures.factors import contributions_figure, cross_section_figure, loadings_figure, returns_figure
from dashapp.figures.frontier import frontier_figure, weights_figure
from dashapp.figures.technical import Chart, column_label, signal_changes, technical_figure
from dashapp.theme import PALETTES, SERIES
from pipeline.queries import connect
from pipeline.queries import frontier as frontier_queries
from pipeline.queries import prices as price_queries
from pipeline.queries import signals as signal_queries

FIGURES = Path(__file__).resolve().parents[2] / "dashapp" / "figures"
THEMES = ("light", "dark")
TICKER = "SIM002"
Rows = tuple[Bars, pd.DataFrame]


@pytest.fixture(scope="module")
def stored(simulated: Any) -> Rows:
    with connect(simulated.db) as reader:
        return price_queries.bars(reader, TICKER), signal_queries.signal_history(reader, TICKER)


def chart(**changes: Any) -> Chart:
    plain = Chart(
        candles=True, overlays=[INDICATORS["sma"]], panes=[INDICATORS["rsi"], INDICATORS["macd"]], volume=True, unit="$"
    )
    return dataclasses.replace(plain, **changes)


def drawn(stored: Rows, theme: str | None = "light", **changes: Any) -> dict[str, Any]:
    bars, signals = stored
    return technical_figure(bars, signals, signal_changes(signals, bars.close), chart(**changes), theme=theme)


def decode(array: dict[str, str]) -> np.ndarray:
    assert array["dtype"] == "f4"
    return np.frombuffer(base64.b64decode(array["bdata"]), dtype=np.float32)


def assert_drawn(array: dict[str, str], values: Any) -> None:
    """What the browser decodes is the input within the 24 bits of a float32."""
    np.testing.assert_allclose(decode(array), np.asarray(values, dtype=float), rtol=2**-24, atol=0, equal_nan=True)


def named(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(trace for trace in figure["data"] if trace["name"] == name)


def domains(figure: dict[str, Any]) -> list[tuple[float, float]]:
    """The vertical span of every pane, lowest first."""
    axes = [value["domain"] for key, value in figure["layout"].items() if key.startswith("yaxis")]
    return sorted((low, high) for low, high in axes)


def assert_panes_do_not_overlap(figure: dict[str, Any]) -> None:
    spans = domains(figure)
    assert all(0 <= low < high <= 1 for low, high in spans)
    assert all(below[1] < above[0] for below, above in pairwise(spans))


def colours_in(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set().union(*(colours_in(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*map(colours_in, node))
    return {node} if isinstance(node, str) and re.match(r"#|rgb", node) else set()


# ---- what all figures have in common ------------------------------------------------------------------------


def account(days: int) -> pd.DataFrame:
    dates = np.busday_offset("2010-01-01", range(days), roll="forward").astype(str)
    equity = 100_000 * 1.0003 ** np.arange(days) * (1 + 0.05 * np.sin(np.arange(days) / 40))
    benchmark = 100_000 * 1.0002 ** np.arange(days)
    return pd.DataFrame(
        {
            "date": dates,
            "equity": equity,
            "benchmark": benchmark,
            "drawdown": equity / np.maximum.accumulate(equity) - 1,
        }
    )


def intervals() -> pd.DataFrame:
    return pd.DataFrame({
        "label": ["A", "B"], "factor": ["Market", "Size"], "model": ["CAPM", "FF3"], "kind": ["required", "realised"],
        "ticker": ["A", "B"], "survives": [True, False], "as_of": ["2020-01-31", "2020-02-29"],
        "value": [0.1, -0.2], "low": [0.0, -0.5], "high": [0.3, 0.1],
    })  # fmt: skip


def of_factors(theme: str | None) -> dict[str, dict[str, Any]]:
    x, days = np.array([0.01, -0.02, 0.03]), np.array(["2020-01-31", "2020-02-29", "2020-03-31"], "datetime64[D]")
    return {
        "loadings": loadings_figure(intervals(), theme=theme), "returns": returns_figure(intervals(), theme=theme),
        "contributions": contributions_figure(intervals(), theme=theme, total="B"),
        "cross-section": cross_section_figure(intervals(), theme=theme),
        "line": characteristic_line_figure(x, 2 * x, days, alpha=0.0, beta=2.0, theme=theme),
        "residuals": residuals_figure(days, x, 0.02, theme=theme),
        "rolling": rolling_figure(intervals(), label="Beta", percent=False, level=1, break_date="2020-02-01", theme=theme),
    }  # fmt: skip


def every_figure(stored: Rows, theme: str | None) -> dict[str, dict[str, Any]]:
    return {
        "technical": drawn(stored, theme), "equity": equity_figure(account(300), theme=theme),
        **of_factors(theme),
        "weights": weights_figure(
            pd.DataFrame({"name": ["A", "B"], "weight": [0.7, 0.3], "risk_contribution": [0.6, 0.4]}), theme=theme
        ),
    }  # fmt: skip


@pytest.mark.parametrize("theme", THEMES)
def test_figures_are_plain_strict_json_in_the_colours_of_their_theme(stored: Rows, theme: str) -> None:
    allowed = {*PALETTES[theme].values(), *SERIES[theme], "rgba(0,0,0,0)"}
    for name, figure in every_figure(stored, theme).items():
        assert json.loads(to_json(figure))["layout"] == figure["layout"], name
        assert "NaN" not in to_json(figure), name
        used = colours_in(figure)
        assert used <= allowed, name
        assert PALETTES[theme]["text"] in used, name


def test_an_unknown_theme_is_light(stored: Rows) -> None:
    assert to_json(every_figure(stored, None)) == to_json(every_figure(stored, "light"))
    assert to_json(every_figure(stored, "sepia")) == to_json(every_figure(stored, "light"))


def test_figures_compute_nothing() -> None:
    formulas = re.compile(
        r"\.(rolling|ewm|pct_change|cumsum|cumprod|cummax|diff|mean|std|resample|expanding)\(|np\.log"
    )
    wrong = {path.name: formulas.findall(path.read_text(encoding="utf-8")) for path in FIGURES.glob("*.py")}
    assert wrong
    assert not any(wrong.values())


def dates_of(trace: dict[str, Any]) -> list[str]:
    return np.datetime_as_string(trace["x"]).tolist()


def test_encoding_keeps_gaps_and_the_order() -> None:
    values = pd.Series([1.5, np.nan, -2.25, 1e9], index=[9, 3, 5, 1])
    assert_drawn(encode(values), values)
    assert decode(encode([])).size == 0
    assert dates_of({"x": days([])}) == []
    assert dates_of({"x": days(np.array(["2020-02-29"], dtype="datetime64[ns]"))}) == ["2020-02-29"]


# ---- technical ----------------------------------------------------------------------------------------------


def test_candles_are_the_stored_bars(stored: Rows) -> None:
    bars, figure = stored[0], drawn(stored)
    candles = figure["data"][0]
    assert (candles["type"], candles["name"]) == ("candlestick", TICKER)
    assert dates_of(candles) == bars.dates.astype(str).tolist()
    for field in ("open", "high", "low", "close"):
        assert_drawn(candles[field], getattr(bars, field))


def test_close_only_data_is_a_line(stored: Rows) -> None:
    figure = drawn(stored, candles=False)
    assert {trace["type"] for trace in figure["data"]} == {"scatter", "bar"}
    assert figure["data"][0]["mode"] == "lines"
    assert_drawn(named(figure, "Close")["y"], stored[0].close)


def test_overlays_are_the_stored_columns_on_the_price_axis(stored: Rows) -> None:
    figure = drawn(stored, overlays=[INDICATORS["sma"], INDICATORS["bollinger"]])
    for column in (*INDICATORS["sma"].outputs, *INDICATORS["bollinger"].outputs):
        trace = named(figure, column_label(column))
        assert "yaxis" not in trace
        assert_drawn(trace["y"], stored[1][column])


@pytest.mark.parametrize(
    ("volume", "panes"),
    [(False, []), (True, []), (False, ["rsi"]), (True, ["rsi", "macd"]), (True, ["rsi", "macd", "stochastic"])],
)
def test_each_pane_has_an_axis_of_its_own(stored: Rows, volume: bool, panes: list[str]) -> None:
    figure = drawn(stored, volume=volume, panes=[INDICATORS[key] for key in panes])
    layout, count = figure["layout"], volume + len(panes)
    assert len(domains(figure)) == 1 + count
    assert_panes_do_not_overlap(figure)
    assert layout["yaxis"]["domain"][1] == domains(figure)[-1][1] == 1  # the price stands on top
    used = {trace.get("yaxis", "y") for trace in figure["data"]}
    assert used == {"y", *(f"y{number}" for number in range(2, 2 + count))}
    assert layout["xaxis"]["anchor"] == (f"y{count + 1}" if count else "y")  # dates below the lowest pane
    titles = (["Volume"] if volume else []) + [INDICATORS[key].label for key in panes]
    assert [item["text"] for item in layout["annotations"]] == titles


def test_panes_hold_the_stored_columns_and_their_levels(stored: Rows) -> None:
    figure = drawn(stored)
    assert (named(figure, "Volume")["type"], named(figure, "Volume")["yaxis"]) == ("bar", "y2")
    assert_drawn(named(figure, "Volume")["y"], stored[0].volume)
    assert named(figure, "RSI 14")["yaxis"] == "y3"
    assert_drawn(named(figure, "RSI 14")["y"], stored[1]["rsi_14"])
    assert (named(figure, "MACD hist")["type"], named(figure, "MACD")["type"]) == ("bar", "scatter")
    rsi_levels = [shape["y0"] for shape in figure["layout"]["shapes"] if shape["yref"] == "y3"]
    assert rsi_levels == list(INDICATORS["rsi"].levels)
    assert {30.0, 70.0} <= set(rsi_levels)


def test_markers_stand_only_where_the_stored_signal_changed(stored: Rows) -> None:
    bars, signals = stored
    signal = signals["overall_signal"].tolist()
    expected: dict[int, list[int]] = {1: [], -1: []}
    for i in range(1, len(signal)):
        if signal[i] in expected and signal[i] != signal[i - 1]:
            expected[signal[i]].append(i)
    assert min(map(len, expected.values())) > 5
    figure = drawn(stored)
    for name, rows in (("Buy", expected[1]), ("Sell", expected[-1])):
        trace = named(figure, name)
        assert dates_of(trace) == [str(bars.dates[i]) for i in rows]
        assert_drawn(trace["y"], bars.close[rows])
        assert trace["hoverinfo"] == "skip"  # a unified hover would show the nearest turn on every day
        said = figure["data"][0]["text"]
        for i in rows:
            assert f"signal turned {name.lower()}" in said[i]
            for side, word in ((1, "buy"), (-1, "sell")):
                labels = [VOTES[key].vote.label for key in CORE_VOTES if signals[f"vote_{key}"].iloc[i] == side]
                assert (f"{word}: {', '.join(labels)}" in said[i]) == bool(labels)
    assert sum("turned" in text for text in figure["data"][0]["text"]) == len(expected[1]) + len(expected[-1])


def test_a_signal_that_stays_or_is_unknown_is_no_change() -> None:
    signal = [1.0, 1.0, 0.0, np.nan, 1.0, np.nan, -1.0, -1.0, 1.0, 0.0]
    signals = pd.DataFrame(
        {"date": [f"d{i}" for i in range(10)], "overall_signal": signal, "buy_votes": 3, "sell_votes": 0}
    )
    changes = signal_changes(signals, np.arange(10.0))
    assert changes["date"].tolist() == ["d4", "d6", "d8"]
    assert changes["close"].tolist() == [4.0, 6.0, 8.0]


def test_the_dates_shown_are_those_of_the_bars_with_little_room(stored: Rows) -> None:
    start, end = (np.datetime64(day) for day in drawn(stored)["layout"]["xaxis"]["range"])
    dates = stored[0].dates
    assert dates[0] - np.timedelta64(3, "D") <= start < dates[0]
    assert dates[-1] < end <= dates[-1] + np.timedelta64(3, "D")


def test_one_bar_is_drawn(stored: Rows) -> None:
    bars, signals = stored
    one = bars.rows(slice(-1, None))
    figure = technical_figure(one, signals.iloc[-1:], signals.iloc[:0].assign(close=[]), chart(), theme="dark")
    assert dates_of(figure["data"][0]) == [str(bars.dates[-1])]
    assert_panes_do_not_overlap(figure)


def test_the_unit_of_the_price_axis_is_the_caller_s(stored: Rows) -> None:
    assert drawn(stored)["layout"]["yaxis"]["tickprefix"] == "$"
    assert drawn(stored, unit="")["layout"]["yaxis"]["tickprefix"] == ""


def test_labels_of_columns() -> None:
    assert [column_label(name) for name in ("sma_50", "plus_di_14", "minus_di_14")] == ["SMA 50", "+DI 14", "−DI 14"]


def test_weekly_bars_keep_every_extreme(stored: Rows) -> None:
    bars, weekly = stored[0], stored[0].by_period("W")
    assert 4.5 < len(bars) / len(weekly) < 5
    assert weekly.high.max() == bars.high.max()
    assert weekly.volume.sum() == pytest.approx(bars.volume.sum())
    assert all(len(getattr(weekly, field)) == len(weekly) for field in FIELDS)


# ---- the other figures --------------------------------------------------------------------------------------


def test_a_short_account_is_drawn_by_day() -> None:
    rows = account(300)
    figure = equity_figure(rows, theme="light")
    assert [trace["name"] for trace in figure["data"]] == ["Strategy", "Buy and hold", "Drawdown"]
    for trace, column in zip(figure["data"], ("equity", "benchmark", "drawdown"), strict=True):
        assert dates_of(trace) == rows["date"].tolist()
        assert_drawn(trace["y"], rows[column])
    assert_panes_do_not_overlap(figure)
    assert figure["data"][2]["yaxis"] == "y2"


def test_a_long_account_is_drawn_by_week() -> None:
    rows = account(DAILY_UP_TO + 1)
    figure = equity_figure(rows, theme="dark")
    ends = rows.iloc[period_ends(rows["date"].to_numpy("datetime64[D]"), "W")]
    drawn = dates_of(figure["data"][0])
    assert set(ends["date"]) <= set(drawn)
    assert drawn[-1] == rows["date"].iloc[-1]
    assert len(drawn) <= 2 * len(ends)  # the last session of a week, and its deepest
    assert_drawn(figure["data"][2]["y"], rows.set_index("date").loc[drawn, "drawdown"])
    assert rows["date"].iloc[rows["drawdown"].argmin()] in drawn


@pytest.mark.parametrize(("name", "along"), [("loadings", "x"), ("returns", "y"), ("cross-section", "y")])
def test_intervals_reach_from_low_to_high(name: str, along: str) -> None:
    drawn_points = {}
    for trace in of_factors("light")[name]["data"]:
        for value, up, down in zip(
            trace[along], trace[f"error_{along}"]["array"], trace[f"error_{along}"]["arrayminus"], strict=True
        ):
            drawn_points[value] = (round(value - down, 12), round(value + up, 12))
    assert drawn_points == {0.1: (0.0, 0.3), -0.2: (-0.5, 0.1)}


def test_two_models_of_one_factor_stand_apart() -> None:
    rows = pd.concat([intervals().assign(model=model) for model in ("CAPM", "FF3")])
    figure = loadings_figure(rows, theme="light")
    assert [trace["name"] for trace in figure["data"]] == ["CAPM", "FF3"]
    heights = [trace["y"] for trace in figure["data"]]
    assert [round(y) for y in heights[0]] == [round(y) for y in heights[1]] == [0, 1]
    assert heights[0] != heights[1]


def test_the_fitted_line_is_alpha_plus_beta_times_the_market() -> None:
    x = np.array([-0.1, 0.0, 0.2])
    figure = characteristic_line_figure(
        x, x, np.array(["2020-01-31"] * 3, "datetime64[D]"), alpha=0.01, beta=1.5, theme="light"
    )
    np.testing.assert_allclose(figure["data"][1]["x"], [-0.1, 0.2])
    np.testing.assert_allclose(figure["data"][1]["y"], [0.01 - 0.15, 0.01 + 0.3])


def test_a_band_lies_between_low_and_high_and_a_break_is_marked() -> None:
    figure = of_factors("light")["rolling"]
    low, high, value = figure["data"]
    assert_drawn(low["y"], intervals()["low"])
    assert_drawn(high["y"], intervals()["high"])
    assert_drawn(value["y"], intervals()["value"])
    assert high["fill"] == "tonexty"
    assert [shape.get("x0") for shape in figure["layout"]["shapes"]] == [0, "2020-02-01"]
    calm = rolling_figure(intervals(), label="Beta", percent=False, level=1, break_date=None, theme="light")
    assert len(calm["layout"]["shapes"]) == 1


@pytest.mark.parametrize("theme", THEMES)
def test_the_frontier_is_the_stored_one(simulated: Any, theme: str) -> None:
    with connect(simulated.db) as reader:
        run = frontier_queries.latest_frontier(reader)
        assert run is not None
        key = {name: run[name] for name in ("universe", "as_of", "estimator")}
        points = frontier_queries.frontier_points(reader, **key)
    kinds = dict(list(points.groupby("kind")))
    row = kinds["frontier"].iloc[[7]]
    chosen = (float(row["volatility"].iloc[0]), float(row["expected_return"].iloc[0]))
    figure = frontier_figure(points, rate=run["risk_free_rate"], chosen=chosen, theme=theme)
    best = kinds["max_sharpe"].iloc[0]
    line = named(figure, "Capital market line")
    slope = (line["y"][1] - line["y"][0]) / (line["x"][1] - line["x"][0])
    assert line["y"][0] == run["risk_free_rate"]
    assert slope == pytest.approx((best["expected_return"] - run["risk_free_rate"]) / best["volatility"])
    expected = {
        "Random portfolios": kinds["random"].head(1_000), "Single tickers": kinds["asset"], "Efficient frontier": kinds["frontier"],
        "Minimum variance": kinds["min_variance"], "Maximum Sharpe": kinds["max_sharpe"], "Chosen portfolio": row,
    }  # fmt: skip
    assert [trace["name"] for trace in figure["data"] if trace is not line] == list(expected)
    assert figure["data"][-1]["name"] == "Chosen portfolio"  # the page moves the last trace
    assert named(figure, "Efficient frontier")["customdata"] == list(range(1, 51))
    for name, rows in expected.items():
        for axis, column in (("x", "volatility"), ("y", "expected_return")):
            drawn = named(figure, name)[axis]
            if isinstance(drawn, list):
                assert drawn == rows[column].tolist()
            else:
                assert_drawn(drawn, rows[column])
    assert named(figure, "Single tickers")["hovertext"] == kinds["asset"]["ticker"].tolist()
    assert colours_in(figure) <= {*PALETTES[theme].values(), *SERIES[theme], "rgba(0,0,0,0)"}


def test_weights_are_bars_in_the_order_given() -> None:
    weights = pd.DataFrame({"name": ["B", "A"], "weight": [0.75, 0.25], "risk_contribution": [0.9, 0.1]})
    figure = weights_figure(weights, theme="light")
    assert (figure["data"][0]["y"], figure["data"][0]["x"]) == (["B", "A"], [0.75, 0.25])
    assert (figure["data"][1]["y"], figure["data"][1]["x"]) == (["B", "A"], [0.9, 0.1])
    assert figure["layout"]["yaxis"]["autorange"] == "reversed"  # the largest on top
