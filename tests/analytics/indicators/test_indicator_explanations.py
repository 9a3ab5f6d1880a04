"""Each vote says why it stands as it does, in a sentence that holds the numbers of the day."""

import numpy as np
import pytest
from sample_bars import random_bars

from analytics.indicators import VOTES, compute_indicator, compute_vote

STANDINGS = (1.0, 0.0, -1.0)


def row_of(columns: dict[str, np.ndarray], row: int) -> dict[str, float]:
    return {name: float(array[row]) for name, array in columns.items()}


@pytest.mark.parametrize("key", VOTES)
def test_there_is_a_sentence_for_each_standing(key: str) -> None:
    indicator, vote = VOTES[key]
    day = dict.fromkeys((*indicator.inputs, *indicator.outputs), 12.5)
    sentences = [vote.explain(standing, day, day) for standing in STANDINGS]
    assert len(set(sentences)) == len(STANDINGS)
    for sentence in sentences:
        assert sentence.endswith(".")
        assert not set("{}") & set(sentence)
        assert "nan" not in sentence
        assert len(sentence) > 15


@pytest.mark.parametrize("key", VOTES)
def test_a_number_that_nobody_gave_is_written_as_unknown(key: str) -> None:
    indicator, vote = VOTES[key]
    unknown = dict.fromkeys((*indicator.inputs, *indicator.outputs))
    for standing in STANDINGS:
        template = vote.because[1 - int(standing)]
        for given in ({}, unknown):
            sentence = vote.explain(standing, given, given)  # type: ignore[arg-type]
            assert sentence.count("nan") == template.count("{")


@pytest.mark.parametrize("key", [key for key in VOTES if key != "obv"])  # whose average is not a stored column
def test_the_sentence_holds_the_numbers_of_the_day(key: str) -> None:
    indicator, vote = VOTES[key]
    bars = random_bars(seed=12, n=2_000)
    outputs = compute_indicator(indicator, bars)
    votes = compute_vote(indicator, vote, bars, outputs)
    columns = outputs | {name: getattr(bars, name) for name in indicator.inputs}
    for standing in (1.0, -1.0):
        row = int(np.flatnonzero(votes == standing)[-1])
        today, before = row_of(columns, row), row_of(columns, row - 1)
        sentence = vote.explain(standing, today, before)
        numbers = {
            f"{value:{form}}" for value in (*today.values(), *before.values()) for form in (",.2f", ".1f", ".0f", ".3f")
        }
        assert any(number in sentence for number in numbers), sentence


def test_yesterday_is_told_apart_from_today() -> None:
    sentence = VOTES["momentum"].vote.explain(1.0, {"momentum_10": 3.0}, {"momentum_10": 2.0})
    assert sentence == "Momentum rose to 3.00 from 2.00."
