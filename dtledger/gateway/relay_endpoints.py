"""The relay behind HTTP: calls in, and what became of them.

A call is answered when it is in a block. Whoever does not want to wait says so (`Prefer: respond-async`, RFC 7240), is
answered 202 as soon as the call is on the disk, and asks for what became of it. A hub may bring many at once, each of
which is taken or refused for itself.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from .._backend.http_errors import to_http
from .._backend.relay_tables import RelayTables, Standing
from ..errors import DtledgerError, UnreachableError
from ..service.app import Body
from ..service.metrics import Metrics
from ..types import Digest
from .bodies import hex_bytes, json_of, read_calls, read_json
from .relay import Relay
from .relay_pump import RelayPump

ANSWER_SECONDS = 18.0
"""How long whoever asks waits for a block. The call is carried all the same."""

MOST_WAITERS = 64
"""Who wait so at a time: each has the place of a request, and anybody may ask for a call that they saw. More are told
at once that it is carried."""


def serve_relay(router: APIRouter, relay: Relay, pump: RelayPump, tables: RelayTables) -> None:
    """Add its endpoints."""
    waiters: set[object] = set()

    @router.post("/v1/relay", **json_of("Carry a signed call, {contract, data}, to the ledger."))
    async def carry(body: Body, prefer: Annotated[str | None, Header()] = None) -> Response:
        said = read_json(body, {"contract": str, "data": str})
        call = await run_in_threadpool(relay.accept, said["contract"], hex_bytes(said["data"]))
        if "respond-async" in (prefer or "").lower():
            headers = {"preference-applied": "respond-async", "location": f"/v1/relay/0x{call.hex()}"}
            return JSONResponse({"id": f"0x{call.hex()}"}, 202, headers)
        future = await run_in_threadpool(pump.watch, call)
        waiters.add(mine := object())
        try:
            settled = future.done() if len(waiters) > MOST_WAITERS else await _settles(future)
        finally:
            waiters.remove(mine)
        if not settled:
            raise UnreachableError(
                "No block took the call yet; it is carried all the same.", hint="Look at the ledger, or ask again."
            )
        standing = future.result()
        return JSONResponse({"transaction": standing.transaction, "block": standing.block, "at": standing.at})

    @router.post("/v1/relay/many", status_code=202, **json_of("Take many signed calls, [[contract, data], …]."))
    def carry_many(body: Body) -> JSONResponse:
        taken = relay.accept_each(read_calls(body))
        return JSONResponse([_taken(each) for each in taken], 202)

    @router.get("/v1/relay/{call}", summary="What became of a call: waiting, landed or refused; or 404.")
    def look(call: str) -> Response:
        known = Digest(hex_bytes(call))
        standing = tables.standing([known]).get(known)
        return Response(status_code=404) if standing is None else JSONResponse(_told(standing))


async def _settles(future: Future[Standing]) -> bool:
    """Whether it is known in time what became of a call."""
    done, _ = await asyncio.wait({asyncio.wrap_future(future)}, timeout=ANSWER_SECONDS)
    return bool(done)


def _taken(call: Digest | DtledgerError) -> dict[str, Any]:
    if isinstance(call, DtledgerError):
        status, body = to_http(call)
        return {"status": status, "told": body.decode()}
    return {"status": 202, "id": f"0x{call.hex()}"}


def _told(standing: Standing) -> dict[str, Any]:
    if standing.error is not None:
        status, body = to_http(standing.error)
        return {"state": "refused", "status": status, "told": body.decode(), "transaction": standing.transaction}
    if standing.block is None:
        return {"state": "waiting"}
    return {
        "state": "landed",
        "final": standing.settled,
        "transaction": standing.transaction,
        "block": standing.block,
        "at": standing.at,
    }


def relay_status(pump: RelayPump, tables: RelayTables, now: int) -> dict[str, Any]:
    """How it stands; null where its tables cannot be read."""
    told = pump.told
    try:
        load = tables.load()
    except DtledgerError:
        return {"relay": None}
    return {
        "relay": {
            "waiting": load.waiting,
            "in_flight": load.in_flight,
            "transactions_in_flight": load.transactions,
            "oldest_seconds": None if load.oldest is None else max(now - load.oldest, 0),
            "landed": told.landed,
            "transactions": told.transactions,
            "lost": told.lost,
            "fee_bumps": pump.bumps,
            "refused": dict(told.refused),
            "accounts": pump.accounts,
            "failures": told.failures,
            "error": told.error or None,
        }
    }


def count_relay(pump: RelayPump, tables: RelayTables, metrics: Metrics, clock: Any) -> None:
    """What Prometheus reads of it."""

    def gauge(name: str, text: str, look: Any) -> None:
        metrics.gauge(f"relay_{name}", text).set_function(look)

    gauge("waiting", "Calls of others that are in no transaction yet.", lambda: tables.load().waiting)
    gauge("in_flight", "Calls of others whose transactions are under way.", lambda: tables.load().in_flight)
    gauge("transactions_in_flight", "Transactions of the relay under way.", lambda: tables.load().transactions)
    gauge("oldest_seconds", "How long the oldest of both waits.", lambda: _age(tables, clock()))
    gauge("landed", "Calls of others that landed since the start.", lambda: pump.told.landed)
    gauge("lost", "Transactions since the start whose calls had to be sent in others.", lambda: pump.told.lost)
    gauge("fee_bumps", "Transactions since the start sent again with a higher fee.", lambda: pump.bumps)
    gauge("failures", "Steps of the relay that failed one after another.", lambda: pump.told.failures)
    refused = metrics.counter("relay_refused", "Calls of others refused, by why.", ("why",))
    pump.heard.append(lambda why: refused.labels(why).inc())


def _age(tables: RelayTables, now: int) -> int:
    oldest = tables.load().oldest
    return 0 if oldest is None else max(now - oldest, 0)
