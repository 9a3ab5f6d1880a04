"""The tabs below the frontier, one file each; a new one is a new file."""

import sys

from analytics.registry import collect
from dashapp.pages.frontier.panels._panel import Chosen, Panel, asked_id, body_id, control_id

_FOUND = collect(sys.modules[__name__], "PANEL", Panel)
PANELS = dict(sorted(_FOUND.items(), key=lambda item: item[1].order))

__all__ = ["PANELS", "Chosen", "Panel", "asked_id", "body_id", "control_id"]
