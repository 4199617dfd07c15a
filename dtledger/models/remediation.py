"""Remediations: what a coordinator says became of rounds under which consents were withdrawn, and whether it is so.

An aggregate is *affected* by a withdrawal if it, or one that it builds on, was trained under the consent: that is its
line. What its coordinator records afterwards is of two kinds. *Accepted*: it stays in use, and the record says why.
*Retrained*: the model went back to before the consent was used; that is seen once a round is finalised whose line is
free of it, and as long as the model is not put back onto it. Who finalises the very bytes that an earlier round made
has its weights, whatever the round started from: they are of that round's line. Nothing is said of unlearning: what
went into weights that somebody has stays in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from ..encoding import CID
from ..errors import CannotCheckError, InputError, IntegrityError
from ..ledger import Deployment, Model, Remediation, View
from ..snapshots.signed import Signer, read_block, sign_block
from ..store import BlockMissingError, BlockStore
from ..types import Address
from .withdrawal import Withdrawal

LONGEST_REASON = 1000
"""Most characters of a reason."""


@dataclass(frozen=True, slots=True)
class RemediationRecord:
    """What a coordinator signs: which rounds, what became of them, and why. It is public: it names no patient.

    Raises:
        InputError: the reason cannot be used.
    """

    model: int
    first: int
    last: int
    retrained: bool
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip() or not self.reason.isprintable() or len(self.reason) > LONGEST_REASON:
            raise InputError(f"A reason is printable, in one line, and of 1 to {LONGEST_REASON} characters.")

    def sign(self, deployment: Deployment, coordinator: Signer) -> bytes:
        body = {
            "model": self.model,
            "first": self.first,
            "last": self.last,
            "retrained": self.retrained,
            "reason": self.reason,
        }
        return sign_block(deployment, "ModelRemediation", body, coordinator)

    def says(self, told: Remediation) -> bool:
        """Whether the ledger has the same of it."""
        said = (self.model, self.first, self.last, self.retrained)
        return said == (told.model, told.first, told.last, told.retrained)

    @classmethod
    def read(cls, deployment: Deployment, block: bytes) -> tuple[RemediationRecord, Address]:
        """The record of a block, and who signed it.

        Raises:
            IntegrityError: it is not a well-formed signed record.
        """
        body, coordinator = read_block(deployment, "ModelRemediation", block)
        match body:
            case {
                "model": int(model),
                "first": int(first),
                "last": int(last),
                "retrained": bool(retrained),
                "reason": str(reason),
                **rest,
            } if not rest:
                try:
                    return cls(model, first, last, retrained, reason), coordinator
                except InputError:
                    pass
        raise IntegrityError("a coordinator's record of a remediation is malformed", party=coordinator)


def record_of(deployment: Deployment, store: BlockStore, model: Model, told: Remediation) -> RemediationRecord:
    """The coordinator's record of a remediation.

    Raises:
        IntegrityError: it is not the coordinator's, or says otherwise than the ledger.
        UnreachableError: it is not to be had.
    """
    record, signer = RemediationRecord.read(deployment, store.get(CID(told.record)))
    if signer != model.coordinator or not record.says(told):
        raise IntegrityError("the coordinator's record of a remediation says otherwise than the ledger")
    return record


class Standing(Enum):
    """How an affected aggregate stands."""

    OPEN = "affected"
    UNDER_WAY = "to be retrained"
    RETRAINED = "retrained"
    ACCEPTED = "accepted"
    UNPROVEN = "remediated, by no record that can be read"

    @property
    def remediated(self) -> bool:
        return self in (Standing.RETRAINED, Standing.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Affected:
    """An aggregate that withdrawals touch: the round that made it, and how it stands. `remediation` is what mends it,
    or is to, and `reason` its record's."""

    round: int
    withdrawals: tuple[Withdrawal, ...]
    standing: Standing
    remediation: Remediation | None = None
    reason: str = ""


def line_of(view: View, model: int, number: int) -> list[int]:
    """The rounds that a round's aggregate is made of, itself first: those that it builds on, and earlier ones that made
    the same bytes."""
    bases = {each.number: each.base for each in view.rounds(model)}
    bytes_of = {each: made.aggregate for each in bases if (made := view.aggregate(model, each))}
    line: dict[int, None] = {}
    waiting = [number] if number else []
    while waiting:
        each = waiting.pop(0)
        line[each] = None
        same = [one for one in bytes_of if one < each and bytes_of[one] == bytes_of.get(each)]
        waiting += [one for one in dict.fromkeys([bases[each], *same]) if one and one not in line]
    return list(line)


def affected_by(
    deployment: Deployment, view: View, store: BlockStore, model: Model, withdrawals: Iterable[Withdrawal]
) -> Iterator[Affected]:
    """Each aggregate that one of these withdrawals touches, by round.

    Raises:
        UnreachableError: the store does not answer. What it lacks makes a remediation unproven.
    """
    known = tuple(withdrawals)
    made = [each.number for each in view.rounds(model.number) if view.aggregate(model.number, each.number)]
    present = view.present(model.number)
    built_upon = {*line_of(view, model.number, present.base)} if present else set()
    for number in made:
        line = line_of(view, model.number, number)
        touching = tuple(each for each in known if each.round in line)
        if not touching:
            continue
        first, since = min(each.round for each in touching), max(each.block for each in touching)
        mending = [
            each
            for each in view.remediations(model.number)
            if each.covers(number) and each.block >= since and (not each.retrained or each.first <= first)
        ]
        if not mending:
            yield Affected(number, touching, Standing.OPEN)
            continue
        told = mending[-1]
        used = {each.round for each in touching}
        if told.retrained and used & built_upon:
            yield Affected(number, touching, Standing.OPEN)  # a later retraining put the model back onto it
            continue
        try:
            reason = record_of(deployment, store, model, told).reason
        except (BlockMissingError, CannotCheckError, IntegrityError):
            yield Affected(number, touching, Standing.UNPROVEN, told)
            continue
        free = any(later > told.last and not used & {*line_of(view, model.number, later)} for later in made)
        standing = Standing.ACCEPTED if not told.retrained else Standing.RETRAINED if free else Standing.UNDER_WAY
        yield Affected(number, touching, standing, told, reason)
