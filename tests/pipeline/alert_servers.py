"""A webhook and a mail server on 127.0.0.1 that note what they were sent."""

import base64
import contextlib
import json
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hook(ThreadingHTTPServer):
    """Answers `status` with `headers`, each byte after `pause` seconds; `received` holds (path, content type, payload)."""

    daemon_threads = True

    def __init__(self, status: int, headers: dict[str, str], pause: float) -> None:
        self.status, self.headers, self.pause = status, headers, pause
        self.received: list[tuple[str, str, Any]] = []
        self.got: list[str] = []
        super().__init__(("127.0.0.1", 0), _HookHandler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook/s3cr3t?key=s3cr3t"


class _HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, self.headers["Content-Type"], json.loads(body)))
        lines = [
            f"HTTP/1.0 {self.server.status} s3cr3t",
            *(f"{k}: {v}" for k, v in self.server.headers.items()),
            "",
            "",
        ]
        for byte in "\r\n".join(lines).encode():
            self.wfile.write(bytes([byte]))
            time.sleep(self.server.pause)

    def do_GET(self) -> None:
        self.server.got.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def hook(status: int = 200, headers: dict[str, str] | None = None, pause: float = 0.0) -> Iterator[Hook]:
    with _serving(Hook(status, headers or {}, pause)) as server:
        yield server


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every mail, over TLS where it has a context; `refuse` is its answer to every AUTH."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None, refuse: str) -> None:
        self.context, self.refuse = context, refuse
        self.commands: list[str] = []
        self.mails: list[str] = []
        self.logins: list[str] = []
        super().__init__(("127.0.0.1", 0), _MailHandler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _MailHandler(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            self.server.commands.append(line)
            word, _, rest = line.partition(" ")
            answer = getattr(self, f"_{word.lower()}", lambda _rest: "250 fine")(rest)
            self._say(answer)
            if word == "STARTTLS" and not self._encrypt():
                return
            if word.lower() == "quit":
                return

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def _ehlo(self, _rest: str) -> str:
        return "250-here\r\n250-AUTH PLAIN" + ("\r\n250 STARTTLS" if self.server.context else "\r\n250 HELP")

    def _auth(self, rest: str) -> str:
        self.server.logins.append(base64.b64decode(rest.split()[1]).decode())
        return self.server.refuse or "235 welcome"

    def _data(self, _rest: str) -> str:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
            lines.append(line)
        self.server.mails.append("".join(lines))
        return "250 taken"

    def _quit(self, _rest: str) -> str:
        return "221 bye"

    def _starttls(self, _rest: str) -> str:
        return "220 go on" if self.server.context else "502 no"

    def _encrypt(self) -> bool:
        if self.server.context is None:
            return True
        try:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        except ssl.SSLError:  # the client does not trust the certificate
            return False
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        return True

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.request.close()


@contextlib.contextmanager
def mail_server(context: ssl.SSLContext | None = None, refuse: str = "") -> Iterator[MailServer]:
    with _serving(MailServer(context, refuse)) as server:
        yield server


@contextlib.contextmanager
def _serving(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
