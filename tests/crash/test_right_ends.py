"""The right to write ends while a put is dead, or in its midst: what does not count then is written again."""

from __future__ import annotations

import pytest

from dtledger._backend.write_journal import WriteJournal
from dtledger.client import writing_terms
from dtledger.client.anchoring import Anchoring
from dtledger.errors import AccessDeniedError
from dtledger.ledger import Receipt
from dtledger.vocabulary import Reason
from tests.crash.deaths import Death, run_killed
from tests.crash.operations import import_file
from tests.crash.scene import DAY, HOURS, TWIN, Scene, values

pytestmark = pytest.mark.anvil


def revoke(scene: Scene) -> None:
    with scene.client("patient") as patient:
        patient.consents.revoke_all(TWIN)


def grant(scene: Scene) -> None:
    with scene.client("patient") as patient:
        terms = writing_terms(["glucose"], patient.context.clock(), DAY, back_to=scene.readings[0].minute)
        patient.consents.grant(TWIN, scene.address("gateway"), terms)


def assert_refused(scene: Scene) -> None:
    with pytest.raises(AccessDeniedError) as refused:
        import_file(scene.home.root)
    assert refused.value.reason is Reason.REVOKED


def assert_read_once(scene: Scene, uncounted: int) -> None:
    """All readings, and as many snapshots beside them that count for nothing."""
    with scene.client("patient") as patient:
        found = patient.read(TWIN, "glucose", "PATRQT")
    assert values(found) == values(scene.readings)
    assert (found.snapshots, found.uncounted) == (HOURS, uncounted)


def die_before_anchoring(scene: Scene) -> None:
    """The first batch of two is stored and noted."""
    writes = run_killed(import_file, scene.home.root, None)
    assert writes is not None
    scene.restore()
    assert run_killed(import_file, scene.home.root, Death(writes.index("send") + 1, power_cut=False)) is None


def lose_the_right_and_get_it_back(scene: Scene) -> None:
    die_before_anchoring(scene)
    revoke(scene)
    assert_refused(scene)
    grant(scene)
    import_file(scene.home.root)
    assert_read_once(scene, uncounted=2)


def test_revoked_while_the_put_was_dead_nothing_is_lost(scene: Scene) -> None:
    lose_the_right_and_get_it_back(scene)


def test_revoked_and_granted_again_while_it_was_dead_it_goes_on(scene: Scene) -> None:
    die_before_anchoring(scene)
    revoke(scene)
    grant(scene)
    import_file(scene.home.root)
    assert_read_once(scene, uncounted=0)


def test_revoked_between_check_and_anchor_it_is_refused_and_nothing_is_lost(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor = Anchoring._anchor

    def revoke_first(anchoring: Anchoring, pending: object) -> Receipt:
        revoke(scene)
        return anchor(anchoring, pending)  # type: ignore[arg-type]

    with monkeypatch.context() as racing:
        racing.setattr(Anchoring, "_anchor", revoke_first)
        assert_refused(scene)
    grant(scene)
    import_file(scene.home.root)
    assert_read_once(scene, uncounted=2)


def test_a_writer_that_takes_every_anchored_batch_as_written_loses_readings(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = WriteJournal.finish
    monkeypatch.setattr(
        WriteJournal, "finish", lambda journal, base, lost, forked=False: finish(journal, base, lost=(), forked=forked)
    )
    with pytest.raises(AssertionError):
        lose_the_right_and_get_it_back(scene)
