"""A revocation that dies at any of its writes: there or not, for good once it was heard, and done by the next try."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger.errors import AccessDeniedError
from dtledger.vocabulary import Reason
from tests.crash.deaths import survived
from tests.crash.operations import grant_slot, import_file, read, revoke
from tests.crash.scene import READINGS, Scene

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(stage: Scene) -> Scene:
    """With readings that cardiology may read."""
    import_file(stage.home.root)
    grant_slot(stage.home.root)
    stage.keep()
    return stage


def reads(scene: Scene) -> bool:
    """Whether cardiology reads everything; else it is refused for the revocation alone."""
    try:
        found: object = read(scene.home.root)
    except AccessDeniedError as error:
        found = error.reason
    assert found is Reason.REVOKED or found == READINGS
    return found is not Reason.REVOKED  # whose number is no number of readings


def survive(scene: Scene, **how: Any) -> int:
    def whole() -> None:
        heard = (scene.home.root / "acknowledged").exists()
        assert not (reads(scene) and heard)
        revoke(scene.home.root)
        assert not reads(scene)

    return len(survived(revoke, scene.home.root, scene.restore, whole, **how))


@pytest.mark.parametrize("power_cut", [False, True], ids=["killed", "a power cut"])
def test_it_is_there_or_not_there_and_done_by_the_next_try(scene: Scene, power_cut: bool) -> None:
    assert survive(scene, power_cut=power_cut) >= 2


def test_one_that_is_heard_before_it_is_sent_does_not_survive(scene: Scene) -> None:
    with pytest.raises(AssertionError, match="killed at write"):
        survive(scene, broken="is_heard_before_it_is_sent")
