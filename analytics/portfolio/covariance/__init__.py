"""Covariances, one file each: a module exports COVARIANCE and needs no edit elsewhere."""

import sys

from analytics.portfolio.covariance._covariance import Covariance
from analytics.portfolio.covariance.ledoit_wolf import ledoit_wolf
from analytics.portfolio.covariance.sample import sample_covariance
from analytics.registry import collect

__all__ = ["COVARIANCES", "Covariance", "ledoit_wolf", "sample_covariance"]

COVARIANCES = collect(sys.modules[__name__], "COVARIANCE", Covariance)
