"""What was known on a day, and whether it points the way of the signal."""

import numpy as np

from analytics.signals import agreement, known_on

DATES = np.arange("2024-01-01", "2024-01-11", dtype="datetime64[D]")


def test_a_value_is_known_from_its_own_day_on_and_not_before() -> None:
    as_of = np.array(["2024-01-03", "2024-01-07"], dtype="datetime64[D]")
    known = known_on(DATES, as_of, np.array([0.1, -0.2]))
    np.testing.assert_array_equal(known, [np.nan] * 2 + [0.1] * 4 + [-0.2] * 4)


def test_nothing_known_is_unknown() -> None:
    empty = np.array([], dtype="datetime64[D]")
    assert np.isnan(known_on(DATES, empty, np.array([]))).all()
    assert len(known_on(empty, empty, np.array([]))) == 0


def test_a_later_value_changes_no_earlier_day() -> None:
    as_of = np.arange("2023-12-01", "2024-01-11", 5, dtype="datetime64[D]")
    values = np.linspace(-1, 1, len(as_of))
    before = known_on(DATES, as_of, values)
    for cut in range(len(DATES)):
        poisoned = np.where(as_of > DATES[cut], -10 * values, values)
        np.testing.assert_array_equal(known_on(DATES, as_of, poisoned)[: cut + 1], before[: cut + 1])


def test_agreement_by_hand() -> None:
    signal = np.array([1, 1, -1, -1, 0, 1, np.nan])
    known = np.array([0.2, -0.2, 0.2, -0.2, 0.2, np.nan, 0.2])
    np.testing.assert_array_equal(agreement(signal, known), [1, -1, -1, 1, 0, np.nan, np.nan])
