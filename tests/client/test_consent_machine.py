"""A twin's consents in any order: what its readers get, by the SDK and past it, is what a model of a few lines says."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dtledger.client import Client, Terms, publish_keyring
from dtledger.client.keyrings import granted_keys
from dtledger.errors import AccessDeniedError, UnreachableError
from dtledger.ledger import GrantRecord, Slot
from dtledger.snapshots.finder import Finder
from dtledger.snapshots.opening import Asking, open_snapshots
from dtledger.testing import MemoryKey, World
from dtledger.types import Address, Period
from dtledger.vocabulary import Action, Kind, Purpose
from tests.machines import REACHED, explore

pytestmark = pytest.mark.slow

HOUR, DAY = 3600, 86_400
FROZEN_SECONDS = 30 * DAY

FLOORS = {
    "read by a grantee": 5,
    "read by a member of one": 1,
    "read by the owner": 5,
    "read under a grant given anew": 1,
    "refused": 20,
    "refused past the client": 10,
    "opened past the client": 5,
    "read after an unblocking": 1,
    "read after a thaw": 1,
    "read after a move": 1,
    "refused to a former owner": 1,
}


@dataclass(frozen=True)
class Given:
    """A grant as the model has it."""

    glucose: bool
    purposes: frozenset[Purpose]
    past: bool
    ends: int
    again: bool
    moved: bool


class Consenting(RuleBasedStateMachine):
    """`given` is what stands of the present owner's grants, by grantee and number; whoever is not in it has none."""

    def __init__(self) -> None:
        super().__init__()
        self.world = world = World(hours=1, custodians=1, threshold=1)
        publish_keyring(world.hospital.context, [world.clinician.address])
        self.visitor = world.join("visitor", [Kind.CLINICIAN])
        self.friends = [world.client(MemoryKey(name)) for name in ("bea", "cem")]
        self.owner = world.patient
        self.former: list[Client] = []
        self.given: dict[tuple[Address, int], Given] = {}
        self.keep(world.consent, Given(True, frozenset([Purpose.TREAT]), True, world.clock.at + 30 * DAY, False, False))
        self.blocked: set[Address] = set()
        self.unblocked: set[Address] = set()
        self.frozen_until = self.thawed = 0
        self.packages: list[tuple[Client, GrantRecord]] = []
        self.remember(world.consent)

    def teardown(self) -> None:
        self.world.close()

    # what owners do --------------------------------------------------------------------------------------------

    @rule(
        to=st.integers(0, 2),
        number=st.integers(0, 1),
        glucose=st.booleans() | st.just(True),
        purposes=st.sampled_from([{Purpose.TREAT}, {Purpose.TREAT, Purpose.HRESCH}, {Purpose.HRESCH}]),
        past=st.booleans() | st.just(True),
        hours=st.sampled_from([24 * 60, 24 * 60, 1]),
    )
    def grant(self, to: int, number: int, glucose: bool, purposes: set[Purpose], past: bool, hours: int) -> None:
        """To a person, or to the hospital and so to its members; over what stands in that slot, if anything does."""
        world, grantee = self.world, self.grantees[to]
        now, ends = world.clock.at, world.clock.at + hours * HOUR
        data = Period(world.readings[0].minute if past else now // 60, ends // 60)
        names = ("glucose", "sleep") if glucose else ("sleep",)
        terms = Terms(names, tuple(sorted(purposes)), (Action.READ,), now, ends, data)
        slot, _ = self.owner.consents.grant(world.twin, grantee.address, terms, number)
        again = (grantee.address, number) in self.given
        self.keep(slot, Given(glucose, frozenset(purposes), past, ends, again, bool(self.former)))
        if glucose and past:  # another package has no keys to ask with
            self.remember(slot)
        for who in (0, 1):
            self.read(who, Purpose.TREAT)

    @precondition(lambda self: self.given)
    @rule(which=st.integers(0, 99))
    def revoke(self, which: int) -> None:
        grantee, number = sorted(self.given)[which % len(self.given)]
        self.owner.consents.revoke(Slot(self.owner.address, self.world.twin, grantee, number))
        del self.given[grantee, number]

    @precondition(lambda self: self.given)
    @rule(keep=st.booleans())
    def revoke_all(self, keep: bool) -> None:
        kept = sorted(self.given)[:1] if keep else []
        slots = [Slot(self.owner.address, self.world.twin, *each) for each in kept]
        assert self.owner.consents.revoke_all(self.world.twin, slots).kept == tuple(slots)
        self.given = {each: self.given[each] for each in kept}

    @rule(whom=st.integers(0, 2))
    def block_or_unblock(self, whom: int) -> None:
        who = self.grantees[whom].address
        if who in self.blocked:
            self.owner.consents.unblock(self.world.twin, who)
            self.unblocked.add(who)
        else:
            self.owner.consents.block(self.world.twin, who)
        self.blocked ^= {who}

    @precondition(lambda self: not self.frozen)
    @rule()
    def freeze(self) -> None:
        self.act("Freeze")
        self.frozen_until = self.world.clock.at + FROZEN_SECONDS

    @precondition(lambda self: self.frozen)
    @rule()
    def thaw(self) -> None:
        self.act("Unfreeze")
        self.frozen_until, self.thawed = 0, 1
        self.read(0, Purpose.TREAT)

    @precondition(lambda self: not self.frozen and len(self.former) < 2)
    @rule()
    def move(self) -> None:
        """To a new key, with the twin's secrets."""
        world, old = self.world, self.owner
        heir = world.client(MemoryKey(f"heir {len(self.former)}"))
        acceptance = old.twins.check_move(heir.twins.accept_move(world.twin))
        handover = old.twins.hand_over(world.twin, heir.address, acceptance.key)
        old.twins.move(acceptance)
        heir.twins.take_over(handover, [each.address for each in world.custodians], 1)
        self.former.append(old)
        self.owner, self.given = heir, {}
        self.grant(0, 0, True, {Purpose.TREAT}, True, 24 * 60)  # a new owner's first word is whom it trusts again

    @rule(hours=st.sampled_from([1, 1, 1, 12, 24 * 30]))
    def time_passes(self, hours: int) -> None:
        self.world.clock.advance(hours * HOUR)
        self.world.ledger.mine()

    # what readers get ------------------------------------------------------------------------------------------

    @rule(who=st.integers(0, 1), purpose=st.sampled_from([Purpose.TREAT, Purpose.HRESCH]))
    def read(self, who: int, purpose: Purpose) -> None:
        reader = self.grantees[who]
        ways = [key for key in self.given if self.opens(reader, key, purpose)]
        self.expect(reader, purpose, permitted=bool(ways))
        if ways:
            self.reached(reader, ways)

    @rule()
    def owner_reads(self) -> None:
        self.expect(self.owner, Purpose.PATRQT, permitted=not self.frozen)
        REACHED["read by the owner"] += not self.frozen

    @precondition(lambda self: self.former)
    @rule()
    def former_owner_reads(self) -> None:
        self.expect(self.former[-1], Purpose.PATRQT, permitted=False)
        REACHED["refused to a former owner"] += 1

    @rule(which=st.integers(0, 99), purpose=st.sampled_from([Purpose.TREAT, Purpose.HRESCH]))
    def ask_past_the_client(self, which: int, purpose: Purpose) -> None:
        """Whoever had a package once asks the custodian itself."""
        reader, record = self.packages[which % len(self.packages)]
        key = record.slot.grantee, record.slot.number
        permitted = key in self.given and self.opens(reader, key, purpose)
        assert self.ask(reader, record, purpose) is permitted
        REACHED["opened past the client" if permitted else "refused past the client"] += 1

    @invariant()
    def the_ledger_lists_what_stands(self) -> None:
        records = self.owner.consents.records(self.world.twin)
        live = {(each.slot.grantee, each.slot.number) for each in records if self.owner.consents.is_live(each)}
        live -= {(self.world.gateway.address, 0)}
        assert live == {
            key for key, each in self.given.items() if self.world.clock.at < each.ends and key[0] not in self.blocked
        }

    # the model -------------------------------------------------------------------------------------------------

    @property
    def grantees(self) -> list[Client]:
        return [self.world.clinician, self.visitor, self.world.hospital]

    @property
    def frozen(self) -> bool:
        return self.world.clock.at < self.frozen_until

    def opens(self, reader: Client, key: tuple[Address, int], purpose: Purpose) -> bool:
        """Whether a grant that stands lets the reader read all glucose that there is."""
        each = self.given[key]
        member = reader is self.world.clinician
        involved = {reader.address, *([self.world.hospital.address] if member else [])}
        return (
            not self.frozen
            and not involved & self.blocked
            and key[0] in involved
            and each.glucose
            and each.past
            and purpose in each.purposes
            and self.world.clock.at < each.ends
        )

    def keep(self, slot: Slot, given: Given) -> None:
        self.given[slot.grantee, slot.number] = given

    # doing -----------------------------------------------------------------------------------------------------

    def expect(self, reader: Client, purpose: Purpose, *, permitted: bool) -> None:
        try:
            found = reader.read(self.world.twin, "glucose", purpose.name)
        except AccessDeniedError:
            assert not permitted
            REACHED["refused"] += 1
        else:
            assert permitted
            assert [each.value for each in found] == [each.value for each in self.world.readings]

    def reached(self, reader: Client, ways: list[tuple[Address, int]]) -> None:
        REACHED["read by a grantee"] += any(each[0] == reader.address for each in ways)
        REACHED["read by a member of one"] += any(each[0] != reader.address for each in ways)
        REACHED["read under a grant given anew"] += any(self.given[each].again for each in ways)
        REACHED["read after an unblocking"] += any(each[0] in self.unblocked for each in ways)
        REACHED["read after a thaw"] += self.thawed
        REACHED["read after a move"] += all(self.given[each].moved for each in ways)

    def remember(self, slot: Slot) -> None:
        reader = self.visitor if slot.grantee == self.visitor.address else self.world.clinician
        record = reader.context.view().record(slot)
        assert record is not None
        self.packages.append((reader, record))

    def ask(self, reader: Client, record: GrantRecord, purpose: Purpose) -> bool:
        """Whether the custodian opens what there is."""
        context, slot = reader.context, record.slot
        keys = granted_keys(context, record)
        finder = Finder(context.deployment, context.view(), context.store, slot.twin, keys)
        found = [each for group in finder.find("glucose") for each in group]
        asking = Asking(context.key, slot.grantee, slot.number, Action.READ, purpose, context.clock())
        with suppress(AccessDeniedError, UnreachableError):
            return bool(
                open_snapshots(context.deployment, context.custodians, asking, found, keys, "glucose").plaintexts
            )
        return False

    def act(self, kind: str) -> None:
        """All guardians together, whom the owner chooses for it: there is no year between two freezes then."""
        world, friends = self.world, self.friends
        chosen = self.owner.guardians.chosen(world.twin)
        if chosen is None:
            chosen, _ = self.owner.guardians.choose(world.twin, 2, [each.address for each in friends])
        act = friends[0].guardians.begin(kind, world.twin, chosen)  # type: ignore[arg-type]
        for each in friends:
            act = each.guardians.sign(act)
        world.operator.guardians.send(act)


def test_readers_get_what_the_model_says_whatever_owners_do() -> None:
    explore(Consenting, FLOORS, runs=0.15, steps=50)
