"""The fundamental outlook and its agreement with the technical rating."""

import math

import pytest

from analytics.factor_models import composite_score, fundamental_outlook


@pytest.mark.parametrize(("alpha", "expected_return", "outlook"), [
    (0.02, 0.11, 1), (-0.02, 0.09, -1), (0.02, 0.09, 0), (-0.02, 0.11, 0), (0.0, 0.11, 0), (0.02, 0.10, 0),
])  # fmt: skip
def test_outlook_needs_both(alpha: float, expected_return: float, outlook: int) -> None:
    assert fundamental_outlook(alpha, expected_return, 0.10) == outlook


@pytest.mark.parametrize("values", [(math.nan, 0.1, 0.1), (0.1, math.nan, 0.1), (0.1, 0.1, math.nan)])
def test_unknown_is_not_neutral(values: tuple[float, float, float]) -> None:
    assert fundamental_outlook(*values) is None


@pytest.mark.parametrize(("rating", "outlook", "score"), [
    (0.4, 1, 0.4), (-0.4, -1, -0.4), (0.4, -1, 0.0), (-0.4, 1, 0.0), (0.4, 0, 0.0), (0.0, 1, 0.0),
    (None, 1, None), (0.4, None, None), (math.nan, 1, None),
])  # fmt: skip
def test_composite_speaks_where_both_agree(rating: float | None, outlook: int | None, score: float | None) -> None:
    assert composite_score(rating, outlook) == score
