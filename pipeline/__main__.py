"""The command line: python -m pipeline update | backtest | check | backup | restore | vacuum | universe | schedule."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analytics.errors import InputError, PlumblineError
from config import load_settings, settings_help, start_logging
from pipeline import maintenance_commands
from pipeline.errors import LockedError
from pipeline.lock import exclusive
from pipeline.schedule import add_command as add_schedule
from pipeline.universe import add_command as add_universe

NICE = 10  # whoever looks at a page is served before an update
COMPLETE, FAILED, USAGE, PARTIAL, LOCKED = 0, 1, 2, 3, 75


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 complete, 3 partial, 1 failed, 2 usage, 75 locked."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(db=getattr(options, "db", None), workspace=getattr(options, "workspace", None))
        start_logging(settings)
    except ValueError as error:
        return _fail(error, USAGE)
    try:
        return int(options.command(options, settings))
    except LockedError as error:
        return _fail(error, LOCKED)
    except InputError as error:
        return _fail(error, USAGE)
    except PlumblineError as error:
        return _fail(error, FAILED)
    except KeyboardInterrupt:
        return _fail("Stopped; what was published before is still shown.", FAILED)


def _fail(error: object, code: int) -> int:
    print(f"Error: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline", formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=settings_help(),
    )  # fmt: skip
    commands = parser.add_subparsers(required=True)
    update = commands.add_parser("update", help="fetch, check, compute and publish")
    update.add_argument("--source", help="yahoo, csv, sample or simulated; default: the source of the store")
    update.add_argument("--path", type=Path, help="the folder of the csv source")
    update.add_argument("--tickers", type=_words, help="fetch only these, as A,B; deletes nothing")
    update.add_argument("--start", help="fetch from this date on (YYYY-MM-DD)")
    update.add_argument("--full", action="store_true", help="rebuild from empty")
    update.set_defaults(command=_update)
    backtest = commands.add_parser("backtest", help="run one backtest and store its result")
    backtest.add_argument("--strategy", default="technical_vote")
    backtest.add_argument("--tickers", type=_words, help="as A,B; default: all active stocks")
    backtest.add_argument("--start", help="YYYY-MM-DD; default: the first date of the data")
    backtest.add_argument("--end", help="YYYY-MM-DD; default: the last date of the data")
    backtest.add_argument("--capital", type=float, help="initial capital in USD")
    backtest.add_argument("--fees", type=float, help="fraction of the traded value, each way")
    backtest.add_argument("--slippage", type=float, help="fraction of the price, against the trader")
    backtest.add_argument(
        "--cost", action="append", default=[], metavar="NAME=VALUE", help="another cost, such as borrow_rate=0.02"
    )
    backtest.add_argument(
        "--rule", action="append", default=[], metavar="NAME=VALUE", help="a rule of risk, such as stop_loss=0.1"
    )
    backtest.add_argument("--engine", default="kernel", help="kernel or vectorbt")
    backtest.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="a strategy parameter")
    backtest.add_argument("--json", action="store_true", help="print the stored result as one JSON object")
    backtest.set_defaults(command=_backtest)
    maintenance_commands.add(commands)
    add_universe(commands)
    add_schedule(commands)
    for name in ("update", "backtest", "check", "backup", "restore", "vacuum"):
        commands.choices[name].add_argument("--db", type=Path, help="the market store")
    for name in ("update", "backtest", "backup", "restore", "vacuum"):
        commands.choices[name].add_argument("--workspace", type=Path, help="your own results")
    return parser


def _words(text: str) -> tuple[str, ...]:
    return tuple(sorted({word.strip().upper() for word in text.split(",") if word.strip()}))


def _update(options: argparse.Namespace, settings: Any) -> int:
    with exclusive(Path(settings.db)):  # before what takes a second to import
        pass
    os.nice(NICE)
    from pipeline.alerts import after_update
    from pipeline.runner import UpdateRequest, update

    request = UpdateRequest(options.source, options.path, options.tickers, options.start, options.full)
    line = _ProgressLine()
    begin = time.perf_counter()
    try:
        summary = update(request, settings=settings, progress=line.show)
    except BaseException as error:
        line.end()
        _tell(after_update(error, settings=settings))
        raise
    line.end()
    print(f"{'step':20} {'rows':>10} {'rejects':>8} {'seconds':>8}  what")
    for step in summary.steps:
        outcome = step.outcome
        print(f"{step.label:20} {outcome.rows:>10,} {outcome.rejected:>8,} {step.seconds:>8.1f}  {outcome.message}")
    state = "partly" if summary.partial else "completely"
    print(f"Published {state}: run {summary.run_id} of {summary.source} in {time.perf_counter() - begin:.1f} s.")
    _tell(after_update(summary, settings=settings))
    _standard(settings)
    return PARTIAL if summary.partial else COMPLETE


def _tell(sentences: Sequence[str]) -> None:
    """Print what did not succeed (an alert, a standard backtest) and changes nothing else."""
    for sentence in sentences:
        print(sentence, file=sys.stderr)


def _standard(settings: Any) -> None:
    """Run the standard backtests of what was published; whatever becomes of them, it is published."""
    if not settings.standard_seconds:
        return
    sys.stdout.flush()  # what was published is told before what follows, in a file too
    from pipeline.standard import run_standard

    line, begin = _ProgressLine(), time.perf_counter()
    try:
        failed = run_standard(settings, lambda role, fraction, what: line.show(f"Backtest {role}", fraction, what))
    except KeyboardInterrupt:
        failed = ["The standard backtests were stopped; what was published is shown."]
    line.end()
    _tell(failed)
    print(f"Standard backtests: {time.perf_counter() - begin:.1f} s.")


def _backtest(options: argparse.Namespace, settings: Any) -> int:
    from pipeline import backtests

    line = _ProgressLine()
    request = backtests.BacktestRequest.of(
        strategy=options.strategy, tickers=options.tickers, start=options.start, end=options.end,
        initial_capital=options.capital, engine=options.engine, parameters=_pairs("--param", options.param),
        costs={"fee_rate": options.fees, "slippage_rate": options.slippage} | _pairs("--cost", options.cost),
        rules=_pairs("--rule", options.rule),
    )  # fmt: skip
    try:
        result_id = backtests.run(
            request, report=lambda fraction, message: line.show("Backtest", fraction, message),
            db=settings.db, workspace=settings.workspace,
        )  # fmt: skip
    finally:
        line.end()
    result = backtests.load(result_id, workspace=settings.workspace)
    print(json.dumps(result, allow_nan=False) if options.json else backtests.describe(result))
    return COMPLETE


def _pairs(option: str, pairs: Sequence[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            examples = {"--cost": "borrow_rate=0.02", "--rule": "stop_loss=0.1"}
            raise InputError(option, got=pair, allowed=f"NAME=VALUE, such as {examples.get(option, 'threshold=3')}")
    return dict(pair.split("=", 1) for pair in pairs)


class _ProgressLine:
    """Progress with time left: one line rewritten on a terminal, a line per step elsewhere."""

    def __init__(self) -> None:
        self.begin, self.label, self.terminal = time.perf_counter(), "", sys.stderr.isatty()

    def show(self, label: str, fraction: float, message: str) -> None:
        elapsed = time.perf_counter() - self.begin
        left = f", {elapsed * (1 - fraction) / fraction:.0f} s left" if fraction > 0.05 else ""
        if self.terminal:
            print(f"\r\033[K{fraction:4.0%} {label}: {message}{left}", end="", file=sys.stderr, flush=True)
        elif label != self.label:
            print(f"{fraction:4.0%} {label}{left}", file=sys.stderr, flush=True)
        self.label = label

    def end(self) -> None:
        if self.terminal:
            print("\r\033[K", end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
