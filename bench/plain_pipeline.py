"""The pipeline as a capable user writes it: a pandas loop per ticker, a statsmodels loop, to_sql. It checks nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import create_engine

from bench.peers import clarabel_frontier, indicators_by_groupby, statsmodels_loop

WINDOW, POINTS = 1260, 50


def plain_update(data: Any, db: Path) -> None:
    """Store prices, indicators with their votes, monthly factor fits and a frontier of what a source delivered."""
    engine = create_engine(f"sqlite:///{db}")
    data.prices.to_sql("prices", engine, if_exists="replace", index=False)
    for number, (ticker, rows) in enumerate(data.prices.groupby("ticker")):
        signals = _votes(rows, indicators_by_groupby(rows).reset_index(drop=True)).assign(
            ticker=ticker, date=rows["date"].to_numpy()
        )
        signals.to_sql("technical_signals", engine, if_exists="append" if number else "replace", index=False)
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


def _votes(rows: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The seven core votes and the overall signal."""
    close = rows["close"].reset_index(drop=True)
    votes = pd.DataFrame({
        "vote_sma": np.sign(found["sma_50"] - found["sma_200"]), "vote_ema": np.sign(found["ema_12"] - found["ema_26"]),
        "vote_macd": np.sign(found["macd"] - found["macd_signal"]),
        "vote_rsi": (found["rsi_14"] < 30).astype(int) - (found["rsi_14"] > 70).astype(int),
        "vote_bollinger": (close < found["bb_lower"]).astype(int) - (close > found["bb_upper"]).astype(int),
        "vote_stochastic": ((found["stoch_k"] < 20) & (found["stoch_d"] < 20)).astype(int)
        - ((found["stoch_k"] > 80) & (found["stoch_d"] > 80)).astype(int),
        "vote_adx": np.sign(found["plus_di_14"] - found["minus_di_14"]).where(found["adx_14"] > 20, 0),
    })  # fmt: skip
    return pd.concat([found, votes], axis=1).assign(overall_signal=np.sign(votes.sum(axis=1)))
