"""The pump empties the queue whatever is away meanwhile, and forgets a reading when it can be read, not before."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from dtledger.errors import DtledgerError, UnreachableError
from dtledger.gateway.ingest import Several
from dtledger.gateway.pump import Pace, Pump
from dtledger.gateway.queue import Hour
from dtledger.store import BlockMissingError
from tests.gateway.conftest import PACE, Site


def test_readings_of_several_twins_are_anchored_as_one_batch_and_forgotten(site: Site) -> None:
    mine, theirs = site.later(), site.later(2)
    site.put(site.world.twin, mine)
    site.put(site.other, theirs)
    site.wait_an_hour()
    before = len(site.world.ledger.view().batches(site.world.gateway.address))
    assert site.pump.step() == 5
    assert len(site.world.ledger.view().batches(site.world.gateway.address)) == before + 1
    assert site.queue.totals().rows == 0
    assert site.has(site.world.patient, site.world.twin, mine)
    assert site.has(site.other_patient, site.other, theirs)


def test_an_hour_waits_until_it_is_over_or_has_waited_long_enough(site: Site) -> None:
    site.world.clock.advance(1800)
    site.put(site.world.twin, site.later())
    assert site.pump.step() == 0
    site.world.clock.advance(PACE.batch_seconds - 1)
    assert site.pump.step() == 0
    site.world.clock.advance(1)
    assert site.pump.step() == 3


def test_what_was_anchored_before_is_not_written_again(site: Site) -> None:
    readings = site.later()
    for _ in range(2):
        site.put(site.world.twin, readings)
        site.wait_an_hour()
        assert site.pump.step() == 3
    assert site.has(site.world.patient, site.world.twin, readings)


@pytest.mark.parametrize("fault", ["unreachable", "other_chain"])
def test_without_a_ledger_it_keeps_all_and_catches_up(site: Site, fault: str) -> None:
    readings = site.later()
    site.put(site.world.twin, readings)
    site.wait_an_hour()
    setattr(site.world.ledger, fault, True)
    pauses = [site.pump.once() for _ in range(4)]
    assert pauses == [1.0, 2.0, 4.0, 8.0]
    assert (site.queue.totals().rows, site.pump.told.failures) == (3, 4)
    setattr(site.world.ledger, fault, False)
    assert site.pump.once() == 0.0
    assert site.pump.told.error == ""
    assert site.has(site.world.patient, site.world.twin, readings)


def test_a_batch_that_no_block_takes_is_gone_on_with(site: Site) -> None:
    readings = site.later()
    site.put(site.world.twin, readings)
    site.wait_an_hour()
    site.world.ledger.freeze()
    with pytest.raises(UnreachableError):
        site.pump.step()
    assert site.queue.totals().rows == 3
    site.world.ledger.thaw()
    assert site.pump.step() == 3
    assert site.has(site.world.patient, site.world.twin, readings)


def test_without_a_store_it_keeps_all_and_catches_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = site.later()
    site.put(site.world.twin, readings)
    site.wait_an_hour()
    with monkeypatch.context() as away:

        def fail(*_: object) -> None:
            raise UnreachableError("the store is away")

        away.setattr(site.world.store, "put_many", fail)
        assert site.pump.once() == 1.0
    assert site.queue.totals().rows == 3
    assert site.pump.step() == 3
    assert site.has(site.world.patient, site.world.twin, readings)


def test_what_cannot_be_read_back_from_the_store_is_not_forgotten(site: Site) -> None:
    readings = site.later()
    site.put(site.world.twin, readings)
    site.wait_an_hour()
    export = site.world.store.export
    lost: list[bool] = [True]

    def lose(cids):  # type: ignore[no-untyped-def]
        for cid in cids:
            if lost:
                raise BlockMissingError(cid, "the store")
            yield from export([cid])

    site.world.store.export = lose  # type: ignore[method-assign]
    assert site.pump.step() == 0
    assert site.queue.totals().rows == 3
    lost.clear()
    site.world.clock.advance(600)
    assert site.pump.step() == 3
    assert site.queue.totals().rows == 0
    assert site.has(site.world.patient, site.world.twin, readings)


def test_what_nobody_foresaw_ends_no_pump(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = site.later()
    site.put(site.world.twin, readings)
    site.wait_an_hour()
    with monkeypatch.context() as odd:

        def fail(*_: object) -> None:
            raise ValueError("an answer of a node that is none")

        odd.setattr(site.world.store, "put_many", fail)
        assert site.pump.once() == 1.0
        assert site.pump.told.error == "ValueError"
    assert site.pump.once() == 0.0
    assert site.has(site.world.patient, site.world.twin, readings)


def test_a_twin_whose_right_ended_holds_up_no_other(site: Site) -> None:
    mine, theirs = site.later(), site.later()
    site.put(site.world.twin, mine)
    site.put(site.other, theirs)
    site.wait_an_hour()
    site.world.patient.consents.revoke_all(site.world.twin)
    assert site.pump.step() == 3
    assert site.has(site.other_patient, site.other, theirs)
    assert site.queue.totals().rows == 3


def test_revoked_between_look_and_block_the_other_twins_readings_stand_and_are_written_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = site.later(), site.later()
    site.put(site.world.twin, mine)
    site.put(site.other, theirs)
    site.wait_an_hour()
    send = site.world.ledger.send

    def revoke_first(*arguments):  # type: ignore[no-untyped-def]
        monkeypatch.undo()
        site.world.patient.consents.revoke_all(site.world.twin)
        return send(*arguments)

    monkeypatch.setattr(site.world.ledger, "send", revoke_first)
    assert site.pump.step() == 3
    assert site.has(site.other_patient, site.other, theirs)
    assert site.queue.totals().rows == 3
    grant_again(site)
    site.world.clock.advance(600)
    assert site.pump.step() == 3
    assert site.has(site.world.patient, site.world.twin, mine)
    batches = len(site.world.ledger.view().batches(site.world.gateway.address))
    site.put(site.other, theirs)
    assert site.pump.step() == 3
    assert site.has(site.other_patient, site.other, theirs)
    assert len(site.world.ledger.view().batches(site.world.gateway.address)) == batches


def grant_again(site: Site) -> None:
    from dtledger.client import writing_terms

    terms = writing_terms(["glucose"], site.world.clock.at, 86_400, back_to=site.world.readings[0].minute)
    site.world.patient.consents.grant(site.world.twin, site.world.gateway.address, terms)


class TestWhatCouldNotBeAnchoredInTime:
    @pytest.fixture
    def refused(self, site: Site) -> Site:
        site.put(site.world.twin, site.later())
        site.wait_an_hour()
        site.world.patient.consents.revoke_all(site.world.twin)
        site.pump.step()
        return site

    def test_waits_for_a_new_grant(self, refused: Site) -> None:
        assert refused.queue.totals().rows == 3
        refused.world.clock.advance(PACE.renewal_seconds - 1)
        assert refused.pump.step() == 0
        grant_again(refused)
        refused.world.clock.advance(600)
        assert refused.pump.step() == 3
        assert refused.pump.told.handed_over == 0

    def test_does_not_wait_for_a_time_that_a_wrong_clock_said(self, refused: Site) -> None:
        refused.world.clock.advance(PACE.renewal_seconds - 1)
        assert refused.pump.step() == 0
        refused.world.clock.at -= PACE.renewal_seconds - 600
        grant_again(refused)
        assert refused.pump.step() == 3

    def test_goes_sealed_to_the_owner_who_adopts_it(self, refused: Site) -> None:
        world = refused.world
        world.clock.advance(PACE.renewal_seconds)
        assert refused.pump.step() == 3
        assert (refused.queue.totals().rows, refused.queue.totals().letters) == (0, 1)
        (cid,) = refused.queue.letters(world.patient.address)
        result = world.patient.writer.adopt(cid)
        assert result.readings == 3
        assert world.patient.read(world.twin, "glucose", "PATRQT").uncounted == 0
        assert world.patient.writer.adopt(cid).known == 3

    def test_is_nobody_else_s(self, refused: Site) -> None:
        refused.world.clock.advance(PACE.renewal_seconds)
        refused.pump.step()
        (cid,) = refused.queue.letters(refused.world.patient.address)
        assert refused.queue.letters(refused.other_patient.address) == []
        with pytest.raises(DtledgerError, match="does not open"):
            refused.other_patient.writer.adopt(cid)

    def test_stays_while_the_owner_has_no_key(self, refused: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        from dtledger.ledger import View

        refused.world.clock.advance(PACE.renewal_seconds)
        with monkeypatch.context() as moved:
            moved.setattr(View, "card", lambda *_: None)
            assert refused.pump.step() == 0
        assert refused.queue.totals().rows == 3


def test_twins_stand_between_queue_and_writer(site: Site) -> None:
    """They give back other values; what they keep back stays."""

    class Halving(Several):
        def take(self, hours: Sequence[Hour]) -> Sequence[Hour]:
            return [
                replace(each, readings=tuple(replace(one, value=one.value / 2) for one in each.readings))
                for each in hours
                if each.twin == site.world.twin
            ]

    pump = Pump(site.world.gateway.context, site.world.gateway.writer, site.queue, PACE, Halving())
    readings = site.later()
    site.put(site.world.twin, readings)
    site.put(site.other, readings)
    site.wait_an_hour()
    assert pump.step() == 3
    assert site.queue.totals().rows == 3
    assert site.has(site.world.patient, site.world.twin, [replace(each, value=each.value / 2) for each in readings])


def test_it_waits_longer_from_try_to_try_and_never_in_step() -> None:
    pace, dice = Pace(), random.Random(1)
    waits = [pace.backoff(failures, dice.random) for failures in range(1, 100)]
    assert all(0.5 * 2 ** min(at, 30) <= each or each >= 150 for at, each in enumerate(waits))
    assert max(waits) <= pace.longest_retry_seconds
    assert len(set(waits)) == len(waits)


def test_it_runs_until_it_is_told_to_stop(site: Site) -> None:
    stop = threading.Event()
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            stop.set()

    site.put(site.world.twin, site.later())
    site.wait_an_hour()
    site.pump.run(stop, wait)
    assert waited == [0.0, PACE.idle_seconds, PACE.idle_seconds]


@pytest.mark.parametrize("dies", ["note", "anchored", "drop"])
def test_a_step_that_dies_is_gone_on_with(site: Site, monkeypatch: pytest.MonkeyPatch, dies: str) -> None:
    """The words of the crash tests, without a process: those are in tests/crash/test_pump.py."""

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    readings = site.later()
    site.put(site.world.twin, readings)
    site.wait_an_hour()
    where = {
        "note": (site.queue, "note"),
        "anchored": (site.queue, "permitted"),
        "drop": (site.queue, "drop"),
    }[dies]
    with monkeypatch.context() as killing:
        killing.setattr(*where, die)
        with pytest.raises(Killed):
            site.pump.step()
    if dies == "drop":  # anchored before, so a denial that came since changes nothing
        site.world.patient.consents.revoke_all(site.world.twin)
    assert site.pump.step() == 3
    assert site.queue.totals().rows == 0
    assert site.has(site.world.patient, site.world.twin, readings)
