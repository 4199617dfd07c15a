"""Nodes that are not what they should be: each answers a client in its own wrong way, on a port of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import requests
from web3.providers.rpc import HTTPProvider

Answer = Callable[[dict[str, Any]], tuple[int, bytes] | None]
"""From a JSON-RPC request to status and body, or None: the connection is closed without a word."""


def _result(value: Any) -> Answer:
    return lambda asked: (200, json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": value}).encode())


def _error(asked: dict[str, Any]) -> tuple[int, bytes]:
    error = {"code": -32000, "message": "the database is closed"}
    return 200, json.dumps({"jsonrpc": "2.0", "id": asked["id"], "error": error}).encode()


NONSENSE: dict[str, Answer] = {
    "it hangs up": lambda _: None,
    "a proxy says 502": lambda _: (502, b"<html>Bad Gateway</html>"),
    "it wants a password": lambda _: (401, b"Unauthorized"),
    "it is some web page": lambda _: (200, b"<html>It works!</html>"),
    "it says nothing": lambda _: (200, b""),
    "it is JSON, but no JSON-RPC": lambda _: (200, b'{"hello": "world"}'),
    "it is a list": lambda _: (200, b"[]"),
    "it refuses everything": _error,
    "it knows nothing": _result(None),
    "it answers with words": _result("yes"),
    "it answers with a number": _result(7),
    "it answers with an empty object": _result({}),
}


def forwarded(url: str) -> Answer:
    """What the node at `url` answers."""

    def answer(asked: dict[str, Any]) -> tuple[int, bytes]:
        said = requests.post(url, json=asked, timeout=10)
        return said.status_code, said.content

    return answer


@contextmanager
def wrong_node(answer: Answer) -> Iterator[str]:
    """The URL of a node that answers so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = answer(asked)
            if said is None:
                return
            status, body = said
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """A test's node has no log."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def silent_after(count: int) -> Iterator[list[str]]:
    """Every node answers `count` requests and no more while this lasts. Gives the list of the methods answered."""
    asked: list[str] = []
    real = HTTPProvider.make_request

    def make_request(provider: HTTPProvider, method: Any, params: Any) -> Any:
        if len(asked) >= count:
            raise requests.ConnectionError("the node went away, by order of the test")
        asked.append(method)
        return real(provider, method, params)

    HTTPProvider.make_request = make_request  # type: ignore[method-assign]
    try:
        yield asked
    finally:
        HTTPProvider.make_request = real  # type: ignore[method-assign]
