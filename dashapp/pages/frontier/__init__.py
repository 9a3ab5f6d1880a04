"""Frontier: the best mixes of a universe within the analyst's limits, how sure they are, and what to buy."""

from dashapp.pages._page import Page
from dashapp.pages.frontier import chart  # noqa: F401  registers the callbacks
from dashapp.pages.frontier.layout import layout

PAGE = Page(
    key="frontier", path="/frontier", name="Frontier", order=40,
    description="The exact efficient frontier of a universe within your limits, what each limit costs, how sure it is, and what to buy",
    layout=layout,
)  # fmt: skip
