"""What each signal was worth: the returns that followed it, against those of any day, with their uncertainty.

As of today: every number uses the whole history, so no strategy may read it.
"""

from analytics.scorecard._buckets import BUCKETS, Bucket, bucket_codes
from analytics.scorecard._estimates import MIN_BLOCKS, scorecard
from analytics.scorecard._forward_returns import HORIZONS, forward_returns
from analytics.scorecard._quarterly import QuarterlySums, pooled, quarterly_sums

__all__ = [
    "BUCKETS",
    "HORIZONS",
    "MIN_BLOCKS",
    "Bucket",
    "QuarterlySums",
    "bucket_codes",
    "forward_returns",
    "pooled",
    "quarterly_sums",
    "scorecard",
]
