"""What stands before every endpoint: limits, one answer to each error, a line in the log, a count.

A body is read whole before its endpoint sees it, within its size and time. What is too much at once is refused with
`Retry-After` before a byte of it is read. The probes (`/healthz` and so on) are answered however busy it is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._backend.http_errors import SlowRequestError, TooLargeError, to_http
from ..errors import BusyError, DtledgerError, InputError
from .metrics import Metrics
from .settings import ServiceSettings

__all__ = ["PROBES", "PROBE_THREADS", "RETRY_SECONDS", "Guard", "Limits", "answer_of", "tell"]

log = logging.getLogger(__name__)

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

PROBE_THREADS = 4
"""Threads beside those of requests, so that a probe is answered however busy it is; and so many probes at a time, for
anybody may ask and each asks a node."""

_READ_AWAY = 4
"""How many times the largest body is read and dropped of one that is larger."""

_LINGER_SECONDS = 2.0
"""How long it is waited for the rest of such a body: a sender that has paused is reading."""

RETRY_SECONDS = 1
"""When to ask again, as `Retry-After` says."""

_HEADERS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of what at a time; see `settings.COMMON`."""

    body_bytes: int
    body_seconds: float
    concurrent: int
    memory_bytes: int

    @classmethod
    def of(cls, settings: ServiceSettings) -> Limits:
        return cls(settings["body_bytes"], settings["body_seconds"], settings["concurrent"], settings["memory_bytes"])


def answer_of(error: BaseException) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of the answer to an error."""
    status, body = to_http(error)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *_HEADERS]
    if isinstance(error, BusyError):
        headers.append((b"retry-after", str(RETRY_SECONDS).encode()))
    if isinstance(error, (SlowRequestError, TooLargeError, BusyError)):  # the rest of its body would have to be read
        headers.append((b"connection", b"close"))
    return status, headers, body


def tell(error: BaseException) -> None:
    """Log what went wrong inside, by class and place alone: messages may hold what a request held."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_globals.get('__name__')}:{place.tb_lineno}" if place else "?"
    log.error("a request failed inside: %s at %s", type(error).__name__, where)


class Guard:
    """ASGI middleware around a whole application."""

    def __init__(self, app: ASGIApp, limits: Limits, metrics: Metrics) -> None:
        self._app = app
        self._limits = limits
        self._metrics = metrics
        self._open = 0
        self._probing = 0
        self._held = 0
        """Bytes of all bodies that are in memory."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._limits.body_seconds)
        begun = time.perf_counter()
        body = bytearray()
        self._open += 1
        self._metrics.open.set(self._open)
        try:
            await self._answer(scope, receive, answer, body)
        except DtledgerError as error:
            await answer.refuse(error)
        except Exception as error:  # noqa: BLE001 whatever it is, its text stays here
            if not answer.status:  # else it was told before it was answered
                tell(error)
            await answer.refuse(error)
        finally:
            self._open -= 1
            self._held -= len(body)
            self._metrics.open.set(self._open)
            self._metrics.memory.set(self._held)
            endpoint = getattr(scope.get("route"), "path", "-")  # never the path itself: anything can stand in it
            seconds = time.perf_counter() - begun
            self._metrics.count(endpoint, answer.status, seconds)
            log.info("%s %s %d, %.1f ms, %d bytes", _method(scope), endpoint, answer.status, seconds * 1e3, len(body))

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer, body: bytearray) -> None:
        if scope["path"] in PROBES:
            await self._probe(scope, receive, answer)
            return
        if self._open - self._probing > self._limits.concurrent:
            raise _busy()
        try:
            await self._read(scope, receive, body)
        except TooLargeError:
            self._held -= len(body)
            body.clear()
            await self._read_away(receive)
            raise
        await self._app(scope, _Given(bytes(body), receive), answer.send)

    async def _probe(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        self._probing += 1
        try:
            if self._probing > PROBE_THREADS and scope["path"] != "/healthz":
                raise _busy()
            await self._app(scope, _Given(b"", receive), answer.send)
        finally:
            self._probing -= 1

    async def _read(self, scope: Scope, receive: Receive, body: bytearray) -> None:
        """The whole body into `body`.

        Raises:
            TooLargeError, SlowRequestError, BusyError: it is more than the limits give.
            InputError: its length is no number, or its sender hung up.
        """
        length = _content_length(scope)
        if length > self._limits.body_bytes:
            raise self._too_large()
        if self._held + length > self._limits.memory_bytes:
            raise _busy()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise InputError("The request ended before its body.")
                    chunk = message.get("body", b"")
                    body += chunk
                    self._held += len(chunk)
                    self._metrics.memory.set(self._held)
                    if len(body) > self._limits.body_bytes:
                        raise self._too_large()
                    if self._held > self._limits.memory_bytes:
                        raise _busy()
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            raise SlowRequestError(
                f"The request's body did not come within {self._limits.body_seconds:g} seconds."
            ) from None

    async def _read_away(self, receive: Receive) -> None:
        """Take and drop what follows, within bounds: who is still sending when the connection closes never reads the
        answer."""
        left = _READ_AWAY * self._limits.body_bytes
        with suppress(TimeoutError):
            async with asyncio.timeout(min(_LINGER_SECONDS, self._limits.body_seconds)):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"The request's body is larger than {self._limits.body_bytes} bytes.")


class _Answer:
    """What was answered; an error becomes the answer as long as none was begun. Who does not take it loses it."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = {name for name, _ in message["headers"]}
            message = {**message, "headers": [*message["headers"], *(each for each in _HEADERS if each[0] not in own)]}
        async with asyncio.timeout(self._seconds):
            await self._send(message)

    async def refuse(self, error: BaseException) -> None:
        if self.status:
            return
        status, headers, body = answer_of(error)
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


class _Given:
    """A body that was read already, as an application receives it; after it, what the connection says."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _busy() -> BusyError:
    return BusyError("The service has as much to do as it takes.", hint=f"Ask again in {RETRY_SECONDS} s.")


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                raise InputError("The request's length is no number.")
            return int(value[:20])
    return 0


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH") else "-"
