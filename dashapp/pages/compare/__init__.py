"""Compare: stored backtests beside each other, and which of their differences are real."""

from dashapp.pages._page import Page
from dashapp.pages.compare import callbacks, listed  # noqa: F401  registers the callbacks
from dashapp.pages.compare.layout import layout

PAGE = Page(
    key="compare", path="/compare", name="Compare", order=55,
    description="Stored backtests side by side: which differences are real, what a blend of them would have given, what may come",
    layout=layout,
)  # fmt: skip
