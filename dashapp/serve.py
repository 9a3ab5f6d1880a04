"""Start the web server: settings, safety checks, one process with threads."""

import argparse
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from config import load_settings, settings_help, start_logging
from dashapp.security import UnsafeSettingsError, check_settings

THREADS = 8
LARGEST_BODY = 16 * 1024 * 1024  # bytes; the app refuses far less in its own words, this keeps a flood off the disk


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped. Returns 2 where the settings are wrong or unsafe, 1 where the port is taken."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(**vars(options))
        check_settings(settings)
    except (UnsafeSettingsError, ValueError) as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201  the command line talks to its user
        return 2
    start_logging(settings)
    return _serve(settings)


def _serve(settings: Any) -> int:
    from waitress.server import create_server

    from dashapp.app import create_app

    app = create_app(settings)
    try:
        server = create_server(
            app.server, host=settings.host, port=settings.port, threads=THREADS, ident=None,
            max_request_body_size=LARGEST_BODY,
        )  # fmt: skip
    except OSError as error:
        print(f"Error: cannot listen on {settings.host}:{settings.port}: {error}. "  # noqa: T201
              "Choose another port: make run PORT=8051", file=sys.stderr)  # fmt: skip
        return 1
    threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
    print(f"Plumbline is ready: http://{settings.host}:{settings.port}  (Ctrl-C stops it)", flush=True)  # noqa: T201
    try:
        server.run()
    finally:
        server.close()
    return 0


def _warm_up() -> None:
    """Load, once the server listens, what a first visitor would wait for: the frontier's code, and the tests of difference.

    The code is compiled where it is not on disk yet, which takes ten seconds, once in the life of an installation.
    """
    from dashapp.pages.frontier.live import warm_up

    warm_up()
    import_module("arch.bootstrap")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dashapp", formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=settings_help(),
    )  # fmt: skip
    parser.add_argument("--db", type=Path, help="the market store")
    parser.add_argument("--workspace", type=Path, help="your own results")
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", type=int, help="port to listen on")
    return parser
