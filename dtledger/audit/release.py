"""The claims about a release. From the file and the weights alone:

- **signature**: its statement is as the address signed it that it names, and that is whom one expected.
- **file**: each file that it names is the one at hand.

With a ledger besides:

- **deployment**: it is of this ledger.
- **coordinator**: who signed it coordinates the model.
- **round**: the ledger has that round, on that parent, made into that aggregate by that record.
- **updates**: the ledger has those updates, of those sites, under those consent roots, and no others; and those went
  into the aggregate that the coordinator's record names. Needs the store.

Warning: a release says under which roots was trained, not that the consents stood. That is the audit of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from ..errors import CannotCheckError, IntegrityError
from ..ledger import Deployment, View
from ..models.origin import Origin
from ..models.release import Release, Resource
from ..models.update import digest_of
from ..store import BlockStore
from ..types import Address
from ..vocabulary.numbers import number_of
from .claims import Claim, checked

OfFile = Callable[[str], Iterable[bytes] | None]
"""The bytes of a file by its name, in pieces; None if it is not at hand."""


class ReleaseAudit:
    """The audit of one release.

    Args:
        data: what the file of the release holds.
        file: gives the files that it names.
        by: who is expected to have signed it.
        name: what to call an address.

    `release` is what it says, and `signers` who signed it; None and nobody if it is not in due form.
    """

    def __init__(
        self, data: bytes, file: OfFile, by: Address | None = None, name: Callable[[Address], str] = str
    ) -> None:
        self._file = file
        self._by = by
        self._name = name
        self.release: Release | None = None
        self.signers: tuple[Address, ...] = ()
        self._fault: IntegrityError | None = None
        try:
            self.release, self.signers = Release.read(data)
        except IntegrityError as error:
            self._fault = error

    def claims(self) -> Iterator[Claim]:
        """What can be checked without a ledger."""
        yield checked("signature", "the release", self._signature)
        for each in self.release.resources if self.release else ():
            yield checked("file", each.name, partial(self._resource, each))

    def on_ledger(self, deployment: Deployment, view: View, store: BlockStore) -> Iterator[Claim]:
        """What a ledger says of it; nothing, if the release is not in due form."""
        if self.release is None:
            return
        look = _Ledger(self.release.origin, deployment, view, store)
        yield checked("deployment", "the ledger", look.deployment)
        yield checked("coordinator", "the ledger", partial(look.coordinator, self.signers, self._name))
        for name, claim in (("round", look.round), ("updates", look.updates)):
            yield checked(name, f"round {self.release.origin.round}", claim)

    def _signature(self) -> str:
        if self._fault is not None:
            raise self._fault
        signed = ", ".join(map(self._name, self.signers))
        if self._by is not None and self._by not in self.signers:
            raise IntegrityError(f"signed by {signed}, not by {self._name(self._by)}")
        return f"signed by {signed}"

    def _resource(self, resource: Resource) -> str:
        chunks = self._file(resource.name)
        if chunks is None:
            raise CannotCheckError("the file is not at hand")
        if digest_of(chunks) != resource.digest:
            raise IntegrityError("the file is not what was released")
        return f"its SHA-256 is 0x{resource.digest.hex()}"


class _Ledger:
    """What the ledger says of an origin; each claim returns its evidence, or raises as `checked` says."""

    def __init__(self, origin: Origin, deployment: Deployment, view: View, store: BlockStore) -> None:
        self._origin = origin
        self._deployment = deployment
        self._view = view
        self._store = store

    def deployment(self) -> str:
        origin, here = self._origin, self._deployment
        said = (origin.deployment, origin.chain_id, origin.genesis, origin.ledger)
        if said != (here.id, here.chain_id, here.genesis, here.contracts["ModelLedger"]):
            raise IntegrityError(f"it is of {origin.deployment}, this ledger is {here.id}")
        return origin.deployment

    def coordinator(self, signers: tuple[Address, ...], name: Callable[[Address], str]) -> str:
        model = self._view.model(self._origin.model)
        if model is None:
            raise IntegrityError(f"there is no model {self._origin.model}")
        if model.coordinator not in signers or model.coordinator != self._origin.coordinator:
            raise IntegrityError(f"model {model.number} is coordinated by {name(model.coordinator)}")
        if (model.purpose, model.categories) != (self._origin.purpose, self._origin.categories):
            raise IntegrityError(f"model {model.number} has other terms")
        return f"{name(model.coordinator)} coordinates model {model.number}"

    def round(self) -> str:
        origin = self._origin
        opened, made = (
            self._view.round(origin.model, origin.round),
            self._view.aggregate(origin.model, origin.round),
        )
        if opened is None or made is None:
            raise IntegrityError(f"the ledger has no round {origin.round} of model {origin.model} that is finalised")
        said = (origin.parent, origin.opened, origin.aggregate, origin.record, origin.finalised)
        if said != (opened.parent, opened.block, made.aggregate, made.record, made.block):
            raise IntegrityError("the ledger says otherwise of the round")
        return f"made into 0x{made.aggregate.hex()} in block {made.block}"

    def updates(self) -> str:
        origin, view = self._origin, self._view
        model, opened = view.model(origin.model), view.round(origin.model, origin.round)
        if model is None or opened is None or view.aggregate(origin.model, origin.round) is None:
            raise CannotCheckError("the ledger has no such round")  # which the claims before say
        there = Origin.of(self._deployment, view, self._store, model, opened)
        if origin.updates != there.updates:
            raise IntegrityError("ledger and coordinator's record have other updates in the round")
        if origin.research != there.research:
            raise IntegrityError("the sites' records have other research terms")
        used = sum(each.used for each in there.updates)
        return f"{used} of {number_of(len(there.updates), 'update')}, {number_of(there.cohort, 'twin')}"
