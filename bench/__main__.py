"""Measure: python -m bench [NAME ...], everything where no name is given.

Kept tiny, because every process that the benchmarks start imports it again.
"""

if __name__ == "__main__":
    import os
    import sys

    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy: small matrices only wait for each other's threads
    from bench.report import main

    sys.exit(main(sys.argv[1:]))
