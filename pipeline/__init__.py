"""From sources to a published store: fetch → check → store → precompute → publish."""

import os

# Before anything imports numpy: the matrices are small, so that threads only wait for each other, and with their number
# the last bits of a product would change.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
