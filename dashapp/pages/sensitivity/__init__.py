"""Sensitivity: how a strategy's answer depends on its parameters, and how much of the best of many is luck."""

from dashapp.pages._page import Page
from dashapp.pages.sensitivity import callbacks  # noqa: F401  registers the callbacks
from dashapp.pages.sensitivity.layout import layout

PAGE = Page(
    key="sensitivity", path="/sensitivity", name="Sensitivity", order=58,
    description="Sweep a strategy's parameters: what choosing the best on the past earned afterwards, plateaus, and luck", layout=layout,
)  # fmt: skip
