"""Devices behind HTTP: their batches in, their owners' words, and what was refused."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from .._backend.refusal_file import RefusalFile
from ..device.batch import Code
from ..service.app import Body, cbor
from ..service.guard import RETRY_SECONDS
from ..service.metrics import Metrics
from .batches import Batches
from .devices import Devices

_STATUSES = {Code.TAKEN: 202, Code.HELD: 202, Code.LATER: 503, Code.MALFORMED: 400, Code.LARGE: 413}
"""Of the answers to batches; of the others 403."""


def serve_devices(router: APIRouter, devices: Devices, batches: Batches) -> None:
    """Add their endpoints."""

    @router.post("/v1/batches", **cbor("Take a batch that a device signed; the answer is signed too."))
    def take(body: Body) -> Response:
        code, signed, _ = batches.take(body)
        headers = {"retry-after": str(RETRY_SECONDS)} if code is Code.LATER else None
        return Response(signed, _STATUSES.get(code, 403), headers, "application/cbor")

    @router.post("/v1/devices", **cbor("Enrol a device: its owner's signed word."))
    def enrol(body: Body) -> JSONResponse:
        said = devices.enrol(body)
        return JSONResponse({"device": said.device.hex(), "answers_by": batches.public.hex()}, 201)

    @router.post("/v1/devices/suspend", **cbor("Suspend a device: its owner's signed word."))
    def suspend(body: Body) -> JSONResponse:
        return JSONResponse({"device": devices.suspend(body).hex()})

    @router.post("/v1/devices/list", **cbor("The devices of whoever signs: [reader, time, signature]."))
    def listed(body: Body) -> JSONResponse:
        return JSONResponse(devices.listed(devices.reader(body)))


def count_devices(batches: Batches, refusals: RefusalFile, metrics: Metrics) -> None:
    """What Prometheus reads of them."""
    metrics.gauge("batches", "Batches of devices taken since the start.").set_function(lambda: batches.taken)
    metrics.gauge("refused", "Batches and readings of devices refused, in all.").set_function(
        lambda: sum(refusals.totals().values())
    )
