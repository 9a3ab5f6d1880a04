"""Kenneth French's files, recognised by content: fractions, missing marks, month ends, annual blocks."""

import numpy as np
import pytest

from pipeline.errors import SourceError
from pipeline.sources._french import combine, month_ends, parse

MONTHLY = (
    b"This file was created by X using the 202408 CRSP database.\r\nThe rate, RF, is from Y.\r\n\r\n"
    b",Mkt-RF,SMB,HML,RF\r\n192607,    2.96,   -2.56,   -2.43,    0.22\r\n"
    b"192608,    2.64, -99.99,  -999,    0.25\r\n\r\n"
    b" Annual Factors: January-December \r\n,Mkt-RF,SMB,HML,RF\r\n"
    b"  1927,   29.47,   -2.04,   -4.54,    3.12\r\n\r\nCopyright 2024 Kenneth R. French\r\n"
)
FIVE = b"x\n\n,Mkt-RF,SMB,HML,RMW,CMA,RF\n192608,9.99,1.10,9.99,0.50,-1.00,9.99\n192609,0.36,1.32,0.01,0.10,0.20,0.23\n"
MOMENTUM = b"Missing data are indicated by -99.99 or -999.\n\n,Mom   \n19261103,   0.56\n19261104,  -0.50\n"


def test_monthly_three_factors() -> None:
    file = parse(MONTHLY)
    assert (file.kind, file.frequency) == ("three factors", "M")
    assert file.returns.index.tolist() == ["1926-07-31", "1926-08-31"]
    assert file.returns.loc["1926-07-31", "mkt_rf"] == pytest.approx(0.0296, abs=1e-15)
    assert np.isnan(file.returns.loc["1926-08-31", ["smb", "hml"]].to_numpy()).all()


def test_daily_momentum_without_footer() -> None:
    file = parse(MOMENTUM)
    assert (file.kind, file.frequency) == ("momentum", "D")
    assert file.returns["mom"].to_dict() == pytest.approx({"1926-11-03": 0.0056, "1926-11-04": -0.005})


def test_joined_five_factor_smb_is_its_own_series_and_three_factor_columns_win() -> None:
    factors = combine([parse(FIVE), parse(MONTHLY), parse(MOMENTUM)])
    assert factors["frequency"].tolist() == ["D", "D", "M", "M", "M"]
    august = factors[factors["date"] == "1926-08-31"].iloc[0]
    assert august["mkt_rf"] == pytest.approx(0.0264)
    assert np.isnan(august["smb"])
    assert august["smb5"] == pytest.approx(0.011)
    september = factors[factors["date"] == "1926-09-30"].iloc[0]
    assert september["mkt_rf"] == pytest.approx(0.0036)  # only the 5-factor file reaches it
    assert np.isnan(september["smb"])


def test_the_file_that_reaches_further_counts() -> None:
    more = b"192608, 2.64, 1.00, 1.00, 0.25\r\n192609, 1.00, 1.00, 1.00,"
    longer = MONTHLY.replace(b"192608,    2.64, -99.99,  -999,", more)
    for order in ([MONTHLY, longer], [longer, MONTHLY]):
        factors = combine(map(parse, order))
        assert factors["date"].tolist() == ["1926-07-31", "1926-08-31", "1926-09-30"]
        assert factors["smb"].notna().all()


def test_month_ends_know_leap_years() -> None:
    months = np.array(["1900-02", "2000-02", "2023-12"], dtype="datetime64[M]")
    assert month_ends(months).tolist() == ["1900-02-28", "2000-02-29", "2023-12-31"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>gone</html>", "no line of factor names"),
        (b",Cnsmr,Manuf\n192607,1,2\n", "holds cnsmr, manuf; known are"),
        (b",Mkt-RF,SMB,HML,RF\n192607,1,2,3,4\n19260701,1,2,3,4\n", "three factors table cannot be read"),
        (b",Mom\n192613,1\n", "momentum table cannot be read"),
        (b",Mom\nabcdef,x\n", "momentum table cannot be read"),
        (b",Mom\n", "momentum table cannot be read"),
    ],
)
def test_other_files_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        parse(content)


def test_no_files_give_an_empty_frame() -> None:
    assert combine([]).empty
