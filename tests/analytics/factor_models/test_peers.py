"""Nearest loadings, by scipy's Mahalanobis distance."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import mahalanobis
from tolerances import PARITY

from analytics.errors import UnknownKeyError
from analytics.factor_models import nearest_loadings


@pytest.fixture
def loadings() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    values = rng.normal(size=(30, 3)) @ np.array([[1, 0.3, 0], [0, 1, 0.5], [0, 0, 2]])
    return pd.DataFrame(values, [f"T{number:02d}" for number in range(30)], ["mkt_rf", "smb", "hml"])


def test_distances_equal_scipy(loadings: pd.DataFrame) -> None:
    inverse = np.linalg.inv(np.cov(loadings.to_numpy(), rowvar=False))
    expected = {name: mahalanobis(row, loadings.loc["T07"], inverse) for name, row in loadings.iterrows()}
    found = nearest_loadings(loadings, "T07", n=5)
    assert list(found.index) == sorted(set(expected) - {"T07"}, key=expected.__getitem__)[:5]
    np.testing.assert_allclose(found, [expected[name] for name in found.index], rtol=PARITY)


def test_the_scale_of_a_factor_does_not_matter(loadings: pd.DataFrame) -> None:
    scaled = loadings * [1, 100, 0.01]
    pd.testing.assert_series_equal(nearest_loadings(loadings, "T03"), nearest_loadings(scaled, "T03"), rtol=PARITY)


def test_unknown_loadings_and_tickers(loadings: pd.DataFrame) -> None:
    loadings.loc["T05", "hml"] = np.nan
    assert "T05" not in nearest_loadings(loadings, "T00", n=30).index
    assert nearest_loadings(loadings, "T05").empty
    assert nearest_loadings(loadings.head(1), "T00").empty
    with pytest.raises(UnknownKeyError, match="T99"):
        nearest_loadings(loadings, "T99")


def test_repeated_columns_are_no_obstacle(loadings: pd.DataFrame) -> None:
    doubled = loadings.assign(again=loadings["smb"])
    assert list(nearest_loadings(doubled, "T07").index) == list(nearest_loadings(loadings, "T07").index)
