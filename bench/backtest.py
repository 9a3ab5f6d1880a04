"""The benchmarks of the backtest on their own: python -m bench.backtest; its subjects also run by python -m bench."""

if __name__ == "__main__":
    import os
    import sys

    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from bench.report import main

    sys.exit(main(["backtest", "engine"]))
