"""The rule's facts from storage, word by word: who might do what at a block, with nobody's account of how it came.

What the registries never wrote is a word that is not there, and that is proved as well: so it can be shown that
somebody had no permit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..encoding import address, keccak
from ..errors import IntegrityError
from ..ledger import Slot
from ..ledger.messages import word
from ..policy import SLOTS, Facts, Grant, Member, Request, check
from ..types import ZERO_ADDRESS, Address, Period
from ..vocabulary import Action, Purpose, Reason
from .chain import Chain
from .layout import Place, fields, mapped, variable, words_of
from .proofs import Header


class StoredFacts:
    """A `policy.Facts` at the end of one block of a chain. Every method raises as `Chain.header`."""

    def __init__(self, chain: Chain, block: int) -> None:
        self._chain = chain
        self._block = block

    def gather(self, twin: int, *whos: Address) -> None:
        """Ask at once for all that bears on the permits of some: four proofs in the place of twenty each, and one more
        for the grants that sleep."""
        self._words("TwinRegistry", [_owner(twin), *_state(twin), _card(twin)])
        self.gather_members(whos)
        members = [self.member(each) for each in whos]
        parties = list(dict.fromkeys([*whos, *(each.organisation for each in members if each and each.organisation)]))
        self.gather_members(parties)
        owner = self.owner(twin)
        if owner is not None:
            self.gather_slots(owner, twin, parties)
            sleeping = [
                (grantee, number)
                for grantee in parties
                for number in range(SLOTS)
                if self.grant(owner, twin, grantee, number).actions & Action.EMERGENCY.mask
            ]
            closings = [
                _closing(owner, twin, grantee, number, self.grant(owner, twin, grantee, number).revision, each)
                for grantee, number in sleeping
                for each in whos
            ]
            if closings:
                self._words("ConsentRegistry", closings)

    def gather_members(self, who: Iterable[Address]) -> None:
        """Ask at once what the registry has of these."""
        self._words("MemberRegistry", [place for each in who for place in _member(each)])

    def gather_slots(self, owner: Address, twin: int, parties: Iterable[Address]) -> None:
        """Ask at once for what an owner gave these, and whether they are blocked."""
        named = list(parties)
        slots = [_grant(owner, twin, each, number) for each in named for number in range(SLOTS)]
        self._words("ConsentRegistry", [_epoch(owner, twin), *(_block_count(twin, each) for each in named), *slots])

    def gather_grants(self, slots: Sequence[Slot]) -> None:
        """Ask at once what stands in these, and whether their grantees are blocked."""
        grants = [_grant(each.owner, each.twin, each.grantee, each.number) for each in slots]
        self._words("ConsentRegistry", [*grants, *{_block_count(each.twin, each.grantee): None for each in slots}])

    # what the rule asks

    def owner(self, twin: int) -> Address | None:
        return _account(self._word("TwinRegistry", _owner(twin)))

    def retired(self, twin: int) -> bool:
        return self.state(twin)["retireAt"] != 0

    def frozen_until(self, twin: int) -> int:
        return self.state(twin)["frozenUntil"]

    def member(self, who: Address) -> Member | None:
        said = fields("MemberRegistry", "_members", self._words("MemberRegistry", _member(who)))
        if not said["version"]:
            return None
        return Member(said["kinds"], _account(said["organisation"]), said["version"], bool(said["suspended"]))

    def blocked(self, twin: int, who: Address) -> bool:
        return self.block_count(twin, who) % 2 == 1

    def grant(self, owner: Address, twin: int, grantee: Address, number: int) -> Grant:
        return Grant.unpack(self._word("ConsentRegistry", _grant(owner, twin, grantee, number)))

    def epoch(self, owner: Address, twin: int) -> int:
        return self._word("ConsentRegistry", _epoch(owner, twin))

    def closes_at(self, owner: Address, twin: int, grantee: Address, number: int, opener: Address) -> int:
        revision = self.grant(owner, twin, grantee, number).revision
        return self._word("ConsentRegistry", _closing(owner, twin, grantee, number, revision, opener))

    # what an audit asks besides

    def changes(self, who: Address) -> int:
        """How often a member was written."""
        return fields("MemberRegistry", "_members", self._words("MemberRegistry", _member(who)))["changes"]

    def opening_count(self) -> int:
        """How many emergencies were ever opened, on whatever twin."""
        return self._word("ConsentRegistry", variable("ConsentRegistry", "openingCount"))

    def reviewed(self, opening: int) -> bool:
        """Whether an emergency was reviewed."""
        places = _opening(opening)
        return bool(fields("ConsentRegistry", "_openings", self._words("ConsentRegistry", places))["reviewed"])

    def model(self, model: int) -> dict[str, int]:
        """Where a model stands: its rounds, the newest one's updates, and whether that is open."""
        return dict(fields("ModelLedger", "_models", self._words("ModelLedger", _model(model))))

    def state(self, twin: int) -> dict[str, int]:
        """The twin's packed state, field by field."""
        return dict(fields("TwinRegistry", "_states", self._words("TwinRegistry", _state(twin))))

    def card(self, twin: int) -> bytes:
        """The digest of the twin's card, after all before it since the last move."""
        return self._word("TwinRegistry", _card(twin)).to_bytes(32)

    def block_count(self, twin: int, who: Address) -> int:
        return self._word("ConsentRegistry", _block_count(twin, who))

    def _word(self, contract: str, place: Place) -> int:
        return self._words(contract, [place])[0]

    def _words(self, contract: str, places: list[Place]) -> list[int]:
        return self._chain.words(contract, places, self._block)


def require_no_permit(facts: Facts, header: Header, twin: int, who: Address) -> str:
    """Pass if nothing at all was permitted to somebody on a twin at the end of a block: why, in words. It is asked of
    every slot of theirs and of their organisation's, by the terms that stand in it.

    Raises:
        IntegrityError: something was permitted.
        CannotCheckError: what was so at that block is not to be shown.
    """
    block = header.number
    owner, member = facts.owner(twin), facts.member(who)
    if owner == who:
        raise IntegrityError(f"{who} owned twin {twin} at block {block}")
    grantees = [who, *([member.organisation] if member and member.organisation else [])]
    reasons: set[Reason] = set()
    for grantee in grantees:
        for number in range(SLOTS):
            grant = facts.grant(owner or ZERO_ADDRESS, twin, grantee, number)
            for asked in _every_request(twin, who, grantee, number, grant):
                reason = check(facts, asked, header.at, header.at)
                if reason.permits:
                    raise IntegrityError(f"{twin}/{grantee}/{number} permitted {asked.action.name} at block {block}")
                reasons.add(reason)
    said = ", ".join(each.name for each in sorted(reasons, reverse=True))
    return f"{len(grantees) * SLOTS} slots at block {block}: {said}"


def _every_request(twin: int, who: Address, grantee: Address, number: int, grant: Grant) -> Iterable[Request]:
    """For each action what the grant's own terms would permit soonest; whatever it refuses, it refuses everything."""
    bit = max(grant.categories.bit_length() - 1, 0)
    data = Period(grant.data.start, grant.data.start)
    purposes = [each for each in Purpose if grant.purposes & each.mask] or [Purpose.TREAT]
    sleeping = grant.actions & Action.EMERGENCY.mask
    yield Request(twin, who, grantee, number, Action.WRITE, None, bit, data)
    for action in (Action.READ, Action.TRAIN):
        yield Request(twin, who, grantee, number, action, Purpose.ETREAT if sleeping else purposes[0], bit, data)


def _account(word: int) -> Address | None:
    return address("0x" + word.to_bytes(20).hex()) if word else None


def _owner(twin: int) -> Place:
    return mapped("TwinRegistry", "_owners", twin)


def _state(twin: int) -> list[Place]:
    return [mapped("TwinRegistry", "_states", twin)]


def _card(twin: int) -> Place:
    return mapped("TwinRegistry", "_cards", twin)


def _member(who: Address) -> list[Place]:
    return [mapped("MemberRegistry", "_members", who)]


def _grant(owner: Address, twin: int, grantee: Address, number: int) -> Place:
    return mapped("ConsentRegistry", "_grants", _slot(owner, twin, grantee, number))


def _slot(owner: Address, twin: int, grantee: Address, number: int) -> bytes:
    """The key of a slot: keccak256(abi.encode(owner, twin, grantee, number))."""
    return keccak(word(owner) + word(twin) + word(grantee) + word(number))


def _closing(owner: Address, twin: int, grantee: Address, number: int, revision: int, opener: Address) -> Place:
    key = keccak(_slot(owner, twin, grantee, number) + word(revision) + word(opener))
    return mapped("ConsentRegistry", "_closesAt", key)


def _epoch(owner: Address, twin: int) -> Place:
    return mapped("ConsentRegistry", "_epochs", owner, twin)


def _block_count(twin: int, who: Address) -> Place:
    return mapped("ConsentRegistry", "_blockCounts", twin, who)


def _opening(opening: int) -> list[Place]:
    return words_of("ConsentRegistry", "_openings", opening)


def _model(model: int) -> list[Place]:
    return words_of("ModelLedger", "_models", model)
