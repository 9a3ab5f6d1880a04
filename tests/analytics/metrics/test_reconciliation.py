"""The reconciliation is what is computed, and every difference in it has a reason."""

from functools import cache

import pytest

from analytics.metrics import METRICS
from bench import reconciliation
from bench.library_defaults import LIBRARIES


@cache
def rows():
    return tuple(reconciliation.rows())


PAIRS = [(library, metric) for library, answers in LIBRARIES.items() for metric in answers]


@pytest.mark.parametrize(("library", "metric"), PAIRS)
def test_what_differs_has_a_reason_and_what_has_a_reason_differs(library, metric):
    (row,) = [row for row in rows() if row.metric == metric]
    reason = row.reasons.get(library, "")
    assert row.differs(library) == bool(reason), (row.ours, row.theirs[library], reason)


def test_the_page_and_the_table_are_up_to_date():
    assert reconciliation.DOCUMENT.read_text(encoding="utf-8") == reconciliation.document(rows())
    assert reconciliation.TABLE.read_text(encoding="utf-8") == reconciliation.table(rows())


def test_every_library_takes_part_with_metrics_of_the_registry():
    assert {metric for _, metric in PAIRS} <= set(METRICS)
    assert all(len(answers) >= 15 for answers in LIBRARIES.values())
