"""The pipeline as a capable user writes it: a pandas loop per ticker, a statsmodels loop, to_sql. It checks nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import create_engine

from bench.peers import clarabel_frontier, statsmodels_loop
from bench.technical_peer import ratings_of_ticker, technical_of_ticker

WINDOW, POINTS = 1260, 50


def plain_update(data: Any, db: Path) -> None:
    """Store prices, indicators with their votes, monthly factor fits and a frontier of what a source delivered."""
    engine = create_engine(f"sqlite:///{db}")
    data.prices.to_sql("prices", engine, if_exists="replace", index=False)
    for number, (ticker, rows) in enumerate(data.prices.groupby("ticker")):
        how = "append" if number else "replace"
        signals = technical_of_ticker(rows.reset_index(drop=True)).assign(ticker=ticker, date=rows["date"].to_numpy())
        signals.to_sql("technical_signals", engine, if_exists=how, index=False)
        for timeframe, ratings in ratings_of_ticker(rows).items():
            ratings.assign(ticker=ticker, timeframe=timeframe).to_sql("technical_ratings", engine, if_exists=how)
            how = "append"
    with engine.begin() as connection:  # without these an app would wait
        for table in ("prices", "technical_signals"):
            connection.exec_driver_sql(f"CREATE UNIQUE INDEX {table}_key ON {table} (ticker, date)")
    closes = data.prices.pivot(index="date", columns="ticker", values="adj_close")
    closes.index = pd.to_datetime(closes.index)
    monthly = closes.resample("ME").last().pct_change(fill_method=None).iloc[1:]
    factors = data.factors[data.factors["frequency"] == "M"].set_index("date").drop(columns="frequency").astype(float)
    factors.index = pd.to_datetime(factors.index)
    fits = statsmodels_loop(monthly.reindex(factors.index), factors)
    fits[["alpha", "alpha_se", "r_squared"]].to_sql("factor_model_fits", engine, if_exists="replace", index=False)
    returns = closes.pct_change(fill_method=None).iloc[-WINDOW:].dropna(axis=1)
    mean, covariance = returns.mean().to_numpy() * 252, returns.cov().to_numpy() * 252
    weights = clarabel_frontier(mean, covariance, np.linspace(mean.min(), mean.max(), POINTS))
    pd.DataFrame(weights).to_sql("frontier_weights", engine, if_exists="replace", index=False)
    engine.dispose()
