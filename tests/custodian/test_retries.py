"""The same request again, other requests with its nonce, and many at one time; and what is logged of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from dtledger.crypto import seal
from dtledger.custodian.core import FRESHNESS
from dtledger.custody import ReadRequest, Release, SealedShare
from dtledger.errors import AccessDeniedError
from dtledger.testing import MemoryKey, World, WorldCustodian
from dtledger.vocabulary import Kind, Purpose

from .asking import NO_CONSENT, Desk, heard

DAY = 86_400

# retries and replays -------------------------------------------------------------------------------------------------


def test_a_retry_with_the_same_outcome_is_answered_under_the_first_receipt(desk: Desk) -> None:
    request = desk.request()
    first = desk.ask(request)
    desk.world.clock.advance(30)
    desk.world.ledger.mine()
    again = desk.ask(request)
    assert again.receipt == first.receipt
    assert desk.opened(again) == 2
    assert len(desk.custodian.log.entries) == 1


def test_a_retry_with_a_changed_outcome_gets_a_receipt_of_its_own_and_no_key(desk: Desk) -> None:
    request = desk.request()
    first = desk.ask(request)
    desk.world.patient.consents.revoke(desk.slot)
    again = desk.ask(request)
    assert desk.opened(again) == 0
    assert again.receipt.number == first.receipt.number + 1
    assert again.receipt.request == first.receipt.request
    assert desk.ask(request).receipt == again.receipt, "and that one again, as long as the outcome stays"


def test_a_retry_that_is_stale_is_turned_away(desk: Desk) -> None:
    request = desk.request()
    desk.ask(request)
    desk.world.clock.advance(FRESHNESS)
    desk.ask(request)
    desk.world.clock.advance(1)
    with pytest.raises(AccessDeniedError):
        desk.ask(request)
    assert desk.custodian.turned_away == {"stale": 1}


def test_the_same_nonce_with_other_bytes_is_a_replay(desk: Desk) -> None:
    request = desk.request()
    desk.ask(request)
    other = desk.request(nonce=request.nonce, purpose=Purpose.HRESCH)
    with pytest.raises(AccessDeniedError) as caught:
        desk.ask(other)
    assert heard(caught.value) == NO_CONSENT
    assert desk.custodian.turned_away == {"replay": 1}
    assert len(desk.custodian.log.entries) == 1
    assert desk.opened(desk.ask(desk.request())) == 2


def test_nobody_can_spend_another_s_nonce(world: World, desk: Desk) -> None:
    """Whoever sees a request on its way (a lying custodian does) could else have it refused by all others."""
    request = desk.request()
    thief = world.join("thief", [Kind.CUSTODIAN])
    with pytest.raises(AccessDeniedError):
        desk.ask(desk.request(thief.context.key, nonce=request.nonce))
    assert desk.opened(desk.ask(request)) == 2


def together(desk: Desk, requests: Sequence[ReadRequest], monkeypatch: pytest.MonkeyPatch) -> list[Release | Exception]:
    """The requests at one time: each has passed the search for a replay before any receipt is written."""
    meet, true = threading.Barrier(len(requests)), WorldCustodian._open_shares

    def wait(custodian: WorldCustodian, request: ReadRequest, shares: Sequence[SealedShare]) -> Any:
        meet.wait(10)
        return true(custodian, request, shares)

    monkeypatch.setattr(WorldCustodian, "_open_shares", wait)
    answers: list[Release | Exception] = []

    def ask(request: ReadRequest) -> None:
        try:
            answers.append(desk.ask(request))
        except AccessDeniedError as error:
            answers.append(error)

    threads = [threading.Thread(target=ask, args=[request]) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    monkeypatch.undo()
    return answers


def test_of_two_requests_with_one_nonce_at_one_time_one_is_a_replay(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = desk.request()
    other = desk.request(nonce=one.nonce, key=seal.SealKey.generate().public)
    answers = together(desk, [one, other], monkeypatch)
    assert [isinstance(each, Release) for each in answers].count(True) == 1
    assert desk.custodian.turned_away == {"replay": 1}
    assert len(desk.custodian.log.entries) == 1


def test_two_retries_at_one_time_share_one_receipt(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    request = desk.request()
    answers = together(desk, [request, request], monkeypatch)
    one, other = (each.receipt for each in answers if isinstance(each, Release))
    assert one == other
    assert len(desk.custodian.log.entries) == 1


def test_requests_at_one_time_get_successive_numbers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = together(desk, [desk.request() for _ in range(8)], monkeypatch)
    assert sorted(each.receipt.number for each in answers if isinstance(each, Release)) == list(range(8))
    assert [each.receipt.twin_number for each in desk.custodian.log.entries] == list(range(8))


# what is logged ------------------------------------------------------------------------------------------------------


def own(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the custodian itself logged, without a line for each request over HTTP."""
    return [each.getMessage() for each in caplog.records if each.name.startswith("dtledger.custodian")]


def test_who_is_turned_away_is_counted_and_logged_without_a_name(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "dtledger")
    nobody = MemoryKey("nobody")
    with pytest.raises(AccessDeniedError):
        desk.ask(desk.request(nobody))
    assert own(caplog) == ["request turned away: stranger"]
    assert nobody.address not in caplog.text


def test_who_pulled_receipts_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "dtledger")
    desk.world.patient.twins.access(desk.world.twin)
    assert own(caplog) == [f"receipts of twin {desk.world.twin} pulled by its owner"] * 3
