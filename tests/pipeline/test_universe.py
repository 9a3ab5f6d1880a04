"""The list of members, refreshed: who joins, who goes, what is refused, and that history stays."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from analytics.errors import InputError
from pipeline import universe
from pipeline.__main__ import main
from pipeline.errors import SourceError

NAMES = [f"T{number}" for number in range(100)]
HISTORY = "ticker,start_date,end_date\n" + "".join(f"{name},2015-01-01,\n" for name in sorted(NAMES))
OLD = "ticker,start_date,end_date\nT0,2010-01-01,2012-01-01\n" + HISTORY.split("\n", 1)[1]


@pytest.fixture
def members(tmp_path: Path) -> Path:
    path = tmp_path / "members.csv"
    path.write_text(OLD)
    return path


def listed(*names: str) -> bytes:
    return "\n".join(["Symbol,Company", *(f"{name},Some Inc." for name in names)]).encode()


def test_newcomers_begin_and_those_gone_end_today(members: Path) -> None:
    change = universe.refresh(listed(*NAMES[:-1], "NEW"), members, today="2026-02-03")
    assert (change.joined, change.gone) == (("NEW",), ("T99",))
    assert str(change) == "joined: NEW\ngone: T99"
    expected = OLD.replace("T99,2015-01-01,", "T99,2015-01-01,2026-02-03")
    rows = [*expected.splitlines(), "NEW,2026-02-03,"]
    assert members.read_text().splitlines() == [rows[0], *sorted(rows[1:], key=lambda row: row.split(",")[:2])]
    assert not list(members.parent.glob("*.unfinished"))


def test_a_write_that_fails_leaves_the_file_whole(members: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(universe.csv.DictWriter, "writerows", full)
    with pytest.raises(OSError, match="No space"):
        universe.refresh(listed(*NAMES[1:]), members, today="2026-02-03")
    assert members.read_text() == OLD


def test_who_comes_back_has_a_second_term(members: Path) -> None:
    universe.refresh(listed(*NAMES[1:]), members, today="2026-02-03")
    universe.refresh(listed(*NAMES), members, today="2026-05-04")
    rows = [row for row in members.read_text().splitlines() if row.startswith("T0,")]
    assert rows == ["T0,2010-01-01,2012-01-01", "T0,2015-01-01,2026-02-03", "T0,2026-05-04,"]


def test_the_same_list_changes_nothing(members: Path) -> None:
    assert str(universe.refresh(listed(*NAMES), members, today="2026-02-03")) == "The list of members is as it was."
    assert members.read_text() == OLD


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (NAMES[:79], "got '79 names'; allowed: 80 to 130"),
        ([*NAMES, *(f"N{number}" for number in range(31))], "got '131 names'"),
        ([*NAMES[6:], *(f"N{number}" for number in range(5))], "got '11 changes at once'; allowed: 10"),
        ([], "got '0 names'"),
    ],
)
def test_an_implausible_list_is_refused_unless_forced(names: list[str], message: str, members: Path) -> None:
    with pytest.raises(InputError, match=message):
        universe.refresh(listed(*names), members, today="2026-02-03")
    assert members.read_text() == OLD
    universe.refresh(listed(*names), members, today="2026-02-03", force=True)
    assert members.read_text() != OLD


def test_ten_changes_are_believed(members: Path) -> None:
    change = universe.refresh(listed(*NAMES[5:], *(f"N{number}" for number in range(5))), members, today="2026-02-03")
    assert len(change.joined) + len(change.gone) == 10


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(
            {"data": {"data": {"rows": [{"symbol": "AAPL", "companyName": "x"}, {"symbol": "BRK/B"}]}}}
        ).encode(),
        json.dumps(["AAPL", "brk.b"]).encode(),
        b"\xef\xbb\xbfTicker\r\nAAPL\r\nBRK-B\r\n",
        b"name,SYMBOL\nx, aapl \ny,BRK.B\n",
    ],
)
def test_lists_of_several_forms(content: bytes) -> None:
    assert universe.present_members(content) == ("AAPL", "BRK-B")


@pytest.mark.parametrize(
    "content",
    [b"<html>no</html>", b"a,b\n1,2\n", b"{}", b'{"data": null}', b"[1, 2]", b"\xff\xfe", b'["AAPL"', b'[{"x": 1}]'],
)
def test_what_is_no_list_is_refused(content: bytes, members: Path) -> None:
    with pytest.raises(InputError, match=r"universe|ticker"):
        universe.refresh(content, members, today="2026-02-03")
    assert members.read_text() == OLD


def test_t37_a_member_that_cannot_be_a_ticker_is_refused() -> None:
    with pytest.raises(InputError, match="ticker: got"):
        universe.present_members(b'["../../X"]')


@pytest.fixture
def nasdaq() -> Iterator[tuple[str, list[str | None]]]:
    """An address that answers as Nasdaq does, and the user agents it saw."""
    agents: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            agents.append(self.headers["User-Agent"])
            body = json.dumps({"data": {"data": {"rows": [{"symbol": name} for name in [*NAMES[1:], "NEW"]]}}}).encode()
            self.send_response(200 if self.path == "/list" else 503)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", agents
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_command_asks_the_address_of_the_setting(
    nasdaq: tuple[str, list[str | None]],
    members: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PLUMBLINE_UNIVERSE_URL", f"{nasdaq[0]}/list")
    monkeypatch.setattr(universe, "MEMBERS", members)
    assert main(["universe"]) == 0
    assert capsys.readouterr().out == "joined: NEW\ngone: T0\n"
    assert "Mozilla" in str(nasdaq[1][0])
    assert main(["universe"]) == 0
    assert capsys.readouterr().out == "The list of members is as it was.\n"


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize(("path", "error"), [("/down", SourceError), (None, InputError)])
def test_an_address_that_does_not_answer(
    path: str | None, error: type[Exception], nasdaq: tuple[str, list[str | None]]
) -> None:
    with pytest.raises(error):
        universe._get(nasdaq[0] + path if path else "file:///etc/passwd")


def test_the_command_reads_a_file(members: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(universe, "MEMBERS", members)
    (tmp_path / "list.csv").write_bytes(listed(*NAMES[:50]))
    assert main(["universe", "--file", str(tmp_path / "list.csv")]) == 2
    assert members.read_text() == OLD
    assert main(["universe", "--file", str(tmp_path / "list.csv"), "--force"]) == 0
    assert main(["universe", "--file", str(tmp_path / "missing.csv")]) == 2
