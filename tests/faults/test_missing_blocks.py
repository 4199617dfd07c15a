"""A block that the store lacks: whoever needs it is told which, and nobody else notices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from dtledger.client import Client
from dtledger.encoding import sha256
from dtledger.errors import UnreachableError
from dtledger.store import BlockMissingError
from tests.crash.scene import READINGS, TWIN, Scene, values
from tests.faults.conftest import READ, assert_read, refusal

pytestmark = pytest.mark.anvil


def blocks(scene: Scene) -> list[Path]:
    return sorted(each for each in (scene.devnet.blocks / "blocks").rglob("*") if each.is_file())


def what_a_read_lacks(scene: Scene, client: Client) -> BlockMissingError | None:
    """What stops it; nothing, if all readings come."""
    try:
        found = client.read(TWIN, "glucose", "TREAT")
    except BlockMissingError as error:
        return error
    assert values(found) == values(scene.readings)
    return None


def test_each_that_is_missing_is_named_or_not_needed(scene: Scene) -> None:
    needed = []
    with scene.client("cardiology") as cardiology:
        for block in blocks(scene):
            kept = block.read_bytes()
            block.unlink()
            error = what_a_read_lacks(scene, cardiology)
            if error is not None:
                assert (error.block, error.exit_code) == (block.name, 6)
                needed.append(block.name)
            block.write_bytes(kept)
        assert len(cardiology.read(TWIN, "glucose", "TREAT")) == READINGS
    # roster, index, page, and a manifest and a custody block for each of three snapshots; a package that is gone shuts
    # one door of two
    assert len(needed) == 3 + 2 * 3


def test_it_is_one_sentence_and_exit_code_6_on_the_command_line(scene: Scene, dtledger: Callable[..., Result]) -> None:
    gone = {block: block.read_bytes() for block in blocks(scene)}
    for block in gone:
        block.unlink()
    said = refusal(dtledger(*READ, "TREAT", key="cardiology"))
    assert (said.code, said.error) == (6, "BlockMissingError")
    for block, data in gone.items():
        block.write_bytes(data)
    assert_read(dtledger(*READ, "TREAT", key="cardiology"))


def test_a_writer_whose_index_is_gone_says_so_and_anchors_nothing(scene: Scene) -> None:
    """Its journal is lost as well, so the stream's end is known to nobody else."""
    for each in scene.home.journal.glob("*"):
        each.unlink()
    gone = {block: block.read_bytes() for block in blocks(scene)}
    with scene.client("gateway") as gateway:
        package = gateway.context.view().slots_of(scene.address("patient"), TWIN, gateway.address)[0].package
        card = gateway.context.view().card(TWIN)
        assert card is not None
        kept = (package, card.roster)
        for block, data in gone.items():
            if sha256(data) not in kept:
                block.unlink()
        before = gateway.context.ledger.head().number
        with pytest.raises(UnreachableError):
            gateway.writer.put(TWIN, "glucose", scene.readings[:1])
        assert gateway.context.ledger.head().number == before
        for block, data in gone.items():
            block.write_bytes(data)
        gateway.writer.put(TWIN, "glucose", scene.readings[:1])
