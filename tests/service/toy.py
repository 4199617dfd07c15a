"""A service that does what a test tells it, and a process that runs one: ``python -m tests.service.toy PORT_FILE``."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response

from dtledger.config import Setting
from dtledger.errors import DtledgerError
from dtledger.service.app import Body, Service, Verdict, answer, cbor
from dtledger.service.metrics import Metrics
from dtledger.service.server import serve
from dtledger.service.settings import COMMON, ServiceSettings


class Toy:
    """Echoes; raises `error`; waits until `go`."""

    def __init__(self) -> None:
        self.error: Exception = DtledgerError("nothing")
        self.entered, self.go = threading.Semaphore(0), threading.Event()
        self.ready = Verdict(True, "all is well")
        self.served = 0
        router = APIRouter()

        @router.post("/v1/echo", **cbor("Give it back.", "What <b>came</b>."))
        def echo(body: Body) -> Response:
            self.served += 1
            return answer(body)

        @router.post("/v1/fail", **cbor("Fail."))
        def fail(body: Body) -> Response:
            raise self.error

        @router.post("/v1/wait", **cbor("Wait."))
        def wait(body: Body) -> Response:
            self.entered.release()
            self.go.wait(30)
            return answer(body)

        self.service = Service("toy", "A toy", router, Metrics("toy"), [("mood", lambda: self.ready)])


def toy_settings(**values: Any) -> ServiceSettings:
    """Any free port, and `values`, which need not be what a file may say: a test does not wait for seconds."""
    settings = ServiceSettings.load("toy", COMMON, None, {})
    given = {"bind": ("127.0.0.1", 0), **values}
    return replace(
        settings, values={**settings.values, **{name: Setting(each, "test") for name, each in given.items()}}
    )


if __name__ == "__main__":
    toy = Toy()
    threading.Thread(
        target=lambda: (toy.entered.acquire(), print("entered", flush=True), sys.stdin.read(1), toy.go.set()),
        daemon=True,
    ).start()
    serve(toy.service, toy_settings(), lambda url: Path(sys.argv[1]).write_text(url) and print("ready", flush=True))
