"""What can be done to a round: on the wire, by a site, by a coordinator. Each is one fault; without it the same run is
as it should be.

An attack is made on the site `victim` in the round `number`, and says what the coordinator's report has of it then.
"""

from __future__ import annotations

import copy
import io
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from flwr.app import ConfigRecord, Message

from dtledger import encoding
from dtledger.client import Client, Plan
from dtledger.crypto import seal
from dtledger.federated.grid import InProcessGrid
from dtledger.federated.messages import PROVENANCE, arrays_of, record_of
from dtledger.federated.site import Answer, Cohort, Site, Turn
from dtledger.models import consents
from dtledger.models.opening import Shown
from dtledger.models.update import Trained, UpdateRecord
from dtledger.testing import MemoryKey
from tests.federated.scene import BUDGET, START, Scene

Replies = list[Message]
Change = Callable[[Scene, Replies, int], None]


@dataclass(frozen=True)
class Attack:
    """`says` is in the reason of the refusal, `refused` counts the updates that the report refuses for it; None is one
    whose site sends nothing else than an error."""

    says: str
    change: Change | None = None
    liar: Callable[[Scene], type[Site]] | None = None
    options: Callable[[Scene], dict[str, Any]] | None = None
    refused: int = 1
    first: int = 1
    """The first round that it can be made in."""


ATTACKS: dict[str, Attack] = {}


def on_the_wire(name: str, says: str, refused: int = 1, first: int = 1) -> Callable[[Change], Change]:
    """Keeps a change of the replies on their way to the coordinator; the victim's place is given."""

    def keep(change: Change) -> Change:
        ATTACKS[name] = Attack(says, change=change, refused=refused, first=first)
        return change

    return keep


def wire_of(scene: Scene, change: Change | None, victim: int, number: int) -> type[InProcessGrid]:
    """A grid on which the replies of one round are changed, and which remembers them all (`scene.seen`)."""

    class Wire(InProcessGrid):
        def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> Replies:
            replies = sorted(super().send_and_receive(messages), key=lambda each: each.metadata.src_node_id)
            scene.seen += copy.deepcopy(replies)
            rounds = scene.world.ledger.view().rounds(scene.model)
            if change is not None and replies and rounds[-1].number == number:
                change(scene, replies, victim)
            return replies

    return Wire


def _said(reply: Message, **changes: bytes) -> None:
    record = dict(reply.content[PROVENANCE])
    reply.content[PROVENANCE] = ConfigRecord({**record, **changes})  # type: ignore[dict-item]


def _set(reply: Message, arrays: Any) -> None:
    reply.content["arrays"] = record_of(arrays)


# missing, tampered ----------------------------------------------------------------------------------------------------


@on_the_wire("the record is missing", "carries no record")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    replies[victim].content.pop(PROVENANCE)


@on_the_wire("the record is empty", "carries no record")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    _said(replies[victim], record=b"")


@on_the_wire("one number is another", "arrays are not what")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    arrays = arrays_of(replies[victim].content)
    arrays["w"][0] = np.nextafter(arrays["w"][0], np.float32(9))
    _set(replies[victim], arrays)


@on_the_wire("the arrays are in another order", "arrays are not what")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    arrays = arrays_of(replies[victim].content)
    _set(replies[victim], dict(reversed(arrays.items())))


@on_the_wire("an array has another name", "arrays are not what")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    arrays = arrays_of(replies[victim].content)
    _set(replies[victim], {"w": arrays["w"], "c": arrays["b"]})


@on_the_wire("the arrays are wider", "arrays are not what")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    arrays = arrays_of(replies[victim].content)
    _set(replies[victim], {name: each.astype(np.float64) for name, each in arrays.items()})


@on_the_wire("there are two records of arrays", "one record of arrays")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    replies[victim].content["more"] = replies[victim].content["arrays"]


@on_the_wire("the arrays are no arrays", "cannot be read")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    for each in replies[victim].content["arrays"].values():
        each.data = b"nothing"


def _written(reply: Message, data: bytes) -> None:
    for each in reply.content["arrays"].values():
        each.data = data


@on_the_wire("the arrays are an archive", "an archive")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    packed = io.BytesIO()
    np.savez(packed, w=START["w"])
    _written(replies[victim], packed.getvalue())


@on_the_wire("the arrays are the beginning of an archive", "cannot be read")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    _written(replies[victim], b"PK\x03\x04")


@on_the_wire("the arrays are said to be of more numbers than a machine holds", "cannot be read")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    packed = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (1 << 60,)}
    np.lib.format.write_array_header_1_0(packed, header)
    _written(replies[victim], packed.getvalue())


@on_the_wire("the head of the arrays is no end of brackets", "cannot be read")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    head = b"(" * 5000
    _written(replies[victim], b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)


@on_the_wire("the salt is another", "arrays are not what")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    _said(replies[victim], salt=bytes(32))


@on_the_wire("the salt is missing", "arrays are not what")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    _said(replies[victim], salt=b"")


@on_the_wire("a byte of the record is another", "")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    block = bytearray(replies[victim].content[PROVENANCE]["record"])
    block[len(block) // 2] ^= 1
    _said(replies[victim], record=bytes(block))


# forged ---------------------------------------------------------------------------------------------------------------


def _signed_again(scene: Scene, reply: Message, signer: Any, **changes: Any) -> None:
    deployment = scene.world.ledger.deployment
    record, _ = UpdateRecord.read(deployment, reply.content[PROVENANCE]["record"])
    _said(reply, record=replace(record, **changes).sign(deployment, signer))


@on_the_wire("the record is signed by the other site", "not what the site committed to")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    _signed_again(scene, replies[victim], scene.hospitals[1 - victim].client.context.key)


@on_the_wire("the record is signed by nobody known", "committed to no update")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    _signed_again(scene, replies[victim], MemoryKey("stranger"))


@on_the_wire("the record is signed by the coordinator", "committed to no update")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    _signed_again(scene, replies[victim], scene.coordinator.context.key)


@on_the_wire("the site signs another cohort than it committed to", "not what the site committed to")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    _signed_again(scene, replies[victim], scene.hospitals[victim].client.context.key, cohort=99)


@on_the_wire("the site signs that it spent less than it committed to", "not what the site committed to")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    _signed_again(scene, replies[victim], scene.hospitals[victim].client.context.key, epsilon=1)


# replayed, swapped ----------------------------------------------------------------------------------------------------


@on_the_wire("the reply is that of the round before", "the record is of round", first=2)
def _(scene: Scene, replies: Replies, victim: int) -> None:
    replies[victim] = copy.deepcopy(scene.seen[-4:][victim])


@on_the_wire("the arrays are those of the round before", "arrays are not what", first=2)
def _(scene: Scene, replies: Replies, victim: int) -> None:
    _set(replies[victim], arrays_of(scene.seen[-4:][victim].content))


@on_the_wire("the reply comes twice", "came twice")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    replies.append(copy.deepcopy(replies[victim]))


@on_the_wire("the other site's reply comes in its place", "came twice")
def _(scene: Scene, replies: Replies, victim: int) -> None:
    replies[victim] = copy.deepcopy(replies[1 - victim])


@on_the_wire("two sites' arrays are swapped", "arrays are not what", refused=2)
def _(scene: Scene, replies: Replies, victim: int) -> None:
    one, other = (arrays_of(each.content) for each in replies)
    _set(replies[0], other)
    _set(replies[1], one)


@on_the_wire("two sites' records are swapped", "arrays are not what", refused=2)
def _(scene: Scene, replies: Replies, victim: int) -> None:
    one, other = (each.content[PROVENANCE] for each in replies)
    replies[0].content[PROVENANCE], replies[1].content[PROVENANCE] = other, one


# a site that lies -----------------------------------------------------------------------------------------------------


def by_the_site(name: str, says: str, **options: Any) -> Callable[[type[Site]], type[Site]]:
    """Keeps a site that lies in one round and is honest in all others: `self.lies` says when."""

    def keep(liar: type[Site]) -> type[Site]:
        ATTACKS[name] = Attack(says, liar=lambda scene: liar, options=lambda scene: options)
        return liar

    return keep


class Liar(Site):
    """A site that lies in the rounds of `lies`; `scene` is where it does."""

    scene: Scene
    lies: Sequence[int] = ()

    def lying(self, turn: Turn) -> bool:
        return turn.round.number in self.lies


class _Counts(Liar):
    """Counts a twin more than it may."""

    def commit(self, turn: Turn, plan: Plan, *rest: Any) -> Answer:
        return super().commit(turn, self.counted(plan) if self.lying(turn) else plan, *rest)

    def counted(self, plan: Plan) -> Plan:
        raise NotImplementedError


@by_the_site("a patient is counted who never consented", "twin", shows=True)
class _WithAStranger(_Counts):
    def counted(self, plan: Plan) -> Plan:
        stranger = Shown(Trained(self.scene.world.twin, self.address, 0), secrets.token_bytes(32), plan.shown[0].bits)
        return replace(plan, shown=(*plan.shown, stranger))


@by_the_site("a patient of the other hospital is counted", "twin", shows=True)
class _WithAnothers(_Counts):
    def counted(self, plan: Plan) -> Plan:
        other = next(each for each in self.scene.hospitals if each.client.address != self.address)
        twin = next(iter(other.patients))
        shown = Shown(Trained(twin, other.client.address, 0), secrets.token_bytes(32), plan.shown[0].bits)
        return replace(plan, shown=(*plan.shown, shown))


@by_the_site("a patient is counted twice", "counted twice", shows=True)
class _WithOneTwice(_Counts):
    def counted(self, plan: Plan) -> Plan:
        again = replace(plan.shown[0], link=secrets.token_bytes(32))
        return replace(plan, shown=(*plan.shown, again))


@by_the_site("nothing is shown of the cohort", "does not show", shows=True)
class _Silent(Liar):
    def commit(self, turn: Turn, *rest: Any) -> Answer:
        answer = super().commit(turn, *rest)
        return replace(answer, opening=b"") if self.lying(turn) else answer


@by_the_site("another round is shown", "", shows=True)
class _ShowsAnother(Liar):
    def commit(self, turn: Turn, *rest: Any) -> Answer:
        answer = super().commit(turn, *rest)
        context, coordinator = self.client.context, self.scene.coordinator
        block = encoding.decode(answer.opening)["opening"]
        place = encoding.encode(["dtledger/opening/1", context.deployment.id, coordinator.address])
        if not self.lying(turn):
            return answer
        opened = seal.open_(coordinator.context.key.seal_key, block, place)
        return replace(answer, opening=encoding.encode({"opening": opened}))


class _Stored(Liar):
    """Its leaves are not what its root says."""

    def commit(self, turn: Turn, *rest: Any) -> Answer:
        answer = super().commit(turn, *rest)
        if self.lying(turn):
            record, _ = UpdateRecord.read(self.client.context.deployment, answer.block)
            self.spoil(record)
        return answer

    def spoil(self, record: UpdateRecord) -> None:
        raise NotImplementedError


@by_the_site("the leaves cannot be fetched", "")
class _HidesLeaves(_Stored):
    def spoil(self, record: UpdateRecord) -> None:
        self.scene.world.store.remove([record.leaves])


@by_the_site("the leaves are damaged", "")
class _DamagesLeaves(_Stored):
    def spoil(self, record: UpdateRecord) -> None:
        self.scene.world.store.damage(record.leaves)


class _Drafts(Liar):
    """Commits to another record than an honest site would."""

    def commit(self, turn: Turn, plan: Plan, *rest: Any) -> Answer:
        training, real = self.client.training, self.client.training.draft

        def draft(*args: Any) -> Any:
            drafted = real(*args)
            context = self.client.context
            record = replace(drafted.record, **self.changes(drafted.record))
            block = record.sign(context.deployment, context.key)
            context.store.put(block, "dag-cbor")
            return replace(drafted, record=record, block=block)

        if self.lying(turn):
            training.draft = draft  # type: ignore[method-assign]
        try:
            return super().commit(turn, plan, *rest)
        finally:
            training.draft = real  # type: ignore[method-assign]

    def changes(self, record: UpdateRecord) -> dict[str, Any]:
        raise NotImplementedError


@by_the_site("more twins are claimed than there are leaves", "leaves")
class _ClaimsMore(_Drafts):
    def changes(self, record: UpdateRecord) -> dict[str, Any]:
        return {"cohort": record.cohort + 1}


@by_the_site("other leaves are named than make the root", "do not make the consent root")
class _NamesOthers(_Drafts):
    def changes(self, record: UpdateRecord) -> dict[str, Any]:
        made = consents.encode_leaves(consents.ordered([encoding.sha256(b"%d" % each) for each in range(3)]))
        return {"leaves": self.client.context.store.put(made, "dag-cbor")}


@by_the_site("another update was committed to", "arrays are not what")
class _CommitsAnother(_Drafts):
    def changes(self, record: UpdateRecord) -> dict[str, Any]:
        return {"update": encoding.sha256(b"another")}


@by_the_site("the update builds on something else", "refused: StaleParentError")
class _Stale(_Drafts):
    def changes(self, record: UpdateRecord) -> dict[str, Any]:
        return {"parent": encoding.sha256(b"another")}


@by_the_site("the update is of the round before", "refused: Round")
class _Late(_Drafts):
    def changes(self, record: UpdateRecord) -> dict[str, Any]:
        return {"round": record.round - 1}


@by_the_site("more privacy is claimed than there is", "refused: OverBudgetError")
class _OverBudget(_Drafts):
    def changes(self, record: UpdateRecord) -> dict[str, Any]:
        return {"epsilon": BUDGET + 1}


@by_the_site("the update is no number", "no finite number")
class _NoNumber(Liar):
    def commit(self, turn: Turn, plan: Plan, arrays: Any, metrics: Any) -> Answer:
        if self.lying(turn):
            arrays = {name: np.full_like(each, np.nan) for name, each in arrays.items()}
        return super().commit(turn, plan, arrays, metrics)


@by_the_site("the update has another shape", "other arrays than the model")
class _Shape(Liar):
    def commit(self, turn: Turn, plan: Plan, arrays: Any, metrics: Any) -> Answer:
        if self.lying(turn):
            arrays = {name: np.append(each, np.float32(0)) for name, each in arrays.items()}
        return super().commit(turn, plan, arrays, metrics)


__all__ = ["ATTACKS", "Attack", "Client", "Cohort", "Liar", "wire_of"]
