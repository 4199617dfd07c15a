"""A connection to one service: kept open, with its certificate checked, within bounds of time and size.

Errors of the network, and answers that are none, become `UnreachableError`; what the service refuses becomes the error
that it says (`http_errors`). A service on this machine is asked directly, whatever proxy the environment names.

Warning: the time bounds each wait for bytes, not all of them together. Who must not wait for a service that sends one
byte at a time asks in a thread, and goes on without it (`in_time`, and of many `snapshots.at_once`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter

from ..errors import UnreachableError
from .http_errors import MOST_BYTES, from_http
from .loopback import is_loopback_url

__all__ = ["HttpLink", "in_time", "probe_service"]

T = TypeVar("T")

MOST_SECONDS = 60.0
"""How long a whole answer may take, where that is bounded."""

MOST_ANSWER = 64 * 2**20
"""Bytes of the largest answer that is read."""

POOL = 32
"""Connections that are kept, for as many threads."""

_CHUNK = 65_536

CONNECT_SECONDS = 3.0
"""How long a service may take to take a connection."""


class HttpLink:
    """`url` of the service, without a path; `who` is the word for it in errors; `timeout` in seconds for each wait."""

    def __init__(self, url: str, who: str, timeout: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._who = who
        self._timeouts = (CONNECT_SECONDS, timeout)
        self._session = requests.Session()
        self._session.trust_env = not is_loopback_url(url)
        adapter = HTTPAdapter(pool_maxsize=POOL)  # it follows nothing and asks nothing twice
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)

    def get(self, path: str) -> bytes:
        """The answer's body. Raises as `post`."""
        return self.ask("GET", path)[1]

    def post(self, path: str, body: bytes, kind: str = "application/cbor", token: str = "") -> bytes:
        """The body of the answer to `body`; `token` is a bearer token (RFC 6750).

        Raises:
            UnreachableError: nobody answers, or not as a service does.
            DtledgerError: what the service refused by.
        """
        return self.ask("POST", path, body, kind, token=token)[1]

    def close(self) -> None:
        self._session.close()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        kind: str = "application/cbor",
        *,
        token: str = "",
        most: int = MOST_ANSWER,
        allowed: tuple[int, ...] = (),
    ) -> tuple[int, bytes]:
        """Status and body of an answer, which is a success or one of the statuses `allowed`. Raises as `post`."""
        headers = {"content-type": kind} if kind and body is not None else {}
        headers |= {"authorization": f"Bearer {token}"} if token else {}
        try:
            with self._session.request(
                method,
                self._url + path,
                data=body,
                headers=headers,
                timeout=self._timeouts,
                stream=True,
                allow_redirects=False,
            ) as response:
                if 200 <= response.status_code < 300 or response.status_code in allowed:
                    return response.status_code, self._read(response, most)
                raise from_http(response.status_code, self._read(response, MOST_BYTES), self._who)
        except (OSError, ValueError) as error:  # `requests` raises OSErrors, and ValueErrors at answers that are none
            raise UnreachableError(
                f"{self._who} does not answer as it should ({type(error).__name__}).",
                hint="Is it running, and is its URL the right one? `dtledger config show` says which.",
            ) from error

    def _read(self, response: requests.Response, most: int) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > most:
                raise UnreachableError(f"{self._who} answered with more than {most} bytes.")
        return bytes(body)


def in_time(call: Callable[[], T], who: str, seconds: float | None = None) -> T:
    """What the call returns or raises, if that is within so many seconds, by default `MOST_SECONDS`; its thread keeps
    nobody from ending.

    Raises:
        UnreachableError: it is not.
    """
    returned: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            returned.append(call())
        except BaseException as error:  # noqa: BLE001 raised again where it is waited for
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(MOST_SECONDS if seconds is None else seconds)
    if raised:
        raise raised[0]
    if not returned:
        raise UnreachableError(f"{who} did not answer in time.", hint="Ask again later.")
    return returned[0]


class _AnyName(HTTPAdapter):
    """Takes the certificate that it is told to, whatever name is asked at: on the service's own machine."""

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named, assert_hostname=False)


def probe_service(url: str, certificate: str | None = None) -> dict[str, Any]:
    """What `GET /readyz` of a service on this machine says. It is trusted by its own `certificate`.

    Raises:
        UnreachableError: it does not answer.
    """
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", _AnyName())
        try:
            response = session.get(f"{url}/readyz", timeout=10.0, verify=certificate or True)
            answer = response.json()
        except (OSError, ValueError) as error:
            raise UnreachableError(
                f"The service does not answer ({type(error).__name__}).", hint="Is it running? Its log says why not."
            ) from error
    if not isinstance(answer, dict) or not isinstance(answer.get("checks"), dict):
        raise UnreachableError(
            "What answers there is no service of dtledger.", hint="Does another program have its port?"
        )
    return answer
