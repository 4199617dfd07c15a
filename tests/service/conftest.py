from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from dtledger.service.server import Running

from .toy import Toy, toy_settings


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def run(toy: Toy) -> Iterator[Callable[..., str]]:
    """Start the toy with these settings; its URL."""
    with ExitStack() as stack:
        yield lambda **values: stack.enter_context(Running(toy.service, toy_settings(**values))).url


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def raw() -> Iterator[Callable[[str, bytes], bytes]]:
    """Send bytes as they are, and read until the service hangs up."""
    with ExitStack() as stack:

        def send(url: str, data: bytes) -> bytes:
            parts = urlsplit(url)
            connection = stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=30))
            answer = b""
            with suppress(ConnectionResetError, BrokenPipeError):
                connection.sendall(data)
                while chunk := connection.recv(65_536):
                    answer += chunk
            return answer

        yield send


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that was logged, as text."""
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.text


def said(response: requests.Response) -> dict[str, Any]:
    """The body of an error."""
    body: dict[str, Any] = response.json()
    return body
