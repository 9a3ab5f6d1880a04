"""What the factor fits say of a stock in one word, and that word beside the technical rating."""

import math
from typing import Final

OUTLOOK_LABELS: Final = {1: "positive", 0: "neutral", -1: "negative"}


def fundamental_outlook(alpha: float, expected_return: float, universe_median: float) -> int | None:
    """Return +1 where alpha > 0 and the expected return is above the universe's median, −1 for the mirror, else 0.

    All annual fractions known on the same date. None when: one of them is NaN.
    """
    if any(math.isnan(value) for value in (alpha, expected_return, universe_median)):
        return None
    if alpha > 0 and expected_return > universe_median:
        return 1
    return -1 if alpha < 0 and expected_return < universe_median else 0


def composite_score(technical_rating: float | None, outlook: int | None) -> float | None:
    """Return the technical rating × |outlook| where both point the same way, 0 where they do not: from −1 to 1.

    technical_rating: −1…1; outlook: −1, 0 or 1. The sign is the direction that both share: a plain product
    would call two negatives good. None when: one of them is unknown.
    """
    if technical_rating is None or outlook is None or math.isnan(technical_rating):
        return None
    return float(technical_rating) if technical_rating * outlook > 0 else 0.0
