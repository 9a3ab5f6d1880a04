import math

import numpy as np
import pytest
from scipy.stats import percentileofscore
from tolerances import EXACT

from analytics.cross_section import MIN_PEERS, percentile_rank


def test_equals_scipy() -> None:
    values = np.round(np.random.default_rng(1).normal(size=50), 1)
    for value in values:
        assert percentile_rank(values, value) == pytest.approx(
            percentileofscore(values, value, kind="mean") / 100, abs=EXACT
        )


def test_unknown_values_do_not_count() -> None:
    assert percentile_rank([1, 2, np.nan, 3, 4, 5], 5) == pytest.approx(0.9, abs=EXACT)
    assert math.isnan(percentile_rank([1, 2, 3, 4, 5], math.nan))
    assert math.isnan(percentile_rank(range(MIN_PEERS - 1), 1))
