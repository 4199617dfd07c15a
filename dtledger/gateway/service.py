"""A gateway behind HTTP: readings in, calls and blocks of others carried, and how it stands.

The answer 202 to readings means that they are on this machine's disk, synced; a snapshot follows within the hour.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse

from .._backend.block_putters import BlockPutters
from .._backend.postgresql import Server
from .._backend.quota_file import QuotaFile
from .._backend.refusal_file import RefusalFile
from ..client import Client, Context
from ..config import Entry
from ..encoding import address
from ..errors import InputError
from ..ledger import Sender, messages
from ..ledger.lanes import GWEI, Fees
from ..service.app import Body, Service, Verdict, cbor
from ..service.metrics import Metrics
from ..service.settings import (
    COMMON,
    ServiceSettings,
    database_setting,
    file_setting,
    key_names,
    whole_number,
)
from ..store import BlockMissingError
from ..twin import require_extra
from . import intake
from .allowance import Allowance, RelayLimits
from .batches import Batches
from .blocks import Blocks
from .bodies import hex_bytes, json_of, read_cid, read_json
from .device_endpoints import count_devices, serve_devices
from .devices import Devices
from .ingest import Several
from .intake import Intake
from .mqtt import ENTRIES as MQTT
from .mqtt import Link
from .pump import Pace, Pump
from .queue import Limits, ReadingQueue
from .relay import Relay
from .relay_endpoints import count_relay, serve_relay
from .relay_pump import RelayPump
from .rights import Rights
from .senders import Senders
from .signed import require_signed
from .status import Status
from .sweeper import Sweeper, letters
from .watch import NodeWatch

if TYPE_CHECKING:
    from .twins import Twins
    from .vital_signs import VitalSigns

ENTRIES: tuple[Entry, ...] = (
    *COMMON,
    file_setting("state", "the folder of its queue and records"),
    database_setting("queue", "PostgreSQL in its folder's stead for its queue: postgresql://…, without a password"),
    file_setting("senders", "the file of who may send readings: NAME, SHA-256 of its token, perhaps TWIN,TWIN"),
    whole_number("batch_seconds", "the longest that a reading waits for its hour to be over", 3_600, 1, 86_400),
    whole_number("renewal_seconds", "how long it waits for a new grant before it seals to the owner", 86_400, 0, 2**31),
    whole_number("queue_bytes", "most bytes of readings that wait", 2**30, 2**16, 2**44),
    whole_number("free_bytes", "bytes that stay free on the queue's disk", 2**28, 0, 2**44),
    whole_number("relay_calls", "calls carried for one signer a day; 0 carries none", 50, 0, 2**31),
    whole_number("relay_calls_all", "calls carried for everybody a day", 5_000, 0, 2**31),
    Entry("relay_payers", "names of the keys that pay for what is carried; without any the gateway's own", key_names),
    whole_number("relay_in_flight", "transactions of each of these keys that may wait for blocks at once", 4, 1, 64),
    whole_number("relay_gwei", "most that is offered for a gas, in 10⁻⁹ of the chain's coin", 500, 0, 10**9),
    whole_number("relay_patience", "seconds that a transaction waits until it offers more", 30, 1, 86_400),
    whole_number("block_bytes", "bytes of blocks that one may put a day; 0 takes none", 2**28, 0, 2**44),
    *MQTT,
)
"""What a gateway can be told."""


class Gateway:
    """All parts of one gateway, over the ledger, store and key of `client`, with its state in `folder`. `twins` are
    None where the library of their filter is not installed: then readings are anchored as they come. `payers` pay for
    what is relayed; without any the client's key does."""

    def __init__(
        self,
        client: Client,
        settings: ServiceSettings,
        folder: Path,
        senders: Senders,
        payers: Sequence[Sender] = (),
    ) -> None:
        self._context = context = client.context
        limits = Limits(settings["queue_bytes"], settings["free_bytes"])
        pace = Pace(settings["batch_seconds"], settings["renewal_seconds"])
        self.server = None if settings["queue"] is None else Server(settings["queue"], "dtledger_queue")
        self.queue = ReadingQueue(folder / "queue.db", context.key, context.clock, limits, server=self.server)
        self.quota = QuotaFile(folder / "quota.db")
        self.putters = BlockPutters(folder / "blocks.db")
        self.refusals = RefusalFile(folder / "refusals.db")
        rights = Rights(context)
        self.devices = Devices(context, self.queue, rights, self.refusals)
        self.twins: Twins | None
        self.vital_signs: VitalSigns | None
        self.twins, self.vital_signs = _twins(context, self.queue, self.devices)
        twins = Several(*(each for each in (self.twins, self.vital_signs) if each is not None))
        self.pump = Pump(context, client.writer, self.queue, pace, twins, strange=self.devices.strange)
        self.senders = senders
        self.intake = Intake(context, self.queue, rights, twins)
        self.batches = Batches(context, self.queue, self.devices, rights, self.refusals, twins)
        self.link = Link.of(settings, self.batches.take)
        allowed = RelayLimits(settings["relay_calls"], settings["relay_calls_all"])
        allowance = Allowance(self.quota, allowed, context.clock)
        self.relay_pump = self._relay_pump(settings, payers or [context.key], allowance)
        self.relay = Relay(context, self.queue.relayed, allowance, self.relay_pump.wake)
        self.blocks = Blocks(context, self.quota, self.putters, settings["block_bytes"])
        forget = [self.queue.forget_posts, letters(context.store, self.queue), self.pump.freshness.end, twins.end]
        self.sweeper = Sweeper(context, forget)
        kept = self.twins, self.vital_signs
        self.status = Status(
            context, self.queue, self.pump, self.relay_pump, *kept, self.batches, self.refusals, self.link
        )
        self.clock = context.clock
        self.ledger = context.ledger
        self._patience: float = settings["stop_seconds"]
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=each.run, args=(self._stop,), name=name, daemon=True)
            for name, each in (
                ("pump", self.pump),
                ("sweeper", self.sweeper),
                ("relay", self.relay_pump),
            )
        ]

    def _relay_pump(self, settings: ServiceSettings, payers: Sequence[Sender], allowance: Allowance) -> RelayPump:
        fees = Fees(settings["relay_gwei"] * GWEI, settings["relay_patience"])
        lanes = [self._context.ledger.lane(each, self.queue.relayed, fees) for each in payers]
        in_flight = settings["relay_in_flight"]
        return RelayPump(self.queue.relayed, lanes, self._context.clock, allowance, in_flight)

    def start(self) -> None:
        if self.twins is not None:
            self.twins.wake()
        for each in self._threads:
            each.start()
        self.link.start()

    def stop(self) -> None:
        """End the step under way, if it ends in time; what it leaves, the next start goes on with."""
        self.link.stop()
        self._stop.set()
        self.relay_pump.wake()
        for each in self._threads:
            if each.ident is not None:
                each.join(self._patience)
        if not any(each.is_alive() for each in self._threads):
            self.close()

    def close(self) -> None:
        for each in (self.queue, self.quota, self.putters, self.refusals):
            each.close()

    def unanchored(self, body: bytes) -> list[str]:
        """The CIDs of what was sealed to whoever signs the request {reader, at, signature}.

        Raises:
            InputError: it is not of that form, or not fresh.
            AccessDeniedError: it is not signed by the reader, for this gateway.
        """
        said = read_json(body, {"reader": str, "at": int, "signature": str})
        context = self._context
        try:
            reader = address(said["reader"])
            digest = messages.letters_request(context.deployment, reader, context.key.address, said["at"])
        except (ValueError, OverflowError) as error:
            raise InputError("The reader is no address, or the time none.") from error
        require_signed(context, reader, said["at"], digest, hex_bytes(said["signature"]))
        return self.queue.letters(reader)

    def checks(self) -> Sequence[tuple[str, Any]]:
        """What it needs to take readings: room. Ledger and store may be away for a while."""

        def room() -> Verdict:
            self.queue.require_room()
            return Verdict(True, "there is room for readings")

        return [("queue", room)]


def _twins(context: Context, queue: ReadingQueue, devices: Devices) -> tuple[Twins, VitalSigns] | tuple[None, None]:
    try:
        require_extra()
    except InputError:
        return None, None
    from .twins import Twins, shipped
    from .vital_signs import VitalSigns

    twins = Twins(queue, shipped(), context.deployment, context.store, context.clock, devices.signer)
    return twins, VitalSigns(queue)


def make_service(gateway: Gateway) -> Service:
    """Its endpoints."""
    metrics = Metrics("gateway")
    totals = gateway.queue.totals
    metrics.gauge("unanchored", "Readings that are not anchored yet.").set_function(lambda: totals().rows)
    metrics.gauge("sealed_to_owners", "Blocks sealed to owners.").set_function(lambda: totals().letters)
    metrics.gauge("failures", "Batches that failed one after another.").set_function(lambda: gateway.pump.told.failures)
    metrics.gauge("swept", "Blocks of ended twins that were removed.").set_function(lambda: gateway.sweeper.blocks)
    metrics.gauge("anchored", "Readings anchored since the start.").set_function(lambda: gateway.pump.told.anchored)
    metrics.gauge("disk_free_bytes", "Bytes free on the disk of its queue.").set_function(gateway.queue.free_bytes)
    metrics.registry.register(NodeWatch(gateway.ledger, gateway.clock, metrics.prefix))
    _count_twins(gateway, metrics)
    count_devices(gateway.batches, gateway.refusals, metrics)
    count_relay(gateway.relay_pump, gateway.queue.relayed, metrics, gateway.clock)
    return Service(
        "gateway", "dtledger gateway", _router(gateway), metrics, gateway.checks(), gateway.start, gateway.stop
    )


def _count_twins(gateway: Gateway, metrics: Metrics) -> None:
    ages, twins, vital_signs = gateway.pump.freshness.ages, gateway.twins, gateway.vital_signs
    clock = gateway.clock
    oldest = metrics.gauge(
        "oldest_twin_seconds", "Age of the newest anchored reading of the twin that is silent longest."
    )
    oldest.set_function(lambda: max((each.seconds for each in ages(clock())), default=0))
    stale = metrics.gauge("stale_twins", "Twins' categories whose newest anchored reading is older than it may be.")
    stale.set_function(lambda: sum(each.stale for each in ages(clock())))
    if twins is None or vital_signs is None:
        return
    alarms = metrics.counter("alarms", "Low readings, by whether they are relied on.", ("unverified",))
    for each in ("yes", "no"):
        alarms.labels(each)
    twins.alarms.heard.append(lambda unverified: alarms.labels("yes" if unverified else "no").inc())
    metrics.gauge("doubtful", "Readings since the start that are suspect or unverified.").set_function(
        lambda: twins.doubtful + vital_signs.doubtful
    )
    metrics.gauge("states_refused", "Twins whose states consent to write does not cover.").set_function(
        lambda: len(twins.refused) + len(vital_signs.refused)
    )


def _router(gateway: Gateway) -> APIRouter:
    router = APIRouter()
    serve_devices(router, gateway.devices, gateway.batches)
    serve_relay(router, gateway.relay, gateway.relay_pump, gateway.queue.relayed)

    @router.post(
        "/v1/readings",
        status_code=202,
        **json_of("Take readings of one twin and category.", intake.DESCRIPTION, intake.EXAMPLE),
    )
    def readings(body: Body, authorization: Annotated[str | None, Header()] = None) -> JSONResponse:
        return JSONResponse(gateway.intake.take(body, gateway.senders.of(authorization)), 202)

    @router.put("/v1/blocks", **cbor("Keep blocks: [sender, time, signature, [[codec, bytes], …]]."))
    def put_blocks(body: Body) -> Response:
        gateway.blocks.put(body)
        return Response(status_code=204)

    @router.post("/v1/blocks/remove", **cbor("Forget blocks: [sender, time, signature, [CID, …]]."))
    def remove_blocks(body: Body) -> Response:
        gateway.blocks.remove(body)
        return Response(status_code=204)

    @router.get("/v1/blocks/{cid}", summary="The block of that CID, or 404.")
    def get_block(cid: str) -> Response:
        try:
            return Response(gateway.blocks.get(read_cid(cid)), media_type="application/octet-stream")
        except BlockMissingError:
            return Response(status_code=404)

    @router.head("/v1/blocks/{cid}", summary="Whether the block is here: 200 or 404.")
    def has_block(cid: str) -> Response:
        return Response(status_code=200 if gateway.blocks.has(read_cid(cid)) else 404)

    @router.post("/v1/unanchored", **json_of("What was sealed to whoever signs: {reader, at, signature}."))
    def unanchored(body: Body) -> JSONResponse:
        return JSONResponse({"cids": gateway.unanchored(body)})

    @router.get("/v1/status", summary="How it stands.")
    def status() -> JSONResponse:
        return JSONResponse(gateway.status.look())

    return router
