"""`twin inbox`: for people, for cron, and for a webhook that learns no names."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .bare import Run
from .conftest import DevnetHome
from .twins import DAY, Twin, complaint, new_twin, said

pytestmark = pytest.mark.anvil

PATIENT = ("--key", "patient")


class Hook:
    """A server that takes what is posted, or refuses it with `status`."""

    def __init__(self) -> None:
        hook = self
        self.posted: list[bytes] = []
        self.status = 204

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(hook.status)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """A test's hook has no log."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/inbox"


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    thread = threading.Thread(target=hook.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hook
    finally:
        hook.server.shutdown()
        thread.join()
        hook.server.server_close()


@pytest.fixture
def twin(devnet_home: DevnetHome) -> Twin:
    twin = new_twin(devnet_home, hours=1)
    now = int(time.time())
    twin.grant(expires_at=now + 2 * DAY)
    return twin


def test_it_shows_what_there_is_and_the_command_that_answers_it(dtledger: Run, twin: Twin) -> None:
    result = dtledger("twin", "inbox", twin.number, *PATIENT)
    assert result.exit_code == 0
    assert "grant ends, cardiology" in result.stdout
    assert f"dtledger consent list --twin {twin.number}" in result.stdout
    told = said(dtledger("twin", "inbox", twin.number, *PATIENT, "--json"))
    assert told["schema"] == "dtledger/inbox/1"
    assert ("ending", "cardiology") in [(each["kind"], (each["party"] or {}).get("name")) for each in told["items"]]


def test_a_webhook_gets_it_without_names(dtledger: Run, twin: Twin, hook: Hook) -> None:
    assert dtledger("twin", "inbox", twin.number, *PATIENT, "--quiet", "--webhook", hook.url).exit_code == 0
    (posted,) = hook.posted
    told = json.loads(posted)
    assert {each["kind"] for each in told["items"]} >= {"ending", "backup"}
    assert b"cardiology" not in posted


def test_a_webhook_that_refuses_is_said(dtledger: Run, twin: Twin, hook: Hook) -> None:
    hook.status = 500
    told = complaint(dtledger("twin", "inbox", twin.number, *PATIENT, "--json", "--webhook", hook.url), 6)
    assert "webhook" in told["message"]


def test_a_webhook_that_is_no_url_is_refused_before_anything_is_looked_up(dtledger: Run, twin: Twin) -> None:
    refused = dtledger("twin", "inbox", twin.number, *PATIENT, "--webhook", "hook.example/dtledger")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "http://" in refused.stderr


def test_it_is_the_owners_alone(dtledger: Run, twin: Twin) -> None:
    assert dtledger("twin", "inbox", twin.number, "--key", "cardiology").exit_code == 3
