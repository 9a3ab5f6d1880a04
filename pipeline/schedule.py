"""The nightly schedule, printed for cron and for systemd with the paths of this installation filled in."""

import argparse
import getpass
import shlex
import sys
from pathlib import Path
from typing import Any

from analytics.errors import InputError
from config import CONTROL, ROOT

NIGHTLY = "Mon..Fri 22:30 America/New_York"  # after the close, its corrections, and the vendors' own nightly work
MORNING = "Tue..Sat 06:00 America/New_York"  # finds a night that never ended while there is time to mend it
ENVIRONMENT, LOG = "plumbline.env", "pipeline.log"  # beside the project's other files
TEXT = """\
# As `make update` and `make backup`, then `make check-data` in the morning; called without make, which answers 2 to
# every failure, so that the exit codes stay (0 complete, 3 partial, 1 failed, 2 usage, 75 another update runs).
# PLUMBLINE_* settings belong into {environment} (NAME=value lines; chmod 600).

# ---- cron: add these lines by `crontab -e`; what they say goes to {log}
# CRON_TZ is known to cronie (Fedora, RHEL, Arch). Debian's and Ubuntu's cron ignores it: there, write the hours in the
# machine's own time zone, or use systemd. It holds for the lines below it, so put other jobs above.
{cron}

# ---- systemd: save each part under the name in its first line; what they say is shown by
#      journalctl -u plumbline-update. Then:
#      systemctl daemon-reload && systemctl enable --now plumbline-update.timer plumbline-check.timer
{units}"""


def add_command(commands: Any) -> None:
    """Add `schedule` to the command line."""
    command = commands.add_parser("schedule", help="print the nightly schedule for cron and for systemd")
    command.set_defaults(command=_run)


def _run(_options: argparse.Namespace, _settings: Any) -> int:
    sys.stdout.write(schedule(ROOT, Path(sys.executable), getpass.getuser()))
    return 0


def schedule(root: Path, python: Path, user: str) -> str:
    """Return the text of `make schedule`; raises InputError where a path holds a control character."""
    parts = [f"# /etc/systemd/system/{name}\n{text}" for name, text in units(root, python, user).items()]
    return TEXT.format(
        environment=root / ENVIRONMENT, log=root / LOG, cron=crontab(root, python), units="\n".join(parts)
    )


def crontab(root: Path, python: Path) -> str:
    """Return the lines of a crontab: the nightly update with its backup, and the check of the morning after."""
    program = _cron(python)
    start = f"cd {_cron(root)} && {{ set -a; [ ! -f {ENVIRONMENT} ] || . ./{ENVIRONMENT};"
    update = f"{start} {program} -m pipeline update; {program} -m pipeline backup; }} >> {LOG} 2>&1"
    check = f"{start} {program} -m pipeline check; }} >> {LOG} 2>&1"
    return f"CRON_TZ=America/New_York\n30 22 * * 1-5  {update}\n0 6 * * 2-6  {check}"


def units(root: Path, python: Path, user: str) -> dict[str, str]:
    """Return the systemd units, text by file name."""
    update = _service("nightly update", root, python, user, "update", (
        f"ExecStopPost={_program(python)} -m pipeline backup",  # also after an update that failed
        "SuccessExitStatus=3 75",
        "TimeoutStopSec=1h",
    ))  # fmt: skip
    return {
        "plumbline-update.service": update,
        "plumbline-update.timer": _timer("nightly update", NIGHTLY),
        "plumbline-check.service": _service("check of the store", root, python, user, "check", ()),
        "plumbline-check.timer": _timer("check of the store", MORNING),
    }


def _service(what: str, root: Path, python: Path, user: str, command: str, more: tuple[str, ...]) -> str:
    lines = (
        "[Unit]", f"Description=Plumbline: {what}", "Wants=network-online.target", "After=network-online.target", "",
        "[Service]", "Type=oneshot", f"User={user}", f"WorkingDirectory={_plain(root)}",
        f"EnvironmentFile=-{_plain(root / ENVIRONMENT)}", f"ExecStart={_program(python)} -m pipeline {command}", *more,
        "TimeoutStartSec=6h", "Nice=10",
    )  # fmt: skip
    return "\n".join(lines) + "\n"


def _timer(what: str, calendar: str) -> str:
    return (
        f"[Unit]\nDescription=Plumbline: {what}\n\n"
        f"[Timer]\nOnCalendar={calendar}\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )


def _checked(path: Path) -> str:
    if CONTROL.search(str(path)):
        raise InputError("path", got=str(path), allowed="a path without control characters", fix="Move the project.")
    return str(path)


def _cron(path: Path) -> str:
    """A path as a word of the shell in a crontab, where a bare % ends the command."""
    return shlex.quote(_checked(path)).replace("%", r"\%")


def _plain(path: Path) -> str:
    """A path as the whole value of a unit's key, where % begins a specifier and quotes are letters."""
    return _checked(path).replace("%", "%%")


def _program(path: Path) -> str:
    """A program in a unit's command line; through env, because systemd takes no program with a quote in its path."""
    return '/usr/bin/env "' + _plain(path).replace("\\", r"\\").replace('"', r"\"").replace("$", "$$") + '"'
