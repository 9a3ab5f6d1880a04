"""No value and no vote of a day depends on a later one; an indicator that peeks is caught by the same check."""

from dataclasses import replace

import numpy as np
import pytest
from sample_bars import random_bars

from analytics.indicators import INDICATORS, Indicator, Vote, compute_indicator, compute_vote
from analytics.market import FIELDS, Bars

N = 320
CUTS = [*range(0, 60, 4), *range(70, N - 1, 15)]


def everything(indicator: Indicator, bars: Bars) -> dict[str, np.ndarray]:
    outputs = compute_indicator(indicator, bars)
    return outputs | {vote.column: compute_vote(indicator, vote, bars, outputs) for vote in indicator.votes}


def later_replaced(bars: Bars, cut: int, factor: float) -> Bars:
    """The same bars up to and including row `cut`, every field after it multiplied by `factor`."""
    later = np.arange(len(bars)) > cut
    return replace(
        bars, **{name: np.where(later, getattr(bars, name) * factor, getattr(bars, name)) for name in FIELDS}
    )


def assert_looks_back_only(indicator: Indicator, factor: float) -> None:
    bars = random_bars(seed=3, n=N)
    before = everything(indicator, bars)
    assert all(np.isfinite(values).any() for values in before.values())
    for cut in CUTS:
        after = everything(indicator, later_replaced(bars, cut, factor))
        for column, values in before.items():
            np.testing.assert_array_equal(after[column][: cut + 1], values[: cut + 1], err_msg=f"{column} at {cut}")


def ahead(values: np.ndarray) -> np.ndarray:
    """Each row's value of the row after it."""
    return np.append(values[1:], values[-1:])


def planted(*, value_peeks: bool, vote_peeks: bool) -> Indicator:
    """The close as an indicator, one bar ahead where asked."""
    vote = Vote(
        key="planted", label="", rule="", because=("", "", ""),
        decide=lambda inputs, _: np.sign((ahead(inputs["close"]) if vote_peeks else inputs["close"]) - 100),
    )  # fmt: skip
    return Indicator(
        key="planted", label="", description="", formula="", reference="", group="trend", pane="own",
        inputs=("close",), outputs=("planted",), parameters=(), warm_up=0, votes=(vote,),
        compute=lambda inputs: (ahead(inputs["close"]) if value_peeks else inputs["close"],),
    )  # fmt: skip


@pytest.mark.parametrize("factor", [10.0, np.nan])
@pytest.mark.parametrize("key", INDICATORS)
def test_no_row_depends_on_a_later_one(key: str, factor: float) -> None:
    assert len(CUTS) >= 25
    assert_looks_back_only(INDICATORS[key], factor)


@pytest.mark.parametrize("factor", [10.0, np.nan])
def test_a_planted_leak_is_caught(factor: float) -> None:
    assert_looks_back_only(planted(value_peeks=False, vote_peeks=False), factor)
    with pytest.raises(AssertionError, match=r"\nplanted at 0\n"):
        assert_looks_back_only(planted(value_peeks=True, vote_peeks=False), factor)
    with pytest.raises(AssertionError, match="vote_planted at"):
        assert_looks_back_only(planted(value_peeks=False, vote_peeks=True), factor)


@pytest.mark.parametrize("key", INDICATORS)
def test_a_shorter_history_gives_the_same_prefix(key: str) -> None:
    bars = random_bars(seed=4, n=N)
    whole = everything(INDICATORS[key], bars)
    for cut in CUTS:
        part = everything(INDICATORS[key], bars.rows(slice(cut + 1)))
        for column, values in part.items():
            np.testing.assert_array_equal(values, whole[column][: cut + 1], err_msg=f"{column} at {cut}")
