"""The pipeline as a capable user writes it: a pandas loop per ticker, a statsmodels loop, to_sql. It checks nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import create_engine

from analytics.signals import RATING_LABELS
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


def _votes(rows: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The thirteen votes, the counts and the overall signal of the core seven, and the rating."""
    close = rows["close"].reset_index(drop=True)
    core = pd.DataFrame({
        "vote_sma": np.sign(found["sma_50"] - found["sma_200"]), "vote_ema": np.sign(found["ema_12"] - found["ema_26"]),
        "vote_macd": np.sign(found["macd"] - found["macd_signal"]),
        "vote_rsi": _outside(found["rsi_14"], 30, 70), "vote_bollinger": _outside(close, found["bb_lower"], found["bb_upper"]),
        "vote_stochastic": _outside(found["stoch_k"], 20, 80).where(~found["stoch_d"].between(20, 80), 0),
        "vote_adx": np.sign(found["plus_di_14"] - found["minus_di_14"]).where(found["adx_14"] > 20, 0),
    })  # fmt: skip
    more = pd.DataFrame({
        "vote_cci": _outside(found["cci_20"], -100, 100), "vote_williams_r": _outside(found["williams_r_14"], -80, -20),
        "vote_mfi": _outside(found["mfi_14"], 20, 80), "vote_roc": np.sign(found["roc_12"]),
        "vote_obv": np.sign(found["obv"] - found["obv"].rolling(20).mean()),
    })  # fmt: skip
    votes = pd.concat([core, more], axis=1)
    oscillators = ["vote_macd", "vote_rsi", "vote_stochastic", "vote_adx", "vote_cci", "vote_williams_r", "vote_roc"]
    rating = (votes[["vote_sma", "vote_ema"]].mean(axis=1) + votes[oscillators].mean(axis=1)) / 2
    return pd.concat([found, votes], axis=1).assign(
        buy_votes=(core > 0).sum(axis=1), sell_votes=(core < 0).sum(axis=1), overall_signal=np.sign(core.sum(axis=1)),
        rating_score=rating,
        rating_label=pd.cut(rating, [-2, -0.5, -0.1, 0.1, 0.5, 2], labels=RATING_LABELS).astype(str),
    )  # fmt: skip


def _outside(values: pd.Series, low: float | pd.Series, high: float | pd.Series) -> pd.Series:
    """Buy below the one, sell above the other."""
    return (values < low).astype(int) - (values > high).astype(int)
