"""The compiled walk from fills to round trips: from flat to flat, or through zero, ticker by ticker."""

import numpy as np

from analytics.compiled import compiled

FLAT = 1e-9  # a position smaller than this share of the largest one of its trip is what rounding left of zero
# columns of the fills, which come by ticker, then in the order of execution
FILL_COLUMNS = ("row", "column", "quantity", "price", "fee", "spread", "slippage", "impact", "borrow", "reason")
ROW, COLUMN, QUANTITY, PRICE, FEE, SPREAD, SLIPPAGE, IMPACT, BORROW, REASON = range(len(FILL_COLUMNS))
# columns of the trips; entry_value and exit_value are sums of shares × price
TRIP_COLUMNS = (
    "column", "direction", "entry_row", "exit_row", "quantity", "entry_value", "exit_value", "fees", "spread", "slippage",
    "impact", "borrow", "reason", "left",
)  # fmt: skip
(
    T_COLUMN,
    T_DIRECTION,
    T_ENTRY,
    T_EXIT,
    T_QUANTITY,
    T_IN,
    T_OUT,
    T_FEES,
    T_SPREAD,
    T_SLIPPAGE,
    T_IMPACT,
    T_BORROW,
    T_REASON,
    T_LEFT,
) = range(14)


@compiled
def walk(fills, trips):  # type: ignore[no-untyped-def]
    """Fill `trips`, of room for two per fill, and return how many there are; `left`: shares still held, signed."""
    count, held, column = 0, 0.0, -1.0
    for k in range(len(fills)):
        fill = fills[k]
        if fill[COLUMN] != column:
            count, held, column = count + (held != 0.0), 0.0, fill[COLUMN]
        size = fill[QUANTITY]
        if held != 0.0 and held * size < 0.0:
            closing = min(abs(size), abs(held))
            share = closing / abs(size)
            add(trips[count], fill, -np.sign(held) * closing, share, fill[BORROW])
            held += -np.sign(held) * closing
            trips[count, T_LEFT] = held
            if abs(held) <= FLAT * trips[count, T_QUANTITY]:
                trips[count, T_LEFT], held = 0.0, 0.0
                count += 1
            if share > 1.0 - FLAT:
                continue
            size *= 1.0 - share
            begin(trips[count], fill, size)
            add(trips[count], fill, size, 1.0 - share, 0.0)
        else:
            if held == 0.0:
                begin(trips[count], fill, size)
            add(trips[count], fill, size, 1.0, fill[BORROW])
        held += size
        trips[count, T_LEFT] = held
    return count + (held != 0.0)


@compiled
def begin(trip, fill, size):  # type: ignore[no-untyped-def]
    """Start a trip with a fill."""
    trip[:] = 0.0
    trip[T_COLUMN], trip[T_ENTRY], trip[T_DIRECTION] = fill[COLUMN], fill[ROW], np.sign(size)


@compiled
def add(trip, fill, size, share, borrow):  # type: ignore[no-untyped-def]
    """Count `share` of a fill, `size` shares of it, into a trip; borrow fees belong to what was held before."""
    if size * trip[T_DIRECTION] > 0.0:
        trip[T_QUANTITY] += abs(size)
        trip[T_IN] += abs(size) * fill[PRICE]
    else:
        trip[T_OUT] += abs(size) * fill[PRICE]
    trip[T_EXIT], trip[T_REASON] = fill[ROW], fill[REASON]
    trip[T_FEES] += share * fill[FEE]
    trip[T_SPREAD] += share * fill[SPREAD]
    trip[T_SLIPPAGE] += share * fill[SLIPPAGE]
    trip[T_IMPACT] += share * fill[IMPACT]
    trip[T_BORROW] += borrow
