"""What `make schedule` prints can be used as it stands, wherever the project lies."""

import configparser
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from analytics.errors import InputError
from config import ROOT
from pipeline.__main__ import main
from pipeline.schedule import crontab, schedule, units

AWKWARD = ["plain", "with space", "50%n off", "it's", 'quo"te', "back\\slash", "dollar $HOME", "ünïcode"]


def project(folder: Path) -> Path:
    """A project folder whose python notes how it was called."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s|%s|%s\\n" "$PWD" "$*" "$PLUMBLINE_ALERT_TO" >> calls\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return python


def as_cron_runs_it(line: str) -> str:
    """The command that cron hands to the shell: a bare % ends it, an escaped one loses its backslash."""
    command = line.split(maxsplit=5)[5]
    return command.replace(r"\%", "\0").split("%")[0].replace("\0", "%")


@pytest.mark.parametrize("name", AWKWARD)
def test_the_lines_of_cron_run_in_any_folder(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    python = project(root)
    (root / "plumbline.env").write_text("PLUMBLINE_ALERT_TO=ann@example.org\n")
    zone, update, check = crontab(root, python).splitlines()
    assert zone == "CRON_TZ=America/New_York"
    assert update.startswith("30 22 * * 1-5 ")
    assert check.startswith("0 6 * * 2-6 ")
    for line in (update, check):
        subprocess.run(["sh", "-c", as_cron_runs_it(line)], cwd="/", check=True)
    assert (root / "calls").read_text().splitlines() == [
        f"{root}|-m pipeline {command}|ann@example.org" for command in ("update", "backup", "check")
    ]
    assert (root / "pipeline.log").is_file()


def test_the_settings_file_is_optional_and_a_failed_update_is_backed_up_too(tmp_path: Path) -> None:
    python = project(tmp_path)
    python.write_text('#!/bin/sh\necho "$3" >> calls\n[ "$3" != update ]\n')
    subprocess.run(["sh", "-c", as_cron_runs_it(crontab(tmp_path, python).splitlines()[1])], cwd="/", check=True)
    assert (tmp_path / "calls").read_text().split() == ["update", "backup"]


def read(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign, assignment]
    parser.read_string(text)
    return parser


def test_the_units_say_when_and_what(tmp_path: Path) -> None:
    made = {name: read(text) for name, text in units(tmp_path, tmp_path / "python", "ann").items()}
    timer = made["plumbline-update.timer"]["Timer"]
    assert (timer["OnCalendar"], timer["Persistent"]) == ("Mon..Fri 22:30 America/New_York", "true")
    service = made["plumbline-update.service"]["Service"]
    assert (service["Type"], service["User"], service["WorkingDirectory"]) == ("oneshot", "ann", str(tmp_path))
    assert service["ExecStart"] == f'/usr/bin/env "{tmp_path}/python" -m pipeline update'
    assert service["ExecStopPost"] == f'/usr/bin/env "{tmp_path}/python" -m pipeline backup'
    assert service["SuccessExitStatus"] == "3 75"
    assert made["plumbline-check.service"]["Service"]["ExecStart"].endswith("-m pipeline check")
    assert made["plumbline-check.timer"]["Timer"]["OnCalendar"].startswith("Tue..Sat 06:00 ")
    assert all("WantedBy" in unit["Install"] for name, unit in made.items() if name.endswith(".timer"))


@pytest.mark.parametrize("name", AWKWARD)
def test_the_units_hold_the_path_as_systemd_reads_it(tmp_path: Path, name: str) -> None:
    service = read(units(tmp_path / name, tmp_path / name / "python", "ann")["plumbline-update.service"])["Service"]
    assert service["WorkingDirectory"].replace("%%", "%") == str(tmp_path / name)
    assert service["EnvironmentFile"].replace("%%", "%") == f"-{tmp_path / name}/plumbline.env"
    command = shlex.split(service["ExecStart"].replace("%%", "%").replace("$$", "$"))
    assert command == ["/usr/bin/env", str(tmp_path / name / "python"), "-m", "pipeline", "update"]
    for letter in "%$":  # single, systemd would put something in its place
        assert letter not in service["ExecStart"].replace(letter * 2, "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze verifies units")
@pytest.mark.parametrize("name", AWKWARD)
def test_systemd_accepts_the_units(tmp_path: Path, name: str) -> None:
    root, folder = tmp_path / name, tmp_path / "units"
    python = project(root)
    folder.mkdir()
    for unit, text in units(root, python, "root").items():
        (folder / unit).write_text(text)
    ran = subprocess.run(
        ["systemd-analyze", "verify", *sorted(folder.iterdir())], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, [line for line in ran.stderr.splitlines() if "plumbline" in line]) == (0, [])


def test_a_path_that_would_break_the_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="control character"):
        schedule(tmp_path / "a\nb", tmp_path / "python", "ann")
    with pytest.raises(InputError, match="control character"):
        schedule(tmp_path, tmp_path / "a\nExecStartPre=evil", "ann")


def test_the_command_prints_the_paths_of_this_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schedule"]) == 0
    printed = capsys.readouterr().out
    for wanted in (
        "CRON_TZ=America/New_York", str(ROOT), "# /etc/systemd/system/plumbline-update.timer", "systemctl enable --now",
        "ignores it", str(ROOT / "pipeline.log"),
    ):  # fmt: skip
        assert wanted in printed, wanted
