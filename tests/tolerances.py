"""Named tolerances, each with its reason. Comparisons are relative to max(1, |x|)."""

EXACT = 1e-12  # the same formula in the same order of operations: only the last bits may differ
PARITY = 1e-9  # the same definition computed by another library in another order
SOLVER = 1e-6  # relative; an interior-point solver stops at about 1e-8 of the objective
ROUNDED_SOURCE = 5e-4  # the source prints four or fewer digits
