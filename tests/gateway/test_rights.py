"""What a gateway takes by its look at the ledger: one look refuses and delays nobody else's readings."""

from __future__ import annotations

import pytest

from dtledger.errors import AccessDeniedError, UnreachableError
from dtledger.gateway.intake import RIGHT_SECONDS, Rights
from dtledger.readings import Reading
from dtledger.vocabulary import Reason
from tests.gateway.conftest import Site


def test_a_reading_of_long_ago_refuses_no_other(site: Site) -> None:
    """A device whose clock begins in 1970 is refused, and nobody beside it."""
    rights, twin = Rights(site.world.gateway.context), site.world.twin
    for _ in range(2):
        with pytest.raises(AccessDeniedError) as refused:
            rights.require(twin, "glucose", [Reading(3600, 5.0, "mmol/L")])
        assert refused.value.reason is Reason.PERIOD
        rights.require(twin, "glucose", site.later())
        site.world.clock.advance(RIGHT_SECONDS)


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
    site.world.clock.advance(RIGHT_SECONDS)
    rights.require(site.other, "glucose", site.later())
    assert asked == [site.world.twin, site.other]
    monkeypatch.undo()
    site.world.clock.advance(RIGHT_SECONDS)
    with pytest.raises(AccessDeniedError):
        rights.require(4711, "glucose", site.later())
