"""A patient loses everything, and two of three friends bring her twin to a new key: by commands, on a chain of its own.

The custodians are the devnet's, embedded in each command.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dtledger._cli import main
from dtledger.client.devnet import PROFILE
from tests.cli.twins import complaint, said
from tests.crash.deaths import deaths
from tests.crash.operations import bring_back, import_file
from tests.crash.scene import READINGS, TWIN, Scene, set_scene

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

FRIENDS = ("bea", "cem", "dot")
NEW = "ann-new"
DELAY = 2 * 86_400


@dataclass(frozen=True)
class Story:
    """Everything of Ann's is lost; her friends have signed, and the chain has announced the move to her new key."""

    scene: Scene

    @property
    def move(self) -> Path:
        return self.scene.home.root / "ann.move.json"

    @property
    def opening(self) -> Path:
        return self.scene.home.root / "ann.guardians.json"

    def run(self, *words: object, by: str) -> Result:
        options = ("--home", self.scene.home.root, "--profile", PROFILE, "--key", by, "--json")
        return CliRunner().invoke(main, [str(word) for word in (*words, *options)], catch_exceptions=False)

    def entrust(self) -> None:
        named: list[object] = []
        for name in FRIENDS:
            card = self.scene.folder / f"{name}.card.json"
            said(self.run("member", "card", name, "--out", card, by=name))
            named += ["--guardian", card]
        words = ("twin", "guardians", "set", TWIN, *named, "--delay", "2d", "--out", self.opening, "--yes")
        assert len(said(self.run(*words, by="patient"))["sent"]) == 2

    def lose_everything(self) -> None:
        """Ann's key, and whatever her commands kept beside it. The custodians only live under the same roof."""
        home, address = self.scene.home, self.scene.address("patient")
        for each in (*home.keys.glob("*patient*"), *home.journal.glob(f"*{address}*")):
            each.unlink()

    def sign(self, by: str) -> dict[str, Any]:
        words = ("twin", "recover", "begin", self.move, "--guardians", self.opening, "--yes")
        return said(self.run(*words, by=by))

    def complete(self, *more: object, by: str = NEW) -> Result:
        return self.run("twin", "recover", "complete", TWIN, *(more or ("--shares", self.move)), by=by)

    def restore(self) -> None:
        """As it was when the last friend had signed, and the owner's delay later."""
        self.scene.restore()
        self.scene.devnet.anvil.rpc("evm_increaseTime", DELAY)
        self.scene.devnet.anvil.rpc("evm_mine")

    def readable(self) -> int:
        with self.scene.client(NEW) as client:
            return len(client.read(TWIN, "glucose", "PATRQT"))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    scene = set_scene(tmp_path_factory.mktemp("recovery"))
    try:
        import_file(scene.home.root)
        for name in (*FRIENDS, NEW):
            scene.devnet.key(name)
        scene.devnet.fund()
        story = Story(scene)
        story.entrust()
        story.lose_everything()
        assert story.sign(NEW)["recipient_signed"]
        assert story.sign("bea")["sent"] is None
        assert story.sign("cem")["sent"]["gas"] > 0
        scene.keep()
        yield story
    finally:
        scene.devnet.down()


@pytest.fixture
def story(told: Story) -> Story:
    told.restore()
    return told


def test_she_reads_all_that_was_written_before(story: Story) -> None:
    done = said(story.complete())
    assert (done["generation"], done["faults"], set(done["sent"])) == (1, {}, {"move", "card"})
    assert story.readable() == READINGS
    assert said(story.complete())["sent"] == {}, "again it is found done"
    shown = said(story.run("twin", "show", TWIN, by=NEW))
    assert (shown["mine"], shown["guarded"], shown["grants"]["live"]) == (True, False, 0)


def test_before_the_delay_is_over_nothing_comes_back(story: Story) -> None:
    story.scene.restore()
    assert complaint(story.complete(), 1)["error"] == "MoveNotReadyError"
    story.restore()
    assert story.complete("--shares", story.move, "--dry-run").exit_code == 0
    said(story.complete())


def test_one_friend_is_too_few_and_another_adds_a_share_later(story: Story) -> None:
    document = json.loads(story.move.read_text())
    document["shares"].popitem()
    story.move.write_text(json.dumps(document))
    assert "2 guardians are needed" in complaint(story.complete(), 6)["message"]
    assert len(story.sign("dot")["shares"]) == 2, "the twin is at the new key by now"
    assert set(said(story.complete())["sent"]) == {"card"}
    assert story.readable() == READINGS


def test_a_friend_s_wrong_share_is_named(story: Story) -> None:
    document = json.loads(story.move.read_text())
    (liar, false), (other, _) = document["shares"].items()
    false["sealed"] = document["shares"][other]["sealed"]
    story.move.write_text(json.dumps(document))
    assert set(complaint(story.complete(), 6)["faults"]) == {liar}
    story.sign("dot")
    assert set(said(story.complete())["faults"]) == {liar}
    assert story.readable() == READINGS


def test_one_custodian_is_too_few_and_who_did_not_answer_is_named(story: Story) -> None:
    keys = story.scene.home.custodians / "keys"
    with story.scene.client(NEW) as client:
        everybody = set(client.context.custodians)
    for name in ("custodian-1", "custodian-2"):
        (keys / f"{name}.json").rename(keys / f"{name}.away")
    with story.scene.client(NEW) as client:
        gone = everybody - set(client.context.custodians)
    assert len(gone) == 2
    assert set(complaint(story.complete(), 6)["faults"]) == gone
    for each in keys.glob("*.away"):
        each.rename(each.with_suffix(".json"))
    said(story.complete())
    assert story.readable() == READINGS


def test_another_key_moves_it_and_gets_nothing(story: Story) -> None:
    assert complaint(story.complete(by="bea"), 2)["hint"] == "Choose that key with --key."
    assert set(said(story.complete("--dry-run", by="bea"))) > {"sent"}
    said(story.run("twin", "recover", "complete", TWIN, by="bea"))
    assert "recovery package" in complaint(story.run("twin", "mint", by=NEW), 2)["message"]
    said(story.complete())
    assert story.readable() == READINGS


def test_with_new_secrets_only_if_that_is_said(story: Story) -> None:
    assert story.complete("--shares", story.move, "--without-secrets").exit_code == 2
    assert said(story.complete("--without-secrets"))["generation"] is None
    assert story.readable() == 0


def test_killed_at_any_write_it_goes_on(story: Story) -> None:
    died = 0
    for death in deaths(bring_back, story.scene.home.root, story.restore):
        died += 1
        bring_back(story.scene.home.root)
        assert story.readable() == READINGS, str(death)
        with story.scene.client(NEW) as client:
            assert client.twins.generation(TWIN) == 1, str(death)
            cards = [each for each in client.context.view().cards(TWIN) if each.owner == client.address]
            assert len(cards) == 1, str(death)
    assert died >= 5
