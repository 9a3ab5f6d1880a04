"""Every number that is a convention rather than a result, each in one place. Explained in docs/METHODS.md."""

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
DateArray = npt.NDArray[np.datetime64]  # always datetime64[D], the exchange's local date

TRADING_DAYS: Final = 252  # sessions per year, for annualising daily figures
MONTHS: Final = 12
PERIODS_PER_YEAR: Final = {"D": TRADING_DAYS, "M": MONTHS}

CONFIDENCE: Final = 0.95  # of VaR, expected shortfall and every interval shown
STD_DDOF: Final = 1  # sample standard deviation everywhere

CORE_VOTES: Final = ("sma", "ema", "macd", "rsi", "bollinger", "stochastic", "adx")
VOTE_THRESHOLD: Final = 3  # buys needed among the core votes
RATING_BUY: Final = 0.1  # |rating_score| above which the label leaves "neutral"
RATING_STRONG_BUY: Final = 0.5

PUBLICATION_LAG_DAYS: Final = 45  # Kenneth French's files appear about this long after the month they cover
FACTOR_WINDOWS: Final = (0, 120, 60, 36)  # months; 0 is the full history
MIN_FACTOR_MONTHS: Final = 24  # fewer observations than this give no monthly fit
MIN_FACTOR_SESSIONS: Final = TRADING_DAYS  # and than this no daily fit
BLUME_WEIGHT: Final = 2 / 3  # of the estimate; the rest is the beta of the market, 1

FRONTIER_SESSIONS: Final = 1_260  # trailing sessions a stock must have to enter the frontier: five years
FRONTIER_POINTS: Final = 50
FRONTIER_CLOUD: Final = 2_000  # random portfolios drawn for the picture
FRONTIER_MODELS: Final = ("capm", "ff3", "ff5")  # whose stored expected returns a frontier may start from
BENCHMARKS: Final = ("SPY", "^GSPC")  # what a portfolio tracks: the first of these that is stored, else the first index
FRONTIER_SEED: Final = 20_240_101

INITIAL_CAPITAL: Final = 100_000.0  # USD
FEE_RATE: Final = 0.0005  # of the traded value, each way
HALF_SPREAD: Final = 0.0001  # of the price: half of what bid and ask of a large stock are apart
SLIPPAGE_RATE: Final = 0.0005  # of the price, against the trader, beside the half-spread
IMPACT_COEFFICIENT: Final = 0.015  # of the price, for an order as large as an average day's trading
IMPACT_EXPONENT: Final = 0.5  # the square-root law of market impact
PARTICIPATION_CAP: Final = 0.1  # of an average day's trading, that one ticker's orders may be on one day
BORROW_RATE: Final = 0.01  # per year, of the value that is sold short
VOLUME_SESSIONS: Final = 20  # bars over which the average dollar volume is taken
MAX_CONCESSION: Final = 0.9  # of the price: what spread, slippage and impact may be at the most, together
MAX_POSITION: Final = 0.2  # of the account in one ticker, unless fewer than five tickers share it
DELISTED_AFTER: Final = 5  # sessions in a row without a bar, after which a position is settled at its last close
FACTOR_WINDOW: Final = 60  # months of the fits that strategies read
