"""From endpoints to an application: probes, metrics, the page of the interface, and every error's answer.

An endpoint is a function of the request's body, and what it returns is the answer's:

    router = APIRouter()

    @router.post("/v1/open", **cbor("Open shares under consent."))
    def open_(body: Body) -> Response:
        return answer(custodian.open(*decode(body)))

It runs in a thread of its own, so it may wait for a node or a disk.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI
from fastapi import Request as HttpRequest
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from .. import __version__
from .._backend.http_errors import status_of
from ..errors import DtledgerError, InputError
from .guard import PROBE_THREADS, Guard, Limits, answer_of, tell
from .metrics import CONTENT_TYPE, Metrics
from .page import page
from .settings import ServiceSettings

__all__ = ["MOST_VALUES", "Body", "Check", "Service", "Verdict", "answer", "cbor", "make_app"]

MOST_VALUES = 2**17
"""Values in a body of CBOR: 10,000 shares to open have 50,000."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a readiness check found. `text` goes to whoever asks: no name, no address, no path."""

    ok: bool
    text: str


Check = Callable[[], Verdict]
"""Looks at one thing that the service needs; what it raises is a verdict too."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its name, its endpoints, what it needs, and what is to be done before the first request and after
    the last."""

    name: str
    title: str
    router: APIRouter
    metrics: Metrics
    checks: Sequence[tuple[str, Check]] = ()
    start: Callable[[], None] = lambda: None
    stop: Callable[[], None] = lambda: None


async def _body(request: HttpRequest) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_body)]
"""The request's body, whole and within the limits."""


def cbor(summary: str, description: str = "", *, body: bool = True) -> dict[str, Any]:
    """What the interface's page says of an endpoint whose bodies are canonical CBOR."""
    content = {"content": {"application/cbor": {"schema": {"type": "string", "format": "binary"}}}}
    extra: dict[str, Any] = {"responses": {"200": {"description": "Canonical CBOR.", **content}}}
    if body:
        extra["requestBody"] = {"required": True, **content}
    return {"summary": summary, "description": description, "response_class": Response, "openapi_extra": extra}


def answer(data: bytes) -> Response:
    """Bytes of canonical CBOR as an answer."""
    return Response(data, media_type="application/cbor")


def make_app(service: Service, settings: ServiceSettings) -> Guard:
    """The application of a service, guarded: what uvicorn runs."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings["threads"] + PROBE_THREADS
        await run_in_threadpool(service.start)
        try:
            yield
        finally:
            await run_in_threadpool(service.stop)

    app = FastAPI(
        title=service.title,
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own pages fetch their scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    app.add_exception_handler(DtledgerError, _answer_error)
    app.add_exception_handler(Exception, _answer_error)  # and raised once more, to the guard
    app.add_exception_handler(HTTPException, _answer_routing)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.include_router(service.router)
    app.include_router(_probes(service))

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(page(app.openapi()))

    return Guard(app, Limits.of(settings), service.metrics)


def _probes(service: Service) -> APIRouter:
    router = APIRouter(tags=["probes"])

    @router.get("/healthz", summary="Whether it runs.")
    async def healthz() -> JSONResponse:
        return JSONResponse({"alive": True, "version": __version__})

    @router.get("/readyz", summary="Whether it can do its work: 200, or 503 with what is wrong.")
    def readyz() -> JSONResponse:
        verdicts = {name: _ask(check) for name, check in service.checks}
        ready = all(each.ok for each in verdicts.values())
        shown = {name: {"ok": each.ok, "text": each.text} for name, each in verdicts.items()}
        return JSONResponse({"ready": ready, "checks": shown}, 200 if ready else 503)

    @router.get("/metrics", summary="What it counts, for Prometheus.")
    def metrics() -> Response:
        return Response(service.metrics.text(), headers={"content-type": CONTENT_TYPE})

    return router


def _ask(check: Check) -> Verdict:
    try:
        return check()
    except DtledgerError as error:
        return Verdict(False, type(error).__name__)
    except Exception as error:  # noqa: BLE001 a check that fails is a verdict
        tell(error)
        return Verdict(False, "it cannot be looked at; the log says why")


async def _answer_error(_: HttpRequest, error: Exception) -> Response:
    if status_of(error) == HTTPStatus.INTERNAL_SERVER_ERROR:
        tell(error)
    status, headers, body = answer_of(error)
    return Response(body, status, {name.decode(): value.decode() for name, value in headers})


async def _answer_routing(request: HttpRequest, error: Exception) -> Response:
    """No such endpoint, no such method."""
    assert isinstance(error, HTTPException)
    response = await _answer_error(request, InputError(f"{HTTPStatus(error.status_code).phrase}."))
    response.status_code = error.status_code
    response.headers.update(error.headers or {})
    return response


async def _answer_validation(request: HttpRequest, _: Exception) -> Response:
    return await _answer_error(request, InputError("The request is not of the form that this endpoint takes."))
