"""A twin whose making dies at any of its writes (mint, secrets, custodians' keys, roster, card) is made once."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger.encoding import CID
from tests.crash.deaths import survived
from tests.crash.operations import give_second_twin
from tests.crash.scene import Scene, values

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(stage: Scene) -> Scene:
    """With a newcomer, who has a key and nothing else."""
    stage.devnet.key("newcomer")
    stage.devnet.fund()
    stage.keep()
    return stage


def assert_nothing_half_done(scene: Scene) -> None:
    """At most one twin; its card, if it has one, is what its owner's key file and the store can serve."""
    with scene.client("newcomer") as newcomer:
        context = newcomer.context
        twins = context.view().twins_of(newcomer.address)
        assert len(twins) <= 1
        for twin in twins:
            card = context.view().card(twin)
            if card is not None:
                assert card.bits == context.key.secrets.twin(context.deployment.id, twin).bits.root
                assert context.store.get(CID(card.key, "raw")) == context.key.seal_key.public
                assert newcomer.twins.roster(twin).threshold == 2


def assert_it_works(scene: Scene) -> None:
    """One twin with one card; what its owner writes, its owner reads, with the keys that the roster names."""
    with scene.client("newcomer") as newcomer:
        view = newcomer.context.view()
        (twin,) = view.twins_of(newcomer.address)
        assert len(view.cards(twin)) == 1
        newcomer.writer.put(twin, "glucose", scene.readings[:1])
        read = newcomer.read(twin, "glucose", "PATRQT")
        assert values(read) == values(scene.readings[:1])
        assert read.answered == read.asked == 3


def assert_nothing_aside(scene: Scene) -> None:
    """Key files and custodians' folders hold no half-written file."""
    for folder in (scene.home.keys, scene.home.custodians):
        assert not list(folder.rglob("*.tmp"))


def survive(scene: Scene, **how: Any) -> int:
    def whole() -> None:
        assert_nothing_half_done(scene)
        give_second_twin(scene.home.root)
        assert_nothing_half_done(scene)
        assert_it_works(scene)

    return len(survived(give_second_twin, scene.home.root, scene.restore, whole, **how))


def test_killed_at_every_other_write_and_begun_again_it_is_one_twin(scene: Scene) -> None:
    assert survive(scene, only=range(1, 20, 2)) >= 7


@pytest.mark.slow
def test_killed_at_each_write_and_begun_again_it_is_one_twin(scene: Scene) -> None:
    assert survive(scene) >= 14


@pytest.mark.slow
def test_a_power_cut_at_any_write_leaves_one_twin(scene: Scene) -> None:
    assert survive(scene, power_cut=True) >= 19


def test_a_card_set_before_the_secrets_are_kept_does_not_survive(scene: Scene) -> None:
    with pytest.raises(AssertionError, match="killed at write"):
        survive(scene, broken="sets_the_card_before_it_keeps_the_secrets", only=range(11, 20))
