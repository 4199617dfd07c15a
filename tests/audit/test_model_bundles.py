"""A model's audit by one hash: what its sites committed to, as the chain proves it, from a node as from a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from dtledger._backend.anvil import Anvil
from dtledger.audit import Asked, Given, Question, Verdict, exit_code, export
from dtledger.encoding import CID
from dtledger.models.opening import Opening
from tests.audit.attacks import Lying
from tests.audit.chain_world import ChainWorld, from_file
from tests.audit.runs import Run, about, those
from tests.models.scene import Scene

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

Made = tuple[ChainWorld, Run, Asked]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Two rounds in which nobody lied, and their audit."""
    folder = tmp_path_factory.mktemp("models")
    with Anvil(folder / "anvil", state_interval=3600) as anvil, ChainWorld(anvil, folder, hours=1) as world:
        run = Run(Scene(world, twins=1))
        run.ledger.mine = partial(anvil.rpc, "anvil_mine", "0x1")  # type: ignore[method-assign]
        run.whole()
        run.whole()
        key, deployment = run.scene.auditor.context.key, world.deployment
        sealed = [
            each.sealed(deployment, _key_of(run, each), key.address, key.seal_key.public) for each in run.openings
        ]
        given = Given(openings=tuple(Opening.unsealed(deployment, each, key.address, key.seal_key) for each in sealed))
        files = {place: (lambda file=file: [file]) for place, file in run.files.items()}
        yield world, run, Asked(Question(model=run.model.number), given, deployment, files=files)


def _key_of(run: Run, opening: Opening):  # type: ignore[no-untyped-def]
    return next(site.context.key for site in run.scene.sites if site.address == opening.site)


def test_every_claim_passes_from_node_and_file_alike(made: Made) -> None:
    world, _, asked = made
    bundle, claims = export(asked, world.source(), world.store)
    assert [each for each in claims if each.verdict is not Verdict.PASS] == []
    assert {each.name for each in claims} >= {"events", "card", "budget", "consents", "weights", "aggregate"}
    again = from_file(bundle, replace(asked, given=Given()))
    assert again[:-1] == claims
    assert exit_code(again) == 0


def test_without_openings_and_files_what_needs_them_cannot_be_checked(made: Made) -> None:
    world, _, asked = made
    bundle, claims = export(replace(asked, given=Given(), files=None), world.source(), world.store)
    lacking = {each.name for each in claims if each.verdict is Verdict.CANNOT_CHECK}
    assert lacking == {"consents", "terms", "twins", "update", "weights", "withdrawals"}
    assert from_file(bundle)[:-1] == claims


def test_a_revocation_before_the_round_that_a_node_hides_is_not_hidden(made: Made) -> None:
    """The blocks' own filters tell that there is more than the node says."""
    world, run, asked = made
    source = world.source()
    hidden = run.ledger.view().rounds(run.model.number)[0].block

    def receipts(number: int) -> list[bytes]:
        return [] if number == hidden else list(source.receipts(number))

    bundle, claims = export(asked, Lying(source, receipts=receipts), world.store)
    assert those(claims, Verdict.FAIL) == [("events", "the model")]
    assert from_file(bundle, asked)[:-1] == claims


def test_leaves_that_are_not_to_be_had_are_missed(made: Made) -> None:
    world, run, asked = made
    site = run.scene.sites[0]
    record = run.ledger.view().updates(run.model.number, 1)[0].record
    kept = world.store._blocks.pop(CID(record))
    try:
        bundle, claims = export(asked, world.source(), world.store)
    finally:
        world.store._blocks[CID(record)] = kept
    assert ("record", about(site)) in those(claims, Verdict.CANNOT_CHECK)
    assert from_file(bundle, asked)[:-1] == claims
