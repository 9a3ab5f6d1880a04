"""The tabs, one module or package each: it exports PAGE and needs no edit elsewhere."""

import sys

from analytics.registry import collect
from dashapp.pages._page import Page

__all__ = ["PAGES", "Page"]

PAGES = dict(sorted(collect(sys.modules[__name__], "PAGE", Page).items(), key=lambda item: item[1].order))
