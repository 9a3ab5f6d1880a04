"""The pictures of the Compare tab: what is drawn is what was given, in the theme's colours."""

import base64
import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dash._utils import to_json

from analytics.backtest.tear_sheet import Distribution
from dashapp.figures import compare as figures
from dashapp.figures.backtest import DAILY_UP_TO
from dashapp.figures.paths import fan_figure, spread_figure
from dashapp.theme import PALETTES, SERIES

NAMES = [*(f"Run {n} with quite a long name of its own" for n in range(11)), "<b>bold</b>", "Buy and hold"]
SINGLE = 1e-6  # relative: what a 32-bit float of a picture keeps


def decoded(array: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(array["bdata"]), dtype=np.float32)


def curves(n: int) -> pd.DataFrame:
    return pd.DataFrame({name: 100 * (1 + 0.0001 * place) ** np.arange(n) for place, name in enumerate(NAMES)})


def every_figure(theme: str | None) -> dict[str, dict[str, Any]]:
    dates = np.busday_offset("2020-01-01", np.arange(50), roll="forward")
    sharpe = pd.DataFrame(
        {"name": NAMES, "sharpe_ratio": 1.0, "low": 0.5, "high": np.nan, "muted": [*[False] * 12, True]}
    )
    points = pd.DataFrame({"name": NAMES, "volatility": 0.1, "expected_return": 0.05})
    fan = np.linspace(0.9, 1.5, 5) * np.ones((7, 1))
    bins = Distribution(np.array([0.0, 1.0, 2.0]), np.array([3.0, 1.0]), np.array([0.0]), np.array([np.nan]))
    return {
        "curves": figures.curves_figure(dates, curves(50), muted=NAMES[-1:], theme=theme), "sharpe": figures.sharpe_figure(sharpe, theme=theme),
        "correlation": figures.correlation_figure(curves(50).corr(), theme=theme),
        "blend": figures.blend_figure(pd.DataFrame({"volatility": [0.1, 0.2], "expected_return": [0.1, 0.2]}), points, theme=theme),
        "weights": figures.weights_along_figure([0.1, 0.2], pd.DataFrame({"a": [1.0, 0.0], "b": [0.0, 1.0]}), theme=theme),
        "fan": fan_figure(np.arange(7), fan, theme=theme), "spread": spread_figure(bins, percent=True, name="x", theme=theme),
    }  # fmt: skip


def colours_in(node: Any) -> set[str]:
    if isinstance(node, dict | list):
        return set().union(*map(colours_in, node.values() if isinstance(node, dict) else node), set())
    return {node} if isinstance(node, str) and re.match(r"#|rgb", node) else set()


@pytest.mark.parametrize("theme", ["light", "dark", None])
def test_every_figure_is_json_in_the_colours_of_its_theme(theme: str | None) -> None:
    name = "dark" if theme == "dark" else "light"
    allowed = {*PALETTES[name].values(), *SERIES[name], "rgba(0,0,0,0)"}
    for key, figure in every_figure(theme).items():
        plain = json.loads(to_json(figure))
        assert colours_in(plain) <= allowed, key
        assert "<b>bold" not in json.dumps(plain), key  # Plotly would read it as markup


def test_twelve_runs_look_different() -> None:
    assert len(set(figures.looks(12, "light"))) == 12


def test_blends_stand_out_from_the_runs_which_keep_their_colours() -> None:
    drawn = figures.curves_figure(np.arange(50).astype("datetime64[D]"), curves(50), lead=NAMES[:4], theme="light")[
        "data"
    ]
    lines = [trace["line"] for trace in drawn]
    assert {line["color"] for line in lines[:4]} == {PALETTES["light"]["text"]}
    assert len({line["dash"] for line in lines[:4]}) == 4
    assert [(line["color"], line["dash"]) for line in lines[4:]] == figures.looks(len(NAMES) - 4, "light")
    assert min(line["width"] for line in lines[:4]) > max(line["width"] for line in lines[4:])


def test_areas_of_one_colour_differ_in_their_pattern() -> None:
    shares = pd.DataFrame({name: [1 / len(NAMES)] * 2 for name in NAMES})
    drawn = figures.weights_along_figure([0.1, 0.2], shares, theme="light")["data"]
    assert len({(trace["line"]["color"], trace["fillpattern"]["shape"]) for trace in drawn}) == len(NAMES)


def test_names_on_an_axis_are_short_and_never_alike() -> None:
    names = every_figure("light")["sharpe"]["layout"]["yaxis"]["categoryarray"]
    assert len(set(names)) == len(NAMES)
    assert max(map(len, names)) <= figures.SHORT + 3


def test_an_unknown_interval_has_no_whisker_and_an_unknown_correlation_no_colour() -> None:
    rows = pd.DataFrame({"name": ["a", "b"], "sharpe_ratio": 1.0, "low": 0.5, "high": [1.25, np.nan], "muted": False})
    figure = figures.sharpe_figure(rows, theme=None)
    whiskered, bare = figure["data"]
    assert (whiskered["y"], whiskered["error_x"]["array"], whiskered["error_x"]["arrayminus"]) == (["a"], [0.25], [0.5])
    assert (bare["y"], "error_x" in bare) == (["b"], False)
    assert figure["layout"]["yaxis"]["categoryarray"] == ["a", "b"]
    unknown = figures.correlation_figure(
        pd.DataFrame([[1.0, np.nan], [np.nan, -0.456]], ["a", "b"], ["a", "b"]), theme=None
    )
    assert unknown["data"][0]["z"] == [[1.0, None], [None, -0.456]]
    assert unknown["data"][0]["text"] == [["1", ""], ["", "−.46"]]


@pytest.mark.parametrize("n", [DAILY_UP_TO, DAILY_UP_TO + 200])
def test_long_curves_are_drawn_by_week_and_end_where_they_end(n: int) -> None:
    dates = np.busday_offset("2010-01-01", np.arange(n), roll="forward")
    drawn = figures.curves_figure(dates, curves(n), muted=[], theme=None)
    values = decoded(drawn["data"][1]["y"])
    assert len(values) == (n if n == DAILY_UP_TO else len(np.unique((dates.astype(int) + 3) // 7)))
    assert values[-1] == pytest.approx(curves(n).iloc[-1, 1], rel=SINGLE)
    assert ("drawn by week" in json.dumps(drawn["layout"]["xaxis"])) == (n > DAILY_UP_TO)


def test_the_fan_is_drawn_per_100_and_without_a_logarithm_of_nothing() -> None:
    fan = np.array([[1.0] * 5, [0.5, 0.8, 1.1, 1.4, 2.0]])
    drawn = fan_figure(np.array([0, 252]), fan, theme=None)
    assert [decoded(trace["y"])[-1] for trace in drawn["data"]] == pytest.approx([50, 200, 80, 140, 110], rel=SINGLE)
    assert decoded(drawn["data"][0]["x"]).tolist() == [0, 1]
    assert drawn["layout"]["yaxis"]["type"] == "log"
    fan[1, 0] = 0.0
    assert "type" not in fan_figure(np.array([0, 252]), fan, theme=None)["layout"]["yaxis"]


def test_shares_of_a_distribution_add_up_to_one() -> None:
    drawn = every_figure(None)["spread"]["data"][0]
    assert decoded(drawn["y"]).tolist() == [0.75, 0.25]
    assert drawn["customdata"] == ["0% to 100%", "100% to 200%"]
