"""Health, readiness, metrics, the interface's page, the log, and how a service stops."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from dtledger.errors import HeadTooOldError, InputError
from dtledger.service.app import Verdict
from dtledger.service.server import Running

from .toy import Toy, toy_settings

Run = Callable[..., str]


def test_a_service_that_lacks_something_is_alive_and_not_ready(toy: Toy, run: Run, session: requests.Session) -> None:
    url = run()
    assert session.get(f"{url}/readyz").json() == {
        "ready": True,
        "checks": {"mood": {"ok": True, "text": "all is well"}},
    }
    toy.ready = Verdict(False, "it is sad")
    response = session.get(f"{url}/readyz")
    assert (response.status_code, response.json()["checks"]["mood"]["text"]) == (503, "it is sad")
    assert session.get(f"{url}/healthz").json()["alive"] is True


@pytest.mark.parametrize("error", [HeadTooOldError("block 7 at http://node"), ValueError("http://node")])
def test_a_check_that_fails_is_a_verdict_without_a_word_from_inside(
    run: Run, session: requests.Session, error: Exception
) -> None:
    def fail() -> Verdict:
        raise error

    toy = Toy()
    object.__setattr__(toy.service, "checks", [("node", fail)])
    with Running(toy.service, toy_settings()) as running:
        response = session.get(f"{running.url}/readyz")
    assert response.status_code == 503
    assert "http" not in response.text


def test_metrics_count_by_endpoint_and_status_and_name_nothing_else(run: Run, session: requests.Session) -> None:
    url = run()
    session.post(f"{url}/v1/echo?twin=7", data=b"canary")
    session.post(f"{url}/canary")
    text = session.get(f"{url}/metrics").text
    assert 'dtledger_toy_requests_total{endpoint="/v1/echo",status="200"} 1.0' in text
    assert 'dtledger_toy_requests_total{endpoint="-",status="404"} 1.0' in text
    assert "dtledger_toy_build{" in text
    assert "canary" not in text


def test_the_log_has_a_line_a_request_and_nothing_that_it_held(
    run: Run, session: requests.Session, logged: Callable[[], str]
) -> None:
    url = run()
    session.post(f"{url}/v1/echo?q=canary", data=b"canary", headers={"x-canary": "canary", "user-agent": "canary"})
    session.request("CANARY", f"{url}/canary")
    ours = "\n".join(line for line in logged().splitlines() if "dtledger" in line)
    assert "POST /v1/echo 200, " in ours
    assert "6 bytes" in ours
    assert "canary" not in ours.lower()
    assert "127.0.0.1" not in ours


def test_the_interface_is_a_page_that_fetches_nothing(run: Run, session: requests.Session) -> None:
    url = run()
    page = session.get(f"{url}/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "<code>POST /v1/echo</code>" in page.text
    assert "What &lt;b&gt;came&lt;/b&gt;." in page.text
    assert "<script" not in page.text
    assert "http" not in page.text.replace("<html", "")
    assert "/v1/echo" in session.get(f"{url}/openapi.json").json()["paths"]


def test_a_stop_ends_what_was_accepted_and_exits_with_0(tmp_path: Path) -> None:
    file = tmp_path / "url"
    command = [sys.executable, "-m", "tests.service.toy", str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        answers: list[bytes] = []
        url = file.read_text()
        asking = threading.Thread(
            target=lambda: answers.append(requests.post(f"{url}/v1/wait", data=b"late", timeout=30).content)
        )
        asking.start()
        assert process.stdout.readline() == "entered\n"
        process.send_signal(signal.SIGTERM)
        process.stdin.write("!")
        process.stdin.flush()
        asking.join()
        assert answers == [b"late"]
        assert process.wait(30) == 0


def test_a_port_in_use_stops_the_start_and_names_it(toy: Toy) -> None:
    with Running(toy.service, toy_settings()) as running:
        port = int(running.url.rpartition(":")[2])
        with pytest.raises(InputError, match=f"cannot listen at 127.0.0.1:{port}"):
            Running(Toy().service, toy_settings(bind=("127.0.0.1", port)))


def test_tls_files_that_cannot_be_used_stop_the_start(toy: Toy, tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    certificate.write_text("none")
    settings = toy_settings(tls_certificate=str(certificate), tls_key=str(certificate))
    with pytest.raises(InputError, match="tls_certificate and tls_key cannot be used"):
        Running(toy.service, settings)
