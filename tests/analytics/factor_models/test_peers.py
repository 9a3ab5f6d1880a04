"""Nearest loadings, by scipy's Mahalanobis distance."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import mahalanobis
from tolerances import PARITY

from analytics.errors import InputError, UnknownKeyError
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
    pd.testing.assert_series_equal(nearest_loadings(doubled, "T07"), nearest_loadings(loadings, "T07"), rtol=PARITY)


@pytest.mark.parametrize("same", [0.0, 0.7, 0.7 + 1e-15 * np.arange(30)])
def test_a_factor_in_which_no_ticker_differs_does_not_count(loadings: pd.DataFrame, same: float | np.ndarray) -> None:
    """Not even by rounding."""
    found = nearest_loadings(loadings.assign(same=same), "T07")
    pd.testing.assert_series_equal(found, nearest_loadings(loadings, "T07"), rtol=PARITY)


def test_one_factor_is_the_distance_in_standard_deviations(loadings: pd.DataFrame) -> None:
    market = loadings[["mkt_rf"]]
    expected = (
        ((market["mkt_rf"] - market.loc["T07", "mkt_rf"]).abs() / market["mkt_rf"].std()).drop("T07").nsmallest(3)
    )
    pd.testing.assert_series_equal(nearest_loadings(market, "T07", n=3), expected, check_names=False, rtol=PARITY)


def test_a_negative_number_is_refused(loadings: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="n: got -1"):
        nearest_loadings(loadings, "T07", n=-1)
