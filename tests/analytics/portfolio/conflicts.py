"""Thirty sets of limits that no portfolio obeys, six of them from public issue threads."""

from dataclasses import dataclass, field

import numpy as np

from analytics.portfolio.constraints import Constraints, Universe, feasible_weights
from analytics.portfolio.limits import FeasibleSet, Limit, feasible_set


@dataclass(frozen=True)
class Case:
    """Constraints in the editor's words, and a floor of the expected return that the editor does not have."""

    name: str
    universe: Universe
    constraints: Constraints = field(default_factory=Constraints)
    expected_returns: tuple[float, ...] = ()
    least_return: float = 0.0

    def feasible(self) -> FeasibleSet:
        found = feasible_weights(self.constraints, self.universe)
        if not self.expected_returns:
            return found
        label = f"expected return at least {100 * self.least_return:g} %"
        floor = Limit("expected_return", label, "sum", "min", self.least_return, np.array(self.expected_returns))
        return feasible_set([*found.limits, floor])


def _universe(sizes: dict[str, int], **more: dict[str, float]) -> Universe:
    sectors = {f"{sector} {number}": sector for sector, size in sizes.items() for number in range(size)}
    return Universe(tuple(sectors), sectors, **more)


STOCKS = Universe(
    ("AAPL", "MSFT", "NVDA", "JNJ", "PFE", "UNH", "XOM", "CVX", "KO", "PG", "WMT", "NEE"),
    {
        "AAPL": "Technology", "MSFT": "Technology", "NVDA": "Technology", "JNJ": "Health", "PFE": "Health",
        "UNH": "Health", "XOM": "Energy", "CVX": "Energy", "KO": "Staples", "PG": "Staples", "WMT": "Staples",
        "NEE": "Utilities",
    },
    {
        "AAPL": 0.005, "MSFT": 0.008, "NVDA": 0.0003, "JNJ": 0.03, "PFE": 0.055, "UNH": 0.015, "XOM": 0.035,
        "CVX": 0.04, "KO": 0.03, "PG": 0.024, "WMT": 0.012, "NEE": 0.028,
    },
    {"AAPL": 0.3, "MSFT": 0.3, "NVDA": 0.2, "JNJ": 0.2},
)  # fmt: skip
SIX = Universe(
    ("A", "B", "C", "D", "E", "F"),
    {"A": "X", "B": "X", "C": "Y", "D": "Y", "E": "Z", "F": "Z"},
    {"A": 0.01, "B": 0.02, "C": 0.03, "D": 0.04, "E": 0.05, "F": 0.06},
    {"A": 0.2, "B": 0.2, "C": 0.2, "D": 0.2, "E": 0.1, "F": 0.1},
)
REGIONS = {
    "Bordeaux": (0.2, 0.35), "Burgundy White": (0.1, 0.2), "Burgundy Red": (0.1, 0.2), "Italy": (0.1, 0.15),
    "Champagne": (0.1, 0.2), "Rest of France": (0.05, 0.15), "Spain": (0.0, 0.1), "USA": (0.0, 0.15),
    "Rest of World": (0.0, 0.15),
}  # fmt: skip
WINES = _universe(dict.fromkeys(REGIONS, 10))
INDUSTRIES = _universe({f"Industry {number:02d}": 6 for number in range(42)})

THREADS = (
    # PyPortfolio/PyPortfolioOpt #427: max_sharpe fails where all assets lose; it asks for the 2 % of its default rate.
    Case("PyPortfolioOpt 427", Universe(("A", "B", "C", "D")), Constraints(), (-0.31, -0.12, -0.05, -0.22), 0.02),
    # #437: "returns are positive btw", but daily averages, compared with an annual 2 %.
    Case("PyPortfolioOpt 437", Universe(("A", "B", "C")), Constraints(), (0.0004, 0.0011, 0.0007), 0.02),
    # #458: six cryptocurrencies over 100 falling days.
    Case(
        "PyPortfolioOpt 458", Universe(("AAVE", "ADA", "BTC", "ETH", "HBTC", "MKR")), Constraints(),
        (-0.98, -0.93, -0.88, -0.95, -0.87, -0.96), 0.02,
    ),
    # #468: 90 wines with bounds of nine regions, which agree with each other but not with a return above 2 %.
    Case(
        "PyPortfolioOpt 468", WINES, Constraints(sector_bounds=REGIONS),
        tuple({"Spain": 0.06, "USA": 0.05}.get(WINES.sectors[wine], 0.004) for wine in WINES.tickers), 0.02,
    ),
    # dcajasn/Riskfolio-Lib #18: about 250 stocks of at most 8 %, each industry from 3 % to 25 %.
    Case(
        "Riskfolio-Lib 18", INDUSTRIES,
        Constraints(max_weight=0.08, sector_bounds={f"Industry {number:02d}": (0.03, 0.25) for number in range(42)}),
    ),
    # skfolio/skfolio #117: two stocks with negative means, long only; a ratio is maximised over returns above 0.
    Case("skfolio 117", Universe(("embracer-group-ab-b", "2curex-ab")), Constraints(), (-0.42, -0.71), 0.0),
)  # fmt: skip

LINEAR = (
    Case("cap × n below 1", STOCKS, Constraints(max_weight=0.05)),
    Case("sector minima above 1", STOCKS, Constraints(
        sector_bounds={"Technology": (0.5, 1), "Health": (0.4, 1), "Energy": (0.3, 1)})),
    Case("sector cap below its tickers' minima", STOCKS, Constraints(
        ticker_bounds={"AAPL": (0.1, 1), "MSFT": (0.1, 1), "NVDA": (0.1, 1)}, sector_bounds={"Technology": (0, 0.2)})),
    Case("a sector emptied by exclusions", STOCKS, Constraints(
        exclude=("XOM", "CVX"), sector_bounds={"Energy": (0.1, 1)})),
    Case("dividend yield above every one", STOCKS, Constraints(min_dividend_yield=0.07)),
    Case("turnover too small for the cap", STOCKS, Constraints(max_weight=0.1, max_turnover=0.2)),
    Case("cash against ticker minima", STOCKS, Constraints(
        min_cash=0.3, max_cash=0.5, ticker_bounds={"AAPL": (0.3, 1), "MSFT": (0.3, 1), "JNJ": (0.2, 1)})),
    Case("all excluded", STOCKS, Constraints(exclude=STOCKS.tickers)),
    Case("one asset with cap 50 %", Universe(("SPY",)), Constraints(max_weight=0.5)),
    Case("sector caps below 1", STOCKS, Constraints(
        sector_bounds=dict.fromkeys(("Technology", "Health", "Energy", "Staples", "Utilities"), (0.0, 0.15)))),
    Case("a ticker above its sector", STOCKS, Constraints(
        ticker_bounds={"NEE": (0.12, 1)}, sector_bounds={"Utilities": (0, 0.1)})),
    Case("minimum × n above 1", STOCKS, Constraints(min_weight=0.1)),
    Case("excluded but too much to sell", STOCKS, Constraints(exclude=("AAPL",), max_turnover=0.1)),
    Case("turnover too small for the cash", STOCKS, Constraints(min_cash=0.4, max_cash=0.5, max_turnover=0.1)),
    Case("yield, sector cap and turnover", STOCKS, Constraints(
        min_dividend_yield=0.03, sector_bounds={"Health": (0, 0.4), "Energy": (0, 0.2)}, max_turnover=0.3)),
    Case("yield and exclusions", STOCKS, Constraints(
        min_dividend_yield=0.035, exclude=("XOM", "CVX", "PFE"), max_weight=0.25)),
    Case("two conflicts at once", STOCKS, Constraints(
        ticker_bounds={"AAPL": (0.3, 1)}, sector_bounds={"Technology": (0, 0.2)}, min_dividend_yield=0.08)),
)  # fmt: skip

COUNTED = (
    Case("positions × cap below 1", SIX, Constraints(max_weight=0.3, max_positions=3)),
    Case("positions against ticker minima", SIX, Constraints(
        max_positions=2, ticker_bounds={"A": (0.1, 1), "C": (0.1, 1), "F": (0.1, 1)})),
    Case("positions against sector minima", SIX, Constraints(
        max_positions=2, sector_bounds={"X": (0.1, 1), "Y": (0.1, 1), "Z": (0.1, 1)})),
    Case("smallest position above the cap", SIX, Constraints(min_position=0.3, max_weight=0.2)),
    Case("smallest position above the sector's cap", SIX, Constraints(
        min_position=0.2, sector_bounds={"X": (0.05, 0.1)})),
    Case("smallest position and positions that cannot add up", SIX, Constraints(
        min_position=0.4, max_weight=0.45, sector_bounds={"X": (0, 0.4)})),
    Case("positions and turnover", SIX, Constraints(max_positions=2, max_turnover=0.3)),
)  # fmt: skip

CASES = THREADS + LINEAR + COUNTED
