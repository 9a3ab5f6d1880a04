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
        val_price=opened, fees=spec.costs.fee_rate, slippage=spec.costs.half_spread + spec.costs.slippage_rate, init_cash=spec.initial_capital,
        group_by=True, cash_sharing=True, call_seq="auto", freq="1D",
    )  # fmt: skip
    portfolio.stats()
    portfolio.trades.records_readable  # noqa: B018  made on being looked at
    return np.asarray(portfolio.value())
