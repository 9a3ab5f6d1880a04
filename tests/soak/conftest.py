"""The long runs of `make soak`: not part of `make test`. Each prints its figures; docs/OPERATIONS.md holds the last."""

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parents[1] / name) for name in ("pipeline", "dashapp")]  # what those tests share


def figures(name: str, seconds: Sequence[float], **more: object) -> dict[str, float]:
    """Print and return median, p95, p99 and maximum of response times."""
    cuts = statistics.quantiles(seconds, n=100)
    found = {"median": statistics.median(seconds), "p95": cuts[94], "p99": cuts[98], "max": max(seconds)}
    times = ", ".join(f"{key} {value * 1e3:.0f} ms" for key, value in found.items())
    print(f"\n{name}: {len(seconds):,} answers, {times}" + "".join(f", {key} {value}" for key, value in more.items()))
    return found


@pytest.fixture(autouse=True)
def _long(request: pytest.FixtureRequest) -> None:
    print(f"\n{request.node.name} …", flush=True)
