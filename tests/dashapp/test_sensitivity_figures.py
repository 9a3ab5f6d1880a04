"""The pictures of the Sensitivity tab: every set has its place, and one without a value does not look like a low one."""

import json
from typing import Any

import numpy as np
import pytest
from dash._utils import to_json

from dashapp.figures.sensitivity import map_figure, points_figure
from dashapp.theme import PALETTES

TOLD: dict[str, Any] = {"labels": ("RSI: window", "Votes needed"), "metric": "Sharpe ratio", "unit": "ratio"}
VALUES = np.array([0.5, np.nan, 0.7, 0.1])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_lowest_place_of_a_map_can_be_told_from_an_empty_one(theme: str) -> None:
    figure = map_figure(VALUES.reshape(2, 2), [7, 14], [2, 3], theme=theme, marks={"Peak": (7, 3)}, **TOLD)
    lowest = figure["data"][0]["colorscale"][0][1]
    assert lowest != PALETTES[theme]["surface"]
    assert json.loads(to_json(figure))["data"][0]["z"] == [[0.5, None], [0.7, 0.1]]
    assert (figure["data"][1]["x"], figure["data"][1]["y"]) == (["7"], ["3"])


def test_a_mark_leaves_the_written_value_of_its_place_readable() -> None:
    small, large = (
        map_figure(np.ones((2, n)), range(n), [1, 2], theme=None, marks={"Peak": (0, 1)}, **TOLD) for n in (3, 50)
    )
    assert small["data"][0]["texttemplate"] == "%{text}"
    assert large["data"][0]["texttemplate"] == ""
    assert small["data"][1]["marker"]["size"] > 2 * large["data"][1]["marker"]["size"]


def test_sets_without_a_value_are_rings() -> None:
    known, unknown = points_figure(VALUES, [1, 2, 3, 4], np.array([5, 6, 7, 8]), theme=None, **TOLD)["data"]
    assert (known["x"], known["y"], known["marker"]["color"]) == ([1, 3, 4], [5, 7, 8], [0.5, 0.7, 0.1])
    assert (unknown["x"], unknown["y"], unknown["text"]) == ([2], [6], ["–"])
    assert "open" in unknown["marker"]["symbol"]


def test_one_parameter_is_drawn_over_its_own_values() -> None:
    figure = points_figure(VALUES, [2, 3, 4, 5], None, theme=None, **TOLD)
    assert [trace["y"] for trace in figure["data"]] == [[0.5, 0.7, 0.1]]
    assert figure["layout"]["xaxis"]["tickvals"] == [2, 3, 4, 5]
    many = points_figure(np.arange(50.0), range(50), None, theme=None, **TOLD)
    assert "tickvals" not in many["layout"]["xaxis"]
