"""Real returns and Kenneth French's factors: from installed packages without importing those, and from a folder; and simulated ones."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.returns import monthly_returns
from pipeline.sources._french import combine, parse


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


@pytest.fixture(scope="session")
def real_closes(shared_data: Path) -> pd.DataFrame:
    """Adjusted closes of the 30 stocks that PLUMBLINE_TEST_DATA holds, sessions × tickers."""
    files = sorted((shared_data / "prices").glob("*.csv.gz"))
    closes = {
        path.name.removesuffix(".csv.gz"): pd.read_csv(path, index_col="Date", parse_dates=True)["Adj Close"]
        for path in files
    }
    return pd.DataFrame(closes)


@pytest.fixture(scope="session")
def real_factors(shared_data: Path) -> dict[str, pd.DataFrame]:
    """Kenneth French's six files as factor returns by frequency, M and D, fractions."""
    stored = combine([parse(path.read_bytes()) for path in sorted((shared_data / "ff").iterdir())])
    stored = stored.assign(date=pd.to_datetime(stored["date"])).set_index("date")
    return {key: rows.drop(columns="frequency").astype(float) for key, rows in stored.groupby("frequency")}


@pytest.fixture(scope="session")
def simulated_months() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Monthly returns of 12 tickers over 180 months, and all factors: gaps, late listings and delistings among them."""
    rng = np.random.default_rng(11)
    dates = pd.date_range("2005-01-31", periods=180, freq="ME")
    names = ["mkt_rf", "smb", "hml", "smb5", "rmw", "cma", "mom"]
    factors = pd.DataFrame(rng.normal(0.004, 0.03, (180, 7)), dates, names).assign(rf=rng.uniform(0, 0.004, 180))
    noise = 0.06 * rng.standard_t(5, (181, 12))
    values = factors[names].to_numpy() @ rng.normal(0.4, 0.5, (7, 12)) + noise[1:] + 0.3 * noise[:-1]
    returns = pd.DataFrame(values, dates, [f"T{number:02d}" for number in range(12)])
    returns.iloc[:40, 0] = np.nan  # listed late
    returns.iloc[:150, 1] = np.nan  # 30 months
    returns.iloc[:160, 2] = np.nan  # 20 months: too few
    returns.iloc[130:, 3] = np.nan  # delisted
    returns.iloc[[60, 61, 100], 4] = np.nan  # gaps
    returns.iloc[[7, 175], 5] = np.nan
    returns.iloc[[7, 175], 6] = np.nan
    factors.loc[dates[20], "hml"] = np.nan  # a month that one factor misses
    return returns, factors
