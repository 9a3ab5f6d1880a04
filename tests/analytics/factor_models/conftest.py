"""Real monthly returns and Kenneth French's factors, read from installed packages without importing those."""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from analytics.returns import monthly_returns


def bundled(package: str, name: str) -> pd.DataFrame:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return pd.read_csv(Path(spec.origin).parent / name, index_col=0)


@pytest.fixture(scope="session")
def stock_months() -> pd.DataFrame:
    """Monthly returns of 20 US stocks, 1990 to 2022."""
    closes = bundled("skfolio", "datasets/data/sp500_dataset.csv.gz")
    return monthly_returns(closes.set_axis(pd.to_datetime(closes.index)))


@pytest.fixture(scope="session")
def french_factors() -> pd.DataFrame:
    """Monthly factor returns, 1926 to 2018, as fractions."""
    percent = bundled("arch", "data/frenchdata/frenchdata.csv.gz")
    months = pd.PeriodIndex(percent.index.astype(str), freq="M").to_timestamp(how="end").normalize()
    return (percent / 100).set_axis(months).set_axis(["mkt_rf", "smb", "hml", "rf"], axis="columns")
