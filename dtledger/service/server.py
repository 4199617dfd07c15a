"""Running a service: uvicorn, with connections that end when they are idle and a stop that ends what was accepted.

SIGTERM (or Ctrl+C): no new connection is taken, every request that was accepted is answered, then the process ends with
exit code 0. After `stop_seconds` it ends anyway.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..errors import DtledgerError, InputError
from .app import Service, make_app
from .certificate import ends_at, tell_end
from .settings import ServiceSettings

__all__ = ["Running", "serve"]

log = logging.getLogger(__name__)

_HEAD_BYTES = 16_384
"""Most bytes of a request's head."""


class _Protocol(H11Protocol):
    """A connection that must bring the head of a request within the idle time, from its first byte on and after each
    answer. uvicorn alone waits for ever for a first request, and for the rest of a head."""

    most: int
    idle_seconds: float
    _deadline: asyncio.TimerHandle | None = None
    _unsent = 0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.access_log = False  # however logging is set up here: uvicorn's line has the address and the query

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
        else:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unset_keepalive_if_required()  # one clock is enough
        if self.conn.their_state is h11.IDLE:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._stop_waiting()
        self._unsent = self.transport.get_write_buffer_size()
        self._deadline = self.loop.call_later(self.idle_seconds, self._end)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        if 0 < self.transport.get_write_buffer_size() < self._unsent:  # a slow reader, but a reader
            self._await_head()
        else:
            self.transport.abort()


class _Server(uvicorn.Server):
    """uvicorn ends itself by the signal that stopped it; a service that stopped as it should exits 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def serve(service: Service, settings: ServiceSettings, ready: Callable[[str], None] = lambda url: None) -> None:
    """Run the service until it is told to stop. `ready` hears its URL once it takes requests.

    Raises:
        InputError: its address or its TLS files cannot be used.
        DtledgerError: it could not start.
    """
    server = _server(service, settings, lambda: ready(_url(settings, listening)))
    with _bind(settings) as listening:
        server.run(sockets=[listening])
        if not server.started:
            raise DtledgerError("The service could not start; its log says why.")


class Running:
    """The service in a thread of this process, for tests: `with Running(service, settings) as running: running.url`."""

    def __init__(self, service: Service, settings: ServiceSettings) -> None:
        self._ready = threading.Event()
        self._server = _server(service, settings, self._ready.set)
        self._socket = _bind(settings)
        self.url = _url(settings, self._socket)
        self._thread = threading.Thread(target=self._run, name=f"{service.name} service")

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if not self._server.started:
            self._thread.join()
            raise DtledgerError("The service could not start; its log says why.")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """As SIGTERM does; returns when it has stopped."""
        self._server.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()
            self._ready.set()


def _server(service: Service, settings: ServiceSettings, ready: Callable[[], None]) -> _Server:
    protocol = type(
        "Protocol", (_Protocol,), {"most": settings["connections"], "idle_seconds": settings["idle_seconds"]}
    )
    config = uvicorn.Config(
        make_app(service, settings),
        http=protocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        timeout_keep_alive=settings["idle_seconds"],
        timeout_graceful_shutdown=settings["stop_seconds"],
        ssl_certfile=settings["tls_certificate"],
        ssl_keyfile=settings["tls_key"],
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"{settings.source('tls_certificate')}: tls_certificate and tls_key cannot be used: "
            f"{getattr(error, 'reason', None) or getattr(error, 'strerror', None) or type(error).__name__}.",
            hint="Both are files in PEM, and belong together; the key has no password.",
        ) from error
    if settings["tls_certificate"] is not None:
        end = ends_at(Path(settings["tls_certificate"]))
        service.metrics.certificate_ends(end)
        tell_end(end, time.time())
    server = _Server(config)
    startup = server.startup

    async def started(*arguments: Any, **named: Any) -> None:
        await startup(*arguments, **named)
        if server.started:
            ready()

    server.startup = started  # type: ignore[method-assign]
    return server


def _bind(settings: ServiceSettings) -> socket.socket:
    host, port = settings["bind"]
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # by its protocol asyncio knows that Nagle's delay is to be off; with it an answer waits 40 ms for its body
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if sys.platform != "win32":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(socket.SOMAXCONN)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise InputError(
            f"{settings.source('bind')}: it cannot listen at {host}:{port} ({error.strerror}).",
            hint="Is it running already, or is the address another machine's?",
        ) from error
    return listening


def _url(settings: ServiceSettings, listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    scheme = "http" if settings["tls_certificate"] is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
