"""Two deployments of one line side by side, each with custodians and a gateway as processes: a twin goes from one to
the other, is read through both, and a revocation bites in both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtledger.client import Client
from dtledger.crypto.seal import SealKey
from dtledger.custody import CustodianPort, ReadRequest, SealedShare
from dtledger.errors import AccessDeniedError
from dtledger.vocabulary import Reason
from scripts.benchmarks.asking import Asker, shares
from scripts.benchmarks.storing import glucose
from tests.succession.ward import Site, sites

pytestmark = [pytest.mark.anvil, pytest.mark.slow]


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Site, Site]]:
    with sites() as made:
        yield made


def denied(clinician: Client, twin: int) -> Reason:
    with pytest.raises(AccessDeniedError) as caught:
        clinician.read(twin, "glucose", "TREAT")
    return caught.value.reason


def refusing(asker: Asker) -> int:
    """How many custodians refuse all that a reader asks for who skips its own check."""
    found, one_use = asker.find("glucose"), SealKey.generate()
    named = [each.custodian for each in found[0].custody.shares]
    return sum(
        _refuses(asker.client.context.custodians[each], asker.request(found, one_use), shares(found, place))
        for place, each in enumerate(named)
    )


def _refuses(custodian: CustodianPort, request: ReadRequest, sealed: list[SealedShare]) -> bool:
    try:
        refused = custodian.open(request, sealed).refused
    except AccessDeniedError:
        return True
    return {digest for digest, _ in refused} == set(request.digests)


def test_a_twin_that_goes_is_written_and_read_there_and_a_revocation_bites_in_both(both: tuple[Site, Site]) -> None:
    before, after = both
    world = before.world
    moves, stays = world.twin(), world.twin()
    readings = glucose(world, 2)
    for consent in (moves, stays):
        before.post(consent.twin, readings[:12])
    here, there = (site.client("clinician") for site in both)
    patient, owner = (site.client("patient") for site in both)
    old = Asker.of(here, moves)
    assert refusing(old) == 0
    found = here.read(moves.twin, "glucose", "TREAT")
    assert (len(found), found.answered) == (12, 3)

    patient.succession.carry(patient.succession.luggage(moves.twin, owner.context), owner.context)
    after.post(moves.twin, readings[12:])
    found = there.read(moves.twin, "glucose", "TREAT")
    assert [each.value for each in found] == [each.value for each in readings]
    assert (found.answered, found.faults) == (3, {})
    assert denied(here, moves.twin) is Reason.RETIRED
    assert refusing(old) == 3

    new = Asker.of(there, moves)
    assert refusing(new) == 0
    owner.consents.revoke(moves)
    assert denied(there, moves.twin) is Reason.REVOKED
    assert refusing(new) == 3

    standing = Asker.of(here, stays)
    assert refusing(standing) == 0
    patient.consents.revoke(stays)
    assert denied(here, stays.twin) is Reason.REVOKED
    assert refusing(standing) == 3
