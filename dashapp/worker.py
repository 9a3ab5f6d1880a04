"""Imported once by the fork server: everything a backtest needs, so that the first click finds it warm."""

import gc

from analytics.backtest import checks, simulate  # noqa: F401  the second stage imports more than the first
from dashapp import backtest_job, sweep_job  # noqa: F401  the callbacks that the children run
from pipeline import schema
from pipeline.backtests import code_version

simulate.warm_up()
for metadata in (schema.MARKET, schema.WORKSPACE):
    schema.outdated(metadata, {})  # the children have the order of the tables then
code_version()  # the children have it then without reading the sources
gc.collect()
gc.freeze()  # what was imported lasts: a child that reads many rows would look through it again and again
