"""Which devices a gateway takes batches of: those whose twin's owner says so, to this gateway, in a signed word.

The gateway believes the ledger on who owns the twin, and keeps the owner's words in its queue's file, sealed. A word is
handed over within minutes of when it was signed, so that no old one comes back; a suspended device stays suspended.

Warning: a gateway that ignores a suspension breaks the owner's word, and nobody sees it. What an owner needs does not
hang on it: the grant to write, by which all that the gateway anchors counts or not, is revoked on the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any, TypeVar

from .._backend.refusal_file import RefusalFile
from .._backend.twin_tables import Sealed
from ..client import Context
from ..device.batch import Code
from ..device.enrolment import Enrolment, Suspension, read_enrolment, read_suspension
from ..encoding import address, decode, require_few
from ..errors import AccessDeniedError, InputError, IntegrityError, LimitPassedError
from ..ledger import Deployment, messages
from ..readings import Reading
from ..types import Address, Digest
from ..vocabulary import Reason
from .owners import Owners
from .queue import Hour, ReadingQueue
from .rights import Rights
from .signed import FRESH_SECONDS, require_signed

MOST_OF_TWIN = 64
"""Devices that are enrolled for one twin at a time."""
MOST_EVER = 1_024
"""Of one twin, the suspended ones too: they are kept, for what was suspended does not come back."""

MOST_KNOWN = 65_536
"""Devices that are kept in memory."""

Word = TypeVar("Word", Enrolment, Suspension)
SHOWN = 20
"""Refusals of one device that are listed one by one."""
MOST_LISTED = 1_000
"""Devices that are listed, the newest first."""


@dataclass(frozen=True, slots=True)
class Chain:
    """How far a device has come: number and hash of its newest batch, that batch's time, and the newest time of each
    channel (unix seconds)."""

    number: int
    head: Digest
    at: int
    last: tuple[int, ...]

    @classmethod
    def begin(cls, enrolment: Enrolment) -> Chain:
        return cls(0, enrolment.digest, 0, (-1,) * len(enrolment.channels))


@dataclass(frozen=True, slots=True)
class Device:
    """A device that is enrolled; `suspended` is when that ended, 0 if it did not."""

    enrolment: Enrolment
    suspended: int
    chain: Chain


class Devices:
    """The devices of one gateway, for any thread."""

    def __init__(self, context: Context, queue: ReadingQueue, rights: Rights, refusals: RefusalFile) -> None:
        self._context = context
        self._queue = queue
        self._rights = rights
        self._refusals = refusals
        self._known: dict[bytes, Device] = {}
        self._owners = Owners(rights.looks)
        self._lock = RLock()

    # what owners say -----------------------------------------------------------------------------------------

    def enrol(self, block: bytes) -> Enrolment:
        """Take batches of the device in that block from now on; said again it changes nothing.

        Raises:
            InputError: it is no enrolment for this gateway, or not signed just now.
            AccessDeniedError: its signer does not own the twin, the gateway may not write that to it, or the device
                is suspended.
            LimitPassedError: the twin has as many devices as one may have.
            UnreachableError: the ledger does not answer.
        """
        enrolment = self._said(read_enrolment, block)
        if self._owners.present(enrolment.twin) != enrolment.owner:
            raise AccessDeniedError("Devices are enrolled by the owner of the twin.", reason=Reason.NO_GRANT)
        for each in enrolment.channels:
            self._rights.require(enrolment.twin, each.category, [Reading(self._context.clock(), 0.0, each.unit)])
        with self._lock:
            known = self.find(enrolment.device)
            if known is not None and known.suspended:
                raise AccessDeniedError("That device is suspended: enrol it anew.", reason=Reason.SUSPENDED)
            if known is None:
                beside = [each.suspended for each in self.all() if each.enrolment.twin == enrolment.twin]
                if beside.count(0) >= MOST_OF_TWIN:
                    raise LimitPassedError(
                        f"A twin has at most {MOST_OF_TWIN} devices here.", limit="devices", hint="Suspend one."
                    )
                if len(beside) >= MOST_EVER:
                    raise LimitPassedError(f"A twin had {MOST_EVER:,} devices here, and gets no more.", limit="devices")
                self._keep(block, enrolment, 0)
        return enrolment

    def suspend(self, block: bytes) -> bytes:
        """Take nothing more of the device that the block names, and return its name; said again it changes nothing.

        Raises:
            InputError: it is no suspension for this gateway, not signed just now, or of no device that is enrolled.
            AccessDeniedError: its signer neither enrolled the device nor owns its twin.
        """
        said = self._said(read_suspension, block)
        present = self._owners.present(said.twin)
        with self._lock:
            known = self.find(said.device)
            if known is None or known.enrolment.twin != said.twin:
                raise InputError("No such device of that twin is enrolled here.")
            if said.owner not in (known.enrolment.owner, present):
                raise AccessDeniedError("A device is suspended by its twin's owner.", reason=Reason.NO_GRANT)
            if not known.suspended:
                self._keep(self.block(said.device), known.enrolment, max(said.at, 1))
        return said.device

    def _said(self, read: Callable[[Deployment, bytes], Word], block: bytes) -> Word:
        context = self._context
        try:
            said = read(context.deployment, block)
        except IntegrityError as error:
            raise InputError(f"That is no owner's word on a device: {error.message}.") from error
        if said.gateway != context.key.address:
            raise InputError("That is said to another gateway.")
        if abs(context.clock() - said.at) > FRESH_SECONDS:
            raise InputError("That was not signed just now.", hint="Set this machine's clock, and sign anew.")
        return said

    # what is known -------------------------------------------------------------------------------------------

    def find(self, device: bytes) -> Device | None:
        """The device of that name, if it is or was enrolled."""
        return self._named(self._name("device", device))

    def signer(self, source: str) -> bytes:
        """The key that signed what came from a source (`queue.Measured`), empty for what nobody signed. By the key, and
        not by the name: one device may be enrolled twice."""
        name = bytes.fromhex(source.partition("/")[0])
        known = self.find(name) if name else None
        return name if known is None else known.enrolment.key

    def all(self) -> list[Device]:
        """Every device that is or was enrolled."""
        return [known for name in self._queue.devices.names() if (known := self._named(name)) is not None]

    def sealed(self, device: bytes, chain: Chain) -> Sealed:
        """How far its chain has come, as the queue keeps it."""
        state = [chain.number, chain.head, chain.at, list(chain.last)]
        return self._queue.seal.close(self._name("chain", device), state)

    def moved(self, device: bytes, chain: Chain) -> None:
        """Its chain has come that far, and that is written."""
        name = self._name("device", device)
        with self._lock:
            if (known := self._known.get(name)) is not None:  # it may have been suspended meanwhile
                self._known[name] = replace(known, chain=chain)

    def is_owners(self, enrolment: Enrolment) -> bool:
        """Whether who enrolled it owns the twin. A ledger that is away refuses nothing: `strange` judges once more."""
        return self._owners.may_be(enrolment.twin, enrolment.owner)

    def strange(self, hour: Hour) -> set[int]:
        """The numbers of an hour's rows of devices that a former owner enrolled: taken while the ledger was away.

        Raises:
            UnreachableError: the ledger does not answer.
        """
        found = set()
        for row, source in zip(hour.rows, hour.sources, strict=True):
            name = bytes.fromhex(source.partition("/")[0])
            known = self.find(name) if name else None
            if known is not None and not self._owners.owns(hour.twin, known.enrolment.owner):
                found.add(row.number)
        return found

    def _keep(self, block: bytes, enrolment: Enrolment, suspended: int) -> None:
        name = self._name("device", enrolment.device)
        self._queue.devices.keep(self._queue.seal.close(name, [block, suspended]))
        self._known.pop(name, None)

    def block(self, device: bytes) -> bytes:
        """The owner's word on a device that is known."""
        kept = self._queue.devices.find("devices", self._name("device", device))
        assert kept is not None
        block: bytes = self._queue.seal.open(kept)[0]
        return block

    def _named(self, name: bytes) -> Device | None:
        """The device that the queue keeps by that name, read once: anybody may ask for a list of all."""
        known = self._known.get(name)
        if known is not None:
            return known
        with self._lock:  # else what was read before a suspension is remembered after it
            if (kept := self._queue.devices.find("devices", name)) is not None:
                known = self._read(kept)
                if len(self._known) >= MOST_KNOWN:
                    self._known.clear()
                self._known[name] = known
        return known

    def _read(self, kept: Sealed) -> Device:
        block, suspended = self._queue.seal.open(kept)
        enrolment = read_enrolment(self._context.deployment, block)
        chained = self._queue.devices.find("chains", self._name("chain", enrolment.device))
        if chained is None:
            return Device(enrolment, suspended, Chain.begin(enrolment))
        number, head, at, last = self._queue.seal.open(chained)
        return Device(enrolment, suspended, Chain(number, Digest(head), at, tuple(last)))

    def _name(self, kind: str, device: bytes) -> bytes:
        return self._queue.seal.name(kind, device)

    # what is shown -------------------------------------------------------------------------------------------

    def listed(self, reader: Address) -> dict[str, Any]:
        """The devices of a reader's twins, with every reason for which they were refused; to this gateway's own key
        all, and what was refused of no device that is known."""
        everything = reader == self._context.key.address
        view = self._context.view()
        found = [
            each
            for each in self.all()
            if everything or reader in (each.enrolment.owner, view.owner(each.enrolment.twin))
        ]
        newest = sorted(found, key=lambda each: each.enrolment.at, reverse=True)[:MOST_LISTED]
        return {
            "devices": [self._shown(each) for each in newest],
            "more": len(found) - len(newest),
            "unknown": self._refused(b"") if everything else None,
        }

    def reader(self, body: bytes) -> Address:
        """Who asks for the list by a request [reader, time, signature].

        Raises:
            InputError: it is not of that form, or not of this time.
            AccessDeniedError: it is not signed by the reader, for this gateway.
        """
        context = self._context
        try:
            require_few(body, 4)
            match decode(body):
                case [str(reader), int(at), bytes(signature)]:
                    who = address(reader)
                    digest = messages.devices_request(context.deployment, who, context.key.address, at)
                case _:
                    raise ValueError("another form")
        except (IntegrityError, OverflowError, ValueError) as error:
            raise InputError("A request is [reader, time, signature].") from error
        require_signed(context, who, at, digest, signature)
        return who

    def _shown(self, known: Device) -> dict[str, Any]:
        said, chain = known.enrolment, known.chain
        return {
            "device": said.device.hex(),
            "twin": said.twin,
            "owner": said.owner,
            "channels": [[each.category, each.unit, each.decimals, each.quality] for each in said.channels],
            "since": said.since,
            "enrolled_at": said.at,
            "suspended_at": known.suspended or None,
            "number": chain.number,
            "newest_at": max(chain.last) if chain.number else None,
            **self._refused(said.device),
        }

    def _refused(self, device: bytes) -> dict[str, Any]:
        return {
            "refused": [
                {"reason": Code(each.code).name, "count": each.count, "first_at": each.first, "last_at": each.last}
                for each in self._refusals.counts(device)
            ],
            "newest": [
                {"at": each.at, "batch": each.batch, "reason": Code(each.code).name, "readings": each.readings}
                for each in self._refusals.newest(device, SHOWN)
            ],
        }
