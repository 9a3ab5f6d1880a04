"""Fundamentals: what a stock's return came from, what it should earn, and how sure that is; one ticker or all of them."""

from dashapp.pages._page import Page
from dashapp.pages.fundamentals import company, estimates, exposure, history, moves, required, survival, universe  # noqa: F401  register their callbacks
from dashapp.pages.fundamentals.layout import layout

PAGE = Page(
    key="fundamentals", path="/fundamentals", name="Fundamentals", order=30,
    description="Required return, alpha and loadings with their uncertainty, what moved the stock, its peers and its company; or the whole universe",
    layout=layout, uses=("ticker",),
)  # fmt: skip
