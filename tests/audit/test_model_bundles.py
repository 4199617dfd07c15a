"""A model's audit by one hash: what its sites committed to, as the chain proves it, from a node as from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from dtledger._backend.anvil import Anvil
from dtledger.audit import Asked, Bundle, Claim, Given, Question, Verdict, exit_code, export
from dtledger.audit.proofs import Header
from dtledger.encoding import CID, encode, sha256
from dtledger.errors import IntegrityError
from dtledger.ledger import events as e
from dtledger.ledger.events import Logged
from dtledger.models.opening import Opening
from dtledger.vocabulary import Action
from tests.audit.attacks import Lying
from tests.audit.chain_world import ChainWorld, from_file
from tests.audit.runs import Run, about, those
from tests.audit.test_long_chains import telling
from tests.models.scene import Scene

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

Made = tuple[ChainWorld, Run, Asked]

FLIPS = 4
"""Of one part, each in a place of its own."""


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


HIDDEN: dict[str, tuple[Callable[[Any], bool], str]] = {
    "a round": (lambda event: isinstance(event, e.RoundOpened), "rounds of model"),
    "an update": (lambda event: isinstance(event, e.UpdateCommitted), "not every update of round"),
    "an aggregate": (lambda event: isinstance(event, e.AggregateFinalised), "of model"),
    "a consent to train": (
        lambda event: isinstance(event, e.Granted) and bool(event.grant.actions & Action.TRAIN.mask),
        "another grant",
    ),
    "a site's standing": (lambda event: isinstance(event, e.Enrolled), "change of the member"),
}
"""What an index keeps to itself of a model that is looked at in part, the last of its kind, and what tells."""


@pytest.mark.parametrize("what", HIDDEN)
def test_in_part_what_is_kept_back_of_a_model_is_missed(made: Made, what: str) -> None:
    world, _, asked = made
    matches, tells = HIDDEN[what]
    asked = replace(asked, question=replace(asked.question, whole=False), pinned=world.ledger.head().hash)
    logged = world.ledger.history().logged
    hidden = [each for each in logged if matches(each.event) and _bears(made, each)][-1].place
    bundle, claims = export(asked, telling(world, lambda each: each.place != hidden), world.store)
    assert those(claims, Verdict.FAIL) == [("events", "the model")]
    assert tells in next(each.evidence for each in claims if each.name == "events")
    assert from_file(bundle, asked)[:-1] == claims
    bundle, claims = export(asked, telling(world, lambda each: True), world.store)
    assert [each for each in claims if each.verdict is not Verdict.PASS] == []
    assert from_file(bundle, asked)[:-1] == claims


def _bears(made: Made, logged: Logged) -> bool:
    """Whether an event is of the model, of a twin that it was trained on, or of one of its sites."""
    _, run, asked = made
    twins = {each.trained.twin for opening in run.openings for each in opening.shown}
    event: Any = logged.event
    sites = {site.address for site in run.scene.sites}
    said = (getattr(event, "model", None), getattr(event, "twin", None), getattr(event, "member", None))
    return said[0] == asked.question.model or said[1] in twins or said[2] in sites


@pytest.fixture(scope="module")
def honest(made: Made) -> tuple[Bundle, list[Claim], Asked]:
    """The file of an audit in which every claim passes, and an auditor who knows the head and the contracts."""
    world, _, asked = made
    bundle, _ = export(asked, world.source(), world.store)
    head = Header.read(bundle.headers[max(bundle.headers)]).hash
    auditor = replace(asked, given=Given(), pinned=head, known=bundle.deployment)
    return bundle, from_file(bundle, auditor), auditor


PARTS: dict[str, Callable[[Bundle], Sequence[bytes]]] = {
    "the question": lambda bundle: [encode(bundle.question.encode())],
    "what sites opened": lambda bundle: bundle.given.openings,
    "headers": lambda bundle: [*bundle.headers.values()],
    "nodes of tries": lambda bundle: bundle.nodes,
    "codes": lambda bundle: [*bundle.codes.values()],
    "blocks": lambda bundle: [each for each in bundle.blocks.values() if each],
    "digests of sources": lambda bundle: [*bundle.sources.values()],
}


@pytest.mark.parametrize("part", PARTS)
def test_whatever_byte_is_changed_with_the_sum_over_it_no_claim_passes_that_did_not(
    honest: tuple[Bundle, list[Claim], Asked], part: str
) -> None:
    """Whoever changes it makes the sum anew: a claim then fails, and what passes still says what it said."""
    bundle, expected, auditor = honest
    body = bundle.encode()[:-32]
    held = PARTS[part](bundle)
    for item in held[:: len(held) // FLIPS + 1]:
        for place in range(len(item) // 3, len(item), len(item) // 2 + 1):
            changed = bytearray(body)
            changed[body.index(item) + place] ^= 1 << place % 8
            try:
                found = from_file(Bundle.decode(bytes(changed) + sha256(bytes(changed))), auditor)
            except IntegrityError:
                continue
            passing = [each for each in found if each.verdict is Verdict.PASS]
            assert passing != found, place
            assert [each for each in passing if each not in expected] == [], place
    assert from_file(Bundle.decode(body + sha256(body)), auditor) == expected, "with no byte changed"
    assert {each.verdict for each in expected} == {Verdict.PASS}
