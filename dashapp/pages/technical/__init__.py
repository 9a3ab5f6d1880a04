"""Technical: one ticker's price, indicators, ratings and votes, and what each of them was worth."""

from dashapp.pages._page import Page
from dashapp.pages.technical import chart, export, live, record  # noqa: F401  register their callbacks
from dashapp.pages.technical.layout import layout

PAGE = Page(
    key="technical", path="/technical", name="Technical", order=20,
    description="Candles, indicators, ratings and votes of one ticker, each vote with its reason and with what followed it in the past",
    layout=layout, uses=("ticker", "range"),
)  # fmt: skip
