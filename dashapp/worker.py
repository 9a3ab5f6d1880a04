"""Imported once by the fork server: everything a backtest needs, so that the first click finds it warm."""

from analytics.backtest import checks, simulate  # noqa: F401  the second stage imports more than the first
from dashapp import backtest_job, sweep_job  # noqa: F401  the callbacks that the children run

simulate.warm_up()
