"""A request, and a yes, that die at any of their writes: asked once, granted once, whoever tries again."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger.client import RequestState
from dtledger.errors import DtledgerError
from tests.crash.deaths import deaths
from tests.crash.operations import answer, ask
from tests.crash.scene import Scene

pytestmark = pytest.mark.anvil


def states(scene: Scene) -> list[RequestState]:
    with scene.client("cardiology") as cardiology:
        return [cardiology.consents.request_state(each) for each in cardiology.consents.asked().requests]


def grants(scene: Scene) -> int:
    with scene.client("cardiology") as cardiology:
        return len(cardiology.consents.received())


@pytest.mark.parametrize("power_cut", [False, True], ids=["killed", "a power cut"])
def test_a_request_is_there_once_or_not_at_all(scene: Scene, power_cut: bool) -> None:
    scene.restart()
    died = 0
    for death in deaths(ask, scene.home.root, scene.restore, power_cut=power_cut):
        died += 1
        assert len(states(scene)) <= 1, death
        ask(scene.home.root)
        assert states(scene) == [RequestState.PENDING], death
    assert died >= 6


def survive(scene: Scene, **how: Any) -> int:
    """Say yes again after each death: what was granted is told as granted, what was not can be granted, and once."""
    scene.restart()
    ask(scene.home.root)
    scene.keep()
    died = 0
    for death in deaths(answer, scene.home.root, scene.restore, **how):
        died += 1
        try:
            (state,) = states(scene)
            assert (state is RequestState.GRANTED) is (grants(scene) == 1)
            answer(scene.home.root)
            assert states(scene) == [RequestState.GRANTED]
            assert grants(scene) == 1
        except (AssertionError, DtledgerError) as error:
            raise AssertionError(f"{death}: {error}") from error
    return died


def test_killed_at_any_write_a_yes_is_granted_once(scene: Scene) -> None:
    assert survive(scene) >= 8


def test_a_power_cut_at_any_write_leaves_a_yes_that_is_granted_once(scene: Scene) -> None:
    assert survive(scene, power_cut=True) >= 10


def test_a_yes_that_is_said_after_its_grant_is_granted_twice(scene: Scene) -> None:
    with pytest.raises(AssertionError, match="killed at write"):
        survive(scene, broken="grants_before_it_answers")
