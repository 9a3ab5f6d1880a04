"""The benchmarks of the factor models on their own: python -m bench.factor_models."""

if __name__ == "__main__":
    import os
    import sys

    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from bench.report import main

    sys.exit(main(["factor_models", "rolling_betas"]))
