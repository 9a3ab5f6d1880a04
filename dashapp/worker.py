"""Imported once by the fork server: everything a backtest needs, so that the first click finds it warm."""

from analytics.backtest.vectorbt_engine import warm_up
from dashapp import backtest_job  # noqa: F401  the callback that the children run

warm_up()
