"""The pipeline's benchmark on its own: python -m bench.pipeline, the same as python -m bench pipeline."""

if __name__ == "__main__":
    import os
    import sys

    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from bench.report import main

    sys.exit(main(["pipeline"]))
