"""The peers: how a capable user would do the same with the usual libraries, written for speed where that is usual too."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

# ---- storing a folder ---------------------------------------------------------------------------------------


def store_prices(folder: str, db: str) -> None:
    """Read every Yahoo-like file of a folder with pandas and store its prices with to_sql: no check, nothing derived."""
    frames = []
    for path in sorted(path for part in ("prices", "etf", "index") for path in (Path(folder) / part).glob("*.csv*")):
        frame = pd.read_csv(path, parse_dates=["Date"])
        if "Close" in frame:
            frames.append(frame.assign(ticker=path.name.split(".csv")[0]))
    with closing(sqlite3.connect(db)) as connection:
        pd.concat(frames).to_sql("prices", connection, index=False)
        connection.execute("CREATE INDEX prices_key ON prices (ticker, Date)")
        connection.commit()


# ---- drawing a ticker ---------------------------------------------------------------------------------------


def technical_figure_json(db: Path, ticker: str, start: str) -> str:
    """Return the chart of the Technical tab's default settings as plotly's JSON, read through pandas."""
    query = "SELECT * FROM {} WHERE ticker = ? AND date >= ? ORDER BY date"
    with closing(sqlite3.connect(db)) as connection:
        prices, signals = (
            pd.read_sql(query.format(table), connection, params=(ticker, start), parse_dates=["date"])
            for table in ("prices", "technical_signals")
        )
    return str(_figure(prices, signals).to_json())


def _figure(prices: pd.DataFrame, signals: pd.DataFrame) -> Any:
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=4, cols=1, shared_xaxes=True, row_heights=[0.5, 0.15, 0.15, 0.2])
    x = prices["date"]
    figure.add_trace(
        go.Candlestick(x=x, open=prices["open"], high=prices["high"], low=prices["low"], close=prices["close"]),
        row=1,
        col=1,
    )
    for name in ("sma_20", "sma_50", "sma_200"):
        figure.add_trace(go.Scatter(x=x, y=signals[name], name=name, mode="lines"), row=1, col=1)
    signal = signals["overall_signal"]
    for value, symbol in ((1, "triangle-up"), (-1, "triangle-down")):
        turned = (signal == value) & (signal.shift() != value)
        figure.add_trace(
            go.Scatter(x=x[turned], y=prices["close"][turned], mode="markers", marker_symbol=symbol), row=1, col=1
        )
    figure.add_trace(go.Bar(x=x, y=prices["volume"], name="volume"), row=2, col=1)
    figure.add_trace(go.Scatter(x=x, y=signals["rsi_14"], name="rsi_14"), row=3, col=1)
    for name in ("macd", "macd_signal"):
        figure.add_trace(go.Scatter(x=x, y=signals[name], name=name), row=4, col=1)
    figure.add_trace(go.Bar(x=x, y=signals["macd_hist"], name="macd_hist"), row=4, col=1)
    figure.update_layout(xaxis_rangeslider_visible=False, height=800)
    return figure


# ---- indicators ---------------------------------------------------------------------------------------------


def indicators_by_groupby(prices: pd.DataFrame) -> pd.DataFrame:
    """Return the stored indicators of every ticker, computed by a function of one ticker's frame."""
    return prices.groupby("ticker")[["open", "high", "low", "close", "volume"]].apply(_indicators)


def _indicators(rows: pd.DataFrame) -> pd.DataFrame:
    close = rows["close"]
    found = {f"sma_{window}": close.rolling(window).mean() for window in (20, 50, 200)}
    found |= {f"ema_{span}": _ema(close, span) for span in (12, 26)}
    found["macd"] = found["ema_12"] - found["ema_26"]
    found["macd_signal"] = _ema(found["macd"], 9)
    found["macd_hist"] = found["macd"] - found["macd_signal"]
    change = close.diff()
    gain, loss = _wilder(change.clip(lower=0)), _wilder(-change.clip(upper=0))
    found["rsi_14"] = 100 - 100 / (1 + gain / loss)
    found["bb_middle"] = found["sma_20"]
    width = 2 * close.rolling(20).std(ddof=0)
    found["bb_upper"], found["bb_lower"] = found["bb_middle"] + width, found["bb_middle"] - width
    found["roc_12"] = 100 * close.pct_change(12)
    found["obv"] = (np.sign(change).fillna(0) * rows["volume"]).cumsum()
    return pd.DataFrame(found | _of_ranges(rows) | _of_typical_price(rows))


def _of_ranges(rows: pd.DataFrame) -> dict[str, pd.Series]:
    high, low, close = rows["high"], rows["low"], rows["close"]
    highest, lowest = high.rolling(14).max(), low.rolling(14).min()
    k = (100 * (close - lowest) / (highest - lowest)).rolling(3).mean()
    previous = close.shift()
    true_range = pd.concat([high - low, (high - previous).abs(), (low - previous).abs()], axis=1).max(axis=1)
    atr = _wilder(true_range)
    up, down = high.diff(), -low.diff()
    plus = 100 * _wilder(up.where((up > down) & (up > 0), 0.0)) / atr
    minus = 100 * _wilder(down.where((down > up) & (down > 0), 0.0)) / atr
    return {
        "stoch_k": k, "stoch_d": k.rolling(3).mean(), "atr_14": atr, "plus_di_14": plus, "minus_di_14": minus,
        "adx_14": _wilder(100 * (plus - minus).abs() / (plus + minus)),
        "williams_r_14": -100 * (highest - close) / (highest - lowest),
    }  # fmt: skip


def _of_typical_price(rows: pd.DataFrame) -> dict[str, pd.Series]:
    typical = (rows["high"] + rows["low"] + rows["close"]) / 3
    windows = np.lib.stride_tricks.sliding_window_view(typical.to_numpy(), 20)  # rolling.apply would take seconds
    spread = np.abs(windows - windows.mean(axis=1, keepdims=True)).mean(axis=1)
    deviation = pd.Series(np.concatenate([np.full(19, np.nan), spread]), index=rows.index)
    flow, change = typical * rows["volume"], typical.diff()
    inflow, outflow = (flow.where(side, 0.0).rolling(14).sum() for side in (change > 0, change < 0))
    return {
        "cci_20": (typical - typical.rolling(20).mean()) / (0.015 * deviation),
        "mfi_14": 100 - 100 / (1 + inflow / outflow),
    }


def _ema(values: pd.Series, span: int) -> pd.Series:
    return values.ewm(span=span, adjust=False).mean()


def _wilder(values: pd.Series) -> pd.Series:
    return values.ewm(alpha=1 / 14, adjust=False).mean()


# ---- factor fits --------------------------------------------------------------------------------------------


def statsmodels_loop(
    returns: pd.DataFrame,
    factors: pd.DataFrame,
    *,
    models: Iterable[str] | None = None,
    windows: Iterable[int] | None = None,
) -> pd.DataFrame:
    """Return alpha, alpha_se and r_squared per ticker, model and window (all where None), one statsmodels fit at a time."""
    from analytics.conventions import FACTOR_WINDOWS
    from analytics.factor_models import FACTOR_MODELS

    rows, windows = [], sorted(FACTOR_WINDOWS if windows is None else windows)
    for ticker in sorted(returns):
        for model in (FACTOR_MODELS[key] for key in sorted(FACTOR_MODELS if models is None else models)):
            data = factors[list(model.factors)].assign(excess=returns[ticker] - factors["rf"]).dropna()
            rows += [_statsmodels_fit(data.iloc[-window:], list(model.factors)) for window in windows]
    return pd.DataFrame(rows)


def _statsmodels_fit(data: pd.DataFrame, factors: list[str]) -> dict[str, Any]:
    import statsmodels.api as sm

    from analytics.conventions import MONTHS
    from analytics.factor_models._regression import newey_west_lags

    model = sm.OLS(data["excess"].to_numpy(), sm.add_constant(data[factors].to_numpy()))
    hac = {"maxlags": int(newey_west_lags(len(data))), "use_correction": True}
    fit = model.fit(cov_type="HAC", cov_kwds=hac, use_t=True)
    loadings = {"beta": fit.params, "std_err": fit.bse, "t": fit.tvalues, "p": fit.pvalues, "interval": fit.conf_int()}
    return loadings | {
        "alpha": MONTHS * fit.params[0], "alpha_se": MONTHS * fit.bse[0], "r_squared": fit.rsquared,
        "std_err_ols": model.fit().bse,
    }  # fmt: skip


# ---- frontier -----------------------------------------------------------------------------------------------


def clarabel_frontier(mean: np.ndarray, covariance: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the long-only weights of least variance at each target return, (n_points, n_assets)."""
    import clarabel
    from scipy import sparse

    n = len(mean)
    p = sparse.triu(sparse.csc_matrix(covariance), format="csc")
    a = sparse.csc_matrix(np.vstack([np.ones(n), mean, -np.eye(n)]))
    cones = [clarabel.ZeroConeT(2), clarabel.NonnegativeConeT(n)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    rows = []
    for target in targets:
        b = np.concatenate([[1.0, target], np.zeros(n)])
        rows.append(clarabel.DefaultSolver(p, np.zeros(n), a, b, cones, settings).solve().x)
    return np.array(rows)


# ---- backtest -----------------------------------------------------------------------------------------------


def vectorbt_from_orders(panel: Any, orders: pd.DataFrame, spec: Any) -> np.ndarray:
    """Return the account value of given orders, after vectorbt has also made its statistics and trades."""
    import vectorbt as vbt

    index, columns = pd.DatetimeIndex(panel.dates), list(panel.tickers)
    factor = panel.adj_close / panel.close
    opened, close = (pd.DataFrame(values, index, columns) for values in (panel.open * factor, panel.adj_close))
    dated = orders.dropna(subset="date")
    size = dated.pivot(index="date", columns="ticker", values="target_weight").set_axis(
        pd.DatetimeIndex(sorted(dated["date"].unique()))
    )
    portfolio = vbt.Portfolio.from_orders(
        close, size.reindex(index=index, columns=columns), size_type="targetpercent", direction="longonly", price=opened,
        val_price=opened, fees=spec.costs.fee_rate, slippage=spec.costs.slippage_rate, init_cash=spec.initial_capital,
        group_by=True, cash_sharing=True, call_seq="auto", freq="1D",
    )  # fmt: skip
    portfolio.stats()
    portfolio.trades.records_readable  # noqa: B018  made on being looked at
    return np.asarray(portfolio.value())
