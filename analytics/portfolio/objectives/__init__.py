"""What a portfolio may be chosen for, one file each: a module exports OBJECTIVE and needs no edit elsewhere."""

import sys

from analytics.portfolio.objectives._objective import Choice, Objective, Task, choose
from analytics.registry import collect

__all__ = ["OBJECTIVES", "Choice", "Objective", "Task", "choose"]

OBJECTIVES = collect(sys.modules[__name__], "OBJECTIVE", Objective)
