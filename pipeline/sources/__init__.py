"""Where prices come from, one file each: a module exports SOURCE and needs no edit elsewhere."""

import sys

from analytics.registry import collect
from pipeline.sources._source import FetchRequest, Report, Source, SourceData, no_report

__all__ = ["SOURCES", "FetchRequest", "Report", "Source", "SourceData", "no_report"]

SOURCES = collect(sys.modules[__name__], "SOURCE", Source)
