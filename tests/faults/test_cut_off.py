"""A custodian, the node or the store that goes away in the midst of a re-share, an emergency, a recovery or the end of
a twin, at whatever it was about to be asked: nothing half done counts, nobody reads what the rule denies, and the same
again finishes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from dtledger.client import Acceptance, Client, Guardian, GuardianKeys, publish_keyring
from dtledger.errors import AccessDeniedError, DtledgerError, UnreachableError
from dtledger.ledger import Slot
from dtledger.testing import MemoryKey, World
from dtledger.vocabulary import Cause, Kind, Reason

pytestmark = pytest.mark.slow

WEEK = 7 * 86_400
CUSTODIAN = ("twin_key", "open", "open_recovery", "receipts", "digests", "probe", "destroy", "retire", "receipt_proof")
STORE = ("put", "put_many", "get", "get_many", "export", "has", "remove")
LANDINGS = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55]
"""After so many calls it is away; those between stand for themselves in tests/crash."""


class Cut:
    """Parts of a world that answer `left` calls, and then no more until they are mended."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.cut = False

    def behind(self, does: Any, *, lands: bool) -> Any:
        """`lands`: what the cut comes at is done, and nobody hears it."""

        def ask(*given: Any, **how: Any) -> Any:
            self.left -= 1
            if self.left >= 0:
                return does(*given, **how)
            if self.left == -1 and lands:
                does(*given, **how)
            self.cut = True
            raise UnreachableError("It went away (by order of the test).")

        return ask


@contextmanager
def cut_off(world: World, part: str, left: int) -> Iterator[Cut]:
    """That part goes away after so many calls, and is back afterwards."""
    cut, lands = Cut(left), part == "the node's answer"
    parts: dict[str, tuple[Any, tuple[str, ...]]] = {
        "a custodian": (world.custodians[0], CUSTODIAN),
        "the node": (world.ledger, ("send", "tip", "view")),
        "the node's answer": (world.ledger, ("send",)),
        "the store": (world.store, STORE),
    }
    target, names = parts[part]
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(target, name, cut.behind(getattr(target, name), lands=lands))
        yield cut


@dataclass
class Operation:
    """What somebody does in a world, and again the same way; `begun` is asserted after it broke off, `done` after it
    was done."""

    does: Callable[[], object]
    begun: Callable[[], None]
    done: Callable[[], None]


def reading(world: World, who: Client, purpose: str, reason: Reason | None = None) -> int:
    """How many readings; 0 if the rule refuses them by `reason`."""
    try:
        return len(who.read(world.twin, "glucose", purpose))
    except AccessDeniedError as error:
        if error.reason is reason:
            return 0
        raise


def reshare(world: World) -> Operation:
    """Onto the second and third of the custodians, either of whom is enough."""
    roster, whole = [each.address for each in world.custodians[1:]], len(world.readings)

    def read() -> None:
        assert reading(world, world.clinician, "TREAT") == reading(world, world.patient, "PATRQT") == whole

    def done() -> None:
        read()
        held = world.patient.twins.roster(world.twin)
        assert ([*held.custodians], held.threshold) == (roster, 1)
        assert world.patient.resharing.plan(world.twin, roster, 1).snapshots == 0

    return Operation(lambda: world.patient.resharing.reshare(world.twin, roster, 1), read, done)


def emergency(world: World) -> Operation:
    """A medic opens the twin, unless it is open, and reads."""
    ambulance = world.join("ambulance", [Kind.EMERGENCY])
    medic = world.join("medic", [Kind.EMERGENCY], ambulance)
    publish_keyring(ambulance.context, [medic.address])
    slot: Slot = world.patient.emergencies.let(world.twin, ambulance.address)[0]

    def openings() -> int:
        return len(world.patient.emergencies.openings(world.twin))

    def open_and_read() -> None:
        if not any(not each.closed for each in medic.emergencies.concerning(world.twin)):
            medic.emergencies.open(slot, Cause.OVRINCOMP, "found unconscious")
        medic.read(world.twin, "glucose", "ETREAT")

    def begun() -> None:
        read = reading(world, medic, "ETREAT", Reason.EMERGENCY_CLOSED)
        assert (openings(), read) in ((0, 0), (1, len(world.readings)))

    def done() -> None:
        assert (openings(), reading(world, medic, "ETREAT")) == (1, len(world.readings))

    return Operation(open_and_read, begun, done)


def recovery(world: World) -> Operation:
    """An heir, to whom guardians moved the twin, gets its secrets back and sets it up."""
    guardians = [world.client(MemoryKey(f"guardian-{number}")) for number in range(2)]
    keys = (each.context.key for each in guardians)
    chosen = GuardianKeys(2, tuple(Guardian(key.address, key.seal_key.public) for key in keys))
    world.patient.twins.set_recovery(world.twin, chosen)
    heir = world.client(MemoryKey("heir"))
    acceptance: Acceptance = heir.twins.accept_move(world.twin)
    world.patient.twins.move(acceptance)
    shares = [each.twins.guardian_share(acceptance) for each in guardians]

    def recover() -> None:
        heir.twins.recover(world.twin, shares)
        if heir.twins.without_card():
            heir.twins.set_up(world.twin, [each.address for each in world.custodians], 2)

    def begun() -> None:
        for who, purpose in ((world.clinician, "TREAT"), (world.patient, "PATRQT")):
            with suppress(DtledgerError):
                assert not who.read(world.twin, "glucose", purpose)

    def done() -> None:
        begun()
        assert reading(world, heir, "PATRQT") == len(world.readings)
        assert heir.twins.generation(world.twin) == 1

    return Operation(recover, begun, done)


def end(world: World) -> Operation:
    """The owner ends the twin, whose retirement is final."""
    world.patient.erasing.announce(world.twin)
    world.clock.advance(WEEK)
    world.ledger.mine()

    def unread() -> None:
        assert reading(world, world.patient, "PATRQT", Reason.RETIRED) == 0

    def done() -> None:
        unread()
        assert not any(each._twin_keys.all_of(world.twin) for each in world.custodians)

    return Operation(lambda: world.patient.erasing.finish(world.twin), unread, done)


PARTS = ["a custodian", "the node", "the node's answer", "the store"]
CASES = [(what, part) for what in (reshare, emergency, recovery, end) for part in PARTS]
CASES.remove((end, "the node's answer"))  # it sends nothing: the announcement was before


@pytest.mark.parametrize(("what", "part"), CASES, ids=lambda each: each if isinstance(each, str) else each.__name__)
def test_cut_off_in_the_midst_it_is_finished_by_the_next_try(what: Callable[[World], Operation], part: str) -> None:
    cuts = 0
    for left in LANDINGS:
        with World(hours=2) as world:
            operation = what(world)
            with cut_off(world, part, left) as cut, suppress(DtledgerError):
                operation.does()
            cuts += cut.cut
            operation.begun()
            operation.does()
            operation.done()
            if not cut.cut:
                break
    assert cuts, "it was asked for nothing"


def test_a_cut_comes_where_it_is_to_come() -> None:
    for left in count():
        with World(hours=1) as world, cut_off(world, "the node's answer", left) as cut:
            with suppress(UnreachableError):
                world.patient.consents.revoke(world.consent)
            if left == 1:
                assert not cut.cut
                break
            assert cut.cut
        assert (
            not world.ledger.view()
            .grant(world.patient.address, world.twin, world.clinician.address, world.consent.number)
            .given
        )
