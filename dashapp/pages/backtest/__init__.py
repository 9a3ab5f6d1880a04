"""Backtest: what a strategy would have earned on chosen tickers, after costs and without a look into the future."""

from dashapp.pages._page import Page
from dashapp.pages.backtest import callbacks, exports, presets, shown  # noqa: F401  registers the callbacks
from dashapp.pages.backtest.layout import layout

PAGE = Page(
    key="backtest", path="/backtest", name="Backtest", order=50,
    description="Run a strategy with costs in the background: equity, drawdown, metrics and every trade", layout=layout, uses=("ticker",),
)  # fmt: skip
