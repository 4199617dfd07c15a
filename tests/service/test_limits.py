"""Too much is refused before it is read, in words, and whoever asks for little is served meanwhile."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest
import requests

from dtledger.service.app import Verdict
from dtledger.service.guard import PROBE_THREADS
from dtledger.service.server import Running, _Protocol

from .conftest import said
from .toy import Toy, toy_settings

Raw = Callable[[str, bytes], bytes]
Run = Callable[..., str]

HEAD = b"POST /v1/echo HTTP/1.1\r\nhost: toy\r\n"


def status(answer: bytes) -> int:
    return int(answer.split()[1])


def test_a_body_within_the_limits_is_served(run: Run, session: requests.Session) -> None:
    response = session.post(f"{run(body_bytes=1024)}/v1/echo", data=b"x" * 1024)
    assert (response.status_code, response.content) == (200, b"x" * 1024)
    assert response.headers["cache-control"] == "no-store"


def test_a_body_that_says_it_is_too_large_is_not_read(run: Run, raw: Raw, toy: Toy) -> None:
    answer = raw(run(body_bytes=1024), HEAD + b"content-length: 1025\r\n\r\n")
    assert status(answer) == 413
    assert b"larger than 1024 bytes" in answer
    assert toy.served == 0


def test_a_body_that_grows_too_large_is_cut_off(run: Run, raw: Raw, toy: Toy) -> None:
    answer = raw(run(body_bytes=1024), HEAD + b"transfer-encoding: chunked\r\n\r\n800\r\n" + b"x" * 2048)
    assert status(answer) == 413
    assert toy.served == 0


def test_a_body_that_does_not_come_is_given_up(run: Run, raw: Raw, toy: Toy) -> None:
    answer = raw(run(body_seconds=0.05), HEAD + b"content-length: 10\r\n\r\nhalf")
    assert status(answer) == 408
    assert toy.served == 0


@pytest.mark.parametrize("sent", [b"", b"POST /v1/echo HT", HEAD], ids=["nothing", "half a line", "half a head"])
def test_a_connection_that_brings_no_request_is_closed(run: Run, raw: Raw, sent: bytes) -> None:
    assert raw(run(idle_seconds=0.05), sent) == b""


def test_a_connection_is_closed_when_it_is_idle_after_an_answer(run: Run, raw: Raw) -> None:
    answer = raw(run(idle_seconds=0.05), HEAD + b"content-length: 1\r\n\r\nx")
    assert status(answer) == 200
    assert answer.endswith(b"x")


def test_a_connection_serves_one_request_after_another(run: Run, session: requests.Session) -> None:
    url = run()
    assert [session.post(f"{url}/v1/echo", data=each).content for each in (b"a", b"b")] == [b"a", b"b"]


def test_an_answer_waits_for_nobody_s_acknowledgement(
    run: Run, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Nagle's delay an answer in two parts takes 40 ms."""
    delayed: list[bool] = []
    made = _Protocol.connection_made

    def connection_made(self: _Protocol, transport: asyncio.Transport) -> None:
        peer = transport.get_extra_info("socket")
        delayed.append(not peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        made(self, transport)

    monkeypatch.setattr(_Protocol, "connection_made", connection_made)
    session.post(f"{run()}/v1/echo", data=b"a")
    assert delayed == [False]


def test_connections_over_the_limit_are_closed(run: Run, raw: Raw) -> None:
    url = run(connections=1, idle_seconds=5)
    with requests.Session() as first:
        first.trust_env = False
        assert first.post(f"{url}/v1/echo", data=b"a").status_code == 200
        assert raw(url, HEAD + b"content-length: 0\r\n\r\n") == b""


@pytest.mark.parametrize("limits", [{"concurrent": 1}, {"memory_bytes": 10}])
def test_what_is_too_much_at_once_is_told_to_come_again(
    run: Run, session: requests.Session, toy: Toy, limits: dict[str, int]
) -> None:
    url = run(**limits)
    answers: list[int] = []

    def wait() -> None:
        answers.append(requests.post(f"{url}/v1/wait", data=b"x" * 8, timeout=30).status_code)

    waiting = threading.Thread(target=wait)
    waiting.start()
    toy.entered.acquire()
    try:
        response = session.post(f"{url}/v1/echo", data=b"abc")
        probes = [session.get(f"{url}/{each}").status_code for each in ("healthz", "readyz", "metrics")]
    finally:
        toy.go.set()
        waiting.join()
    assert response.status_code == 503
    assert said(response)["error"] == "BusyError"
    assert response.headers["retry-after"] == "1"
    assert probes == [200] * 3
    assert answers == [200]
    assert session.post(f"{url}/v1/echo", data=b"abc").content == b"abc"


def test_probes_take_nobody_s_place() -> None:
    """Anybody may send them, and each may wait for a node."""
    toy, entered, go = Toy(), threading.Semaphore(0), threading.Event()

    def look() -> Verdict:
        entered.release()
        go.wait(30)
        return Verdict(True, "all is well")

    object.__setattr__(toy.service, "checks", [("node", look)])
    with Running(toy.service, toy_settings(concurrent=1, threads=1)) as running, requests.Session() as session:
        session.trust_env = False
        waiting = [
            threading.Thread(target=lambda: requests.get(f"{running.url}/readyz", timeout=30))
            for _ in range(PROBE_THREADS)
        ]
        for each in waiting:
            each.start()
            entered.acquire()
        try:
            assert session.post(f"{running.url}/v1/echo", data=b"abc").content == b"abc"
            assert session.get(f"{running.url}/readyz", timeout=30).status_code == 503
            assert session.get(f"{running.url}/healthz").status_code == 200
        finally:
            go.set()
            for each in waiting:
                each.join()
        assert session.get(f"{running.url}/readyz").status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"POST /v1/echo HTTP/1.1\r\nhost: toy\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/echo HTTP/1.1\r\nhost: toy\r\nx: " + b"y" * 17_000,
    ],
    ids=["TLS", "half a line", "a negative length", "a head without end"],
)
def test_what_is_no_http_is_refused_and_the_next_is_served(
    run: Run, raw: Raw, session: requests.Session, sent: bytes
) -> None:
    url = run()
    assert status(raw(url, sent)) in (400, 431)
    assert session.post(f"{url}/v1/echo", data=b"a").content == b"a"
