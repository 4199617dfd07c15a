"""A twin's next generation: who opens what is written from then on, and what a rekey leaves as it is."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger.client import Client, GrantState, Terms
from dtledger.encoding import CID
from dtledger.errors import AccessDeniedError, InputError, KeyFileError, UnreachableError
from dtledger.keys import Secrets, TwinSecrets
from dtledger.ledger import Call, GrantRecord, Receipt, Sender, Slot, calls
from dtledger.ledger.rejections import StaleRevisionError
from dtledger.readings import Reading
from dtledger.testing import World
from dtledger.testing.world import DAY, glucose
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action, Kind, Purpose


def later(world: World, hours: int = 1) -> tuple[Reading, ...]:
    """An hour more of glucose, which the gateway writes."""
    start = world.clock.at
    world.clock.advance(hours * 3600)
    readings = glucose(start, hours * 12)
    world.gateway.writer.put(world.twin, "glucose", readings)
    return readings


def generations(world: World) -> list[int]:
    """Of the glucose that is written, in its order."""
    groups = world.patient.snapshots.list(world.twin, "glucose")
    return [each.found.manifest.generation for group in groups for each in group]


def terms(world: World, *, actions: tuple[Action, ...] = (Action.READ,), **changes: Any) -> Terms:
    now = world.clock.at
    said: dict[str, Any] = {
        "categories": ("glucose",),
        "purposes": (Purpose.TREAT,) if actions != (Action.WRITE,) else (),
        "actions": actions,
        "not_before_at": now,
        "expires_at": now + 30 * DAY,
        "data": Period(world.readings[0].minute, (now + 30 * DAY) // 60),
    }
    return Terms(**said | changes)


def record(world: World, slot: Slot) -> GrantRecord:
    found = world.ledger.view().record(slot)
    assert found is not None
    return found


def count(client: Client, world: World) -> int:
    return len(client.read(world.twin, "glucose", "TREAT"))


def test_what_is_written_afterwards_is_of_the_next_generation_and_both_are_read(dtledger_world: World) -> None:
    world = dtledger_world
    before = generations(world)
    assert set(before) == {0}
    done = world.patient.twins.rekey(world.twin)
    assert done.generation == world.patient.twins.generation(world.twin) == 1
    more = later(world)
    assert set(generations(world)[len(before) :]) == {1}
    assert count(world.clinician, world) == len(world.readings) + len(more)
    assert len(world.patient.read(world.twin, "glucose", "PATRQT")) == len(world.readings) + len(more)
    assert world.patient.twins.rekey(world.twin).generation == 2
    assert count(world.clinician, world) == len(world.readings) + len(more)


def test_every_live_grant_says_the_same_words_with_another_package(dtledger_world: World) -> None:
    world = dtledger_world
    now = world.clock.at
    sleeping, _ = world.patient.consents.grant(
        world.twin, world.hospital.address, terms(world, not_before_at=now + DAY)
    )
    before = world.patient.consents.records(world.twin)
    done = world.patient.twins.rekey(world.twin)
    assert set(done.sealed) == {each.slot for each in before}
    assert sleeping in done.sealed
    assert done.left == ()
    for each in before:
        after = record(world, each.slot)
        assert after.grant.terms == each.grant.terms
        assert (after.grant.revision, after.grant.epoch) == (each.grant.revision + 1, each.grant.epoch)
        assert after.package != each.package


def test_grants_of_the_same_terms_go_in_one_transaction_readers_before_writers(dtledger_world: World) -> None:
    world = dtledger_world
    readers = [world.join(f"reader-{number}", [Kind.CLINICIAN]).address for number in range(3)]
    world.patient.consents.grant_many(world.twin, readers, terms(world))
    both, _ = world.patient.consents.grant(
        world.twin, world.gateway.address, terms(world, actions=(Action.READ, Action.WRITE))
    )
    done = world.patient.twins.rekey(world.twin)
    assert len(done.receipts) == 3, "those who read, who does both, who writes"
    assert done.sealed[-2:] == (both, Slot(both.owner, both.twin, both.grantee, 0))


def test_revoked_ended_and_blocked_grants_get_no_new_package(dtledger_world: World) -> None:
    world = dtledger_world
    consents, twin = world.patient.consents, world.twin
    revoked, _ = consents.grant(twin, world.clinician.address, terms(world))
    consents.revoke(revoked)
    ended, _ = consents.grant(twin, world.hospital.address, terms(world, expires_at=world.clock.at + 1))
    blocked, _ = consents.grant(twin, world.join("bea").address, terms(world))
    consents.block(twin, blocked.grantee)
    world.clock.advance(2)
    before = {slot: record(world, slot) for slot in (revoked, ended, blocked)}
    done = world.patient.twins.rekey(twin)
    assert {slot: record(world, slot) for slot in before} == before
    assert done.left == (blocked,)
    consents.unblock(twin, blocked.grantee)
    assert consents.state(record(world, blocked)) is GrantState.LIVE
    consents.reseal(blocked)
    assert record(world, blocked).package != before[blocked].package


def test_one_grantee_without_a_key_to_seal_to_does_not_hold_up_the_others(dtledger_world: World) -> None:
    world = dtledger_world
    digest = world.ledger.view().key_digest(world.clinician.address)
    assert digest is not None
    key = world.store.get(CID(digest, "raw"))
    world.store.remove([CID(digest, "raw")])
    done = world.patient.twins.rekey(world.twin)
    assert done.left == (world.consent,)
    assert [slot.grantee for slot in done.sealed] == [world.gateway.address]
    world.store.put(key, "raw")
    later(world)
    with pytest.raises(AccessDeniedError, match="generation 1"):
        count(world.clinician, world)
    world.patient.consents.reseal(world.consent)
    assert count(world.clinician, world) == len(world.readings) + 12


def test_nobody_but_the_owner_rekeys(dtledger_world: World) -> None:
    world = dtledger_world
    with pytest.raises(AccessDeniedError):
        world.clinician.twins.rekey(world.twin)
    assert world.patient.twins.rekey(world.twin).generation == 1


def test_a_twin_that_is_to_be_retired_begins_no_generation(dtledger_world: World) -> None:
    world = dtledger_world
    world.ledger.send(calls.announce_retirement(world.twin), world.patient.context.key)
    with pytest.raises(InputError, match="retired"):
        world.patient.twins.rekey(world.twin)
    assert world.patient.twins.generation(world.twin) == 0
    world.ledger.send(calls.cancel_retirement(world.twin), world.patient.context.key)
    assert world.patient.twins.rekey(world.twin).generation == 1


# cut short -------------------------------------------------------------------------------------------------------


class Stop:
    """Lets so many regrants through, then none, or runs something before each."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        self.before: list[Any] = []
        send = world.ledger.send

        def watched(call: Call, sender: Sender, *more: Any) -> Receipt:
            if call.function.startswith("grantMany"):
                if self.left == 0:
                    raise UnreachableError("the node is gone (by order of the test)")
                if self.left is not None:
                    self.left -= 1
                if self.before:
                    self.before.pop(0)()
            return send(call, sender, *more)

        monkeypatch.setattr(world.ledger, "send", watched)


@pytest.fixture
def stop(dtledger_world: World, monkeypatch: pytest.MonkeyPatch) -> Stop:
    return Stop(dtledger_world, monkeypatch)


@pytest.mark.parametrize("through", [0, 1])
def test_what_was_cut_short_goes_on_and_everybody_reads_in_between(
    through: int, dtledger_world: World, stop: Stop
) -> None:
    world = dtledger_world
    stop.left = through
    with pytest.raises(UnreachableError):
        world.patient.twins.rekey(world.twin)
    assert world.patient.twins.is_rekeying(world.twin)
    world.patient.writer.put(world.twin, "glucose", glucose(world.clock.at - 3600, 3))
    more = later(world)
    assert set(generations(world)) == {0}, "nothing is written that a reader cannot open"
    in_between = count(world.clinician, world)
    assert in_between >= len(world.readings) + len(more)
    stop.left = None
    done = world.patient.twins.rekey(world.twin)
    assert done.generation == 1, "the same one"
    assert len(done.sealed) == 2 - through
    assert not world.patient.twins.is_rekeying(world.twin)
    later(world)
    world.patient.writer.put(world.twin, "glucose", glucose(world.clock.at - 300, 1))
    assert generations(world).count(1) == 2
    assert count(world.clinician, world) >= in_between + 12


def test_a_grantees_own_revocation_meanwhile_is_not_undone(dtledger_world: World, stop: Stop) -> None:
    world = dtledger_world
    stop.before = [lambda: world.clinician.consents.revoke(world.consent)]
    done = world.patient.twins.rekey(world.twin)
    assert [slot.grantee for slot in done.sealed] == [world.gateway.address]
    assert world.patient.consents.state(record(world, world.consent)) is GrantState.REVOKED


def test_a_slot_that_never_stands_still_is_told(dtledger_world: World, stop: Stop) -> None:
    world = dtledger_world
    stop.before = [lambda: world.patient.consents.reseal(world.consent)] * 5
    with pytest.raises(StaleRevisionError):
        world.patient.twins.rekey(world.twin)
    assert world.patient.twins.is_rekeying(world.twin)
    assert world.patient.twins.rekey(world.twin).generation == 1


def test_a_grant_given_with_the_former_keys_meanwhile_gets_a_package_too(dtledger_world: World, stop: Stop) -> None:
    world = dtledger_world
    stop.left = 0
    with pytest.raises(UnreachableError):
        world.patient.twins.rekey(world.twin)
    old = world.patient.context.key.secrets.without_rekey(world.ledger.deployment.id, world.twin)
    held = old.twin(world.ledger.deployment.id, world.twin).before(1)
    secrets = Secrets(old.seal_key).with_twin(world.ledger.deployment.id, world.twin, held)
    kept = world.patient.context.key.secrets
    world.patient.context.key.update(lambda _: secrets)
    slot, _ = world.patient.consents.grant(world.twin, world.hospital.address, terms(world))
    world.patient.context.key.update(lambda _: kept)
    stop.left = None
    assert slot in world.patient.twins.rekey(world.twin).sealed


# the key file ----------------------------------------------------------------------------------------------------

PLACE = ("31337-ab-cd", 7)


def test_a_generation_that_is_not_announced_is_not_written_under() -> None:
    first = Secrets.draw().with_twin(*PLACE, TwinSecrets.draw())
    begun = first.with_rekey(*PLACE, bytes(32))
    assert begun.twin(*PLACE).latest == 1
    assert begun.written(*PLACE) == first.twin(*PLACE)
    assert begun.with_rekey(*PLACE, b"\1" * 32) == begun, "one at a time"
    made = (Digest(b"\1" * 32), Digest(b"\2" * 32))
    packaged = begun.with_packages(*PLACE, made[:1]).with_packages(*PLACE, made[1:])
    assert Secrets.from_bytes(packaged.to_bytes()).rekeying(*PLACE) == made
    ended = packaged.without_rekey(*PLACE)
    assert ended.written(*PLACE).latest == 1
    assert ended.extra == {}
    assert packaged.without_twin(*PLACE).extra == {}
    with pytest.raises(KeyFileError):
        Secrets.draw().with_rekey(*PLACE, bytes(32))
