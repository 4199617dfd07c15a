"""What a gateway takes by its look at the ledger: one look refuses and delays nobody else's readings."""

from __future__ import annotations

import pytest

from dtledger.client import writing_terms
from dtledger.errors import AccessDeniedError, UnreachableError
from dtledger.gateway.rights import LOOK_SECONDS, Rights
from dtledger.readings import Reading
from dtledger.testing.memory_key import MemoryKey
from dtledger.vocabulary import Reason
from tests.gateway.conftest import DAY, Site


def test_a_reading_of_long_ago_refuses_no_other(site: Site) -> None:
    """A device whose clock begins in 1970 is refused, and nobody beside it."""
    rights, twin = Rights(site.world.gateway.context), site.world.twin
    for _ in range(2):
        with pytest.raises(AccessDeniedError) as refused:
            rights.require(twin, "glucose", [Reading(3600, 5.0, "mmol/L")])
        assert refused.value.reason is Reason.PERIOD
        rights.require(twin, "glucose", site.later())
        site.world.clock.advance(LOOK_SECONDS)


def test_a_ledger_that_is_away_is_waited_for_once_a_minute(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that hangs takes ten seconds of whoever asks it, one after another."""
    rights, asked = Rights(site.world.gateway.context), []

    def away(twin: int, *_: object) -> None:
        asked.append(twin)
        raise UnreachableError("the node does not answer")

    monkeypatch.setattr(rights._rights, "require", away)
    for twin in (site.world.twin, site.other):
        rights.require(twin, "glucose", site.later())
    assert asked == [site.world.twin]
    site.world.clock.advance(LOOK_SECONDS)
    rights.require(site.other, "glucose", site.later())
    assert asked == [site.world.twin, site.other]
    monkeypatch.undo()
    site.world.clock.advance(LOOK_SECONDS)
    with pytest.raises(AccessDeniedError):
        rights.require(4711, "glucose", site.later())


@pytest.fixture
def looks(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each look that the gateway takes at the ledger."""
    ledger, taken = site.world.gateway.context.ledger, list[str]()
    for name in ("view", "tip"):
        asked = getattr(ledger, name)
        monkeypatch.setattr(type(ledger), name, lambda _, *how, a=asked, n=name: (taken.append(n), a(*how))[1])
    return taken


def test_twins_share_a_look_of_the_last_minute(site: Site, looks: list[str]) -> None:
    """Asked for each twin, a node would do little else."""
    rights = Rights(site.world.gateway.context)
    for _ in range(2):
        for twin in (site.world.twin, site.other):
            rights.require(twin, "glucose", site.later())
        assert looks.count("tip") == 1
    site.world.clock.advance(LOOK_SECONDS)
    rights.require(site.world.twin, "glucose", site.later())
    assert looks.count("tip") == 2


def test_who_was_granted_the_right_just_now_is_not_refused_by_a_look_from_before(site: Site) -> None:
    rights, world = Rights(site.world.gateway.context), site.world
    newcomer = world.client(MemoryKey("newcomer"))
    twin, _ = world.operator.twins.mint(newcomer.twins.request_mint())
    newcomer.twins.set_up(twin, [each.address for each in world.custodians], 2)
    rights.require(world.twin, "glucose", site.later())
    terms = writing_terms(["glucose"], world.clock.at, DAY, back_to=world.readings[0].minute)
    newcomer.consents.grant(twin, world.gateway.address, terms)
    rights.require(twin, "glucose", site.later())


def test_a_batch_of_many_twins_looks_at_the_ledger_as_often_as_one_of_one(site: Site, looks: list[str]) -> None:
    def batch(*twins: int) -> int:
        for twin in twins:
            site.put(twin, site.later())
        site.wait_an_hour()
        looks.clear()
        assert site.pump.step() == 3 * len(twins)
        return len(looks)

    assert batch(site.world.twin) == batch(site.world.twin, site.other)
