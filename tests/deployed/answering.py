"""What both servers of the deployed test answer by."""

from http.server import BaseHTTPRequestHandler
from typing import Any

# Headers that belong to a connection, which is another one here.
_OF_CONNECTION = ("content-length", "transfer-encoding", "connection")


class Answering(BaseHTTPRequestHandler):
    """A request that is answered as somebody else answered it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def log_message(self, *_: Any) -> None:
        """Says nothing: what matters is taken down elsewhere."""

    def body(self) -> bytes:
        """What was sent."""
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Passes an answer on."""
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _OF_CONNECTION:
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
