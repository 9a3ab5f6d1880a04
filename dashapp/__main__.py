"""Serve the app: python -m dashapp [--db FILE] [--workspace FILE] [--host H] [--port N].

Kept tiny, because every worker process imports it again.
"""

if __name__ == "__main__":
    import sys

    from dashapp.serve import main

    sys.exit(main())
