"""Imported once by the fork server: everything a backtest needs, so that the first click finds it warm."""

import gc

from analytics.backtest import checks, simulate  # noqa: F401  the second stage imports more than the first
from dashapp import backtest_job, sweep_job  # noqa: F401  the callbacks that the children run
from pipeline import backtests

simulate.warm_up()
backtests.warm_up()
gc.collect()
gc.freeze()  # what was imported lasts: a child that reads many rows would look through it again and again
