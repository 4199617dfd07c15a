"""The audit of a release: from the file alone, and on the ledger. Each lie fails its own claim; without it all pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dtledger._cli import main
from dtledger.audit import Claim, ReleaseAudit, Verdict
from dtledger.client import Client
from dtledger.encoding import CID
from dtledger.errors import InputError
from dtledger.ledger.events import AggregateFinalised, Logged
from dtledger.ledger.rejections.models import NotCoordinatorError
from dtledger.models.dsse import Envelope
from dtledger.models.origin import Contribution
from dtledger.models.release import Release
from dtledger.models.update import AggregateRecord
from dtledger.testing.memory_chain import new_deployment
from dtledger.types import ZERO_ADDRESS, Address, Digest
from tests.audit.runs import Run
from tests.models.scene import AGGREGATE, UPDATE, Scene

pytestmark = pytest.mark.slow

FILES = {"weights.bin": AGGREGATE, "readme.txt": b"how to use them"}
OTHER = Digest(b"\2" * 32)


@pytest.fixture
def trained(scene: Scene) -> Scene:
    """Two rounds; of the second round one update was left out."""
    scene.run()
    scene.round()
    for site in scene.sites:
        scene.commit(site)
    scene.coordinator.models.finalise(scene.model.model, [AGGREGATE], [scene.sites[1].address])
    return scene


def released(scene: Scene, files: Mapping[str, bytes] = FILES, number: int = 2, by: Client | None = None) -> Release:
    models = (by or scene.coordinator).models
    return models.release(scene.model, number, {name: [data[:3], data[3:]] for name, data in files.items()})


def claims(scene: Scene, data: bytes, files: Mapping[str, bytes] = FILES, by: Address | None = None) -> list[Claim]:
    """Every claim, with the ledger's."""
    context = scene.auditor.context
    audit = ReleaseAudit(data, lambda name: [files[name]] if name in files else None, by)
    return [*audit.claims(), *audit.on_ledger(context.deployment, context.view(), context.store)]


def those(found: list[Claim], verdict: Verdict) -> list[str]:
    return [each.name for each in found if each.verdict is verdict]


def test_a_release_passes_by_itself_and_on_the_ledger(trained: Scene) -> None:
    data = released(trained).sign(trained.coordinator.context.key)
    found = claims(trained, data, by=trained.coordinator.address)
    assert [each.name for each in found] == [
        "signature", "file", "file", "deployment", "coordinator", "round", "updates",
    ]  # fmt: skip
    assert those(found, Verdict.PASS) == [each.name for each in found]
    assert found[-1].evidence == "1 of 2 updates, 2 twins"


def test_a_release_says_what_each_site_spent_and_whose_update_was_left_out(trained: Scene) -> None:
    one, other = released(trained).origin.updates
    assert [each.site for each in (one, other)] == [each.address for each in trained.sites]
    assert [(each.used, each.epsilon, each.spent) for each in (one, other)] == [(True, 500, 1000), (False, 500, 1000)]


@pytest.mark.parametrize(
    ("files", "number", "told"),
    [({"weights.bin": UPDATE}, 2, "none of the files is the aggregate"), (FILES, 3, "not finalised"),
     ({"a\x1bb": AGGREGATE}, 2, "no file's name")],
)  # fmt: skip
def test_what_is_no_release_is_not_made(trained: Scene, files: Mapping[str, bytes], number: int, told: str) -> None:
    with pytest.raises(InputError, match=told):
        released(trained, files, number)
    assert released(trained)


def test_a_release_is_its_coordinators_to_make(trained: Scene) -> None:
    with pytest.raises(NotCoordinatorError):
        released(trained, by=trained.sites[0])
    assert released(trained)


def test_a_file_that_was_changed_fails_and_one_that_is_missing_is_no_pass(trained: Scene) -> None:
    data = released(trained).sign(trained.coordinator.context.key)
    changed = claims(trained, data, {**FILES, "weights.bin": AGGREGATE + b"!"})
    assert [(each.name, each.about) for each in changed if each.verdict is not Verdict.PASS] == [
        ("file", "weights.bin")
    ]
    assert those(changed, Verdict.FAIL) == ["file"]
    missing = claims(trained, data, {"weights.bin": AGGREGATE})
    assert (those(missing, Verdict.FAIL), those(missing, Verdict.CANNOT_CHECK)) == ([], ["file"])


def test_a_release_that_was_changed_after_it_was_signed_says_nothing_any_more(trained: Scene) -> None:
    envelope = Envelope.decode(released(trained).sign(trained.coordinator.context.key))
    changed = replace(envelope, payload=envelope.payload.replace(b'"cohort":2', b'"cohort":9'))
    assert changed != envelope
    found = claims(trained, changed.encode())
    assert ([each.name for each in found], those(found, Verdict.FAIL)) == (["signature"], ["signature"])


def test_a_release_that_somebody_else_signed_is_not_the_coordinators(trained: Scene) -> None:
    release, site = released(trained), trained.sites[0]
    data = release.sign(site.context.key)
    assert those(claims(trained, data), Verdict.FAIL) == ["coordinator"]
    assert those(claims(trained, data, by=trained.coordinator.address), Verdict.FAIL) == ["signature", "coordinator"]
    both = Envelope.decode(data).signed(trained.coordinator.context.key).encode()
    assert those(claims(trained, both, by=trained.coordinator.address), Verdict.FAIL) == []


@pytest.mark.parametrize(
    "lie",
    [{"updates": ()}, {"updates": ((ZERO_ADDRESS, OTHER),)}, {"round": 2}],
    ids=["no update", "a foreign one", "another round"],
)
def test_a_release_of_what_the_coordinator_says_was_made_of_other_updates_is_no_pass(
    scene: Scene, lie: dict[str, Any]
) -> None:
    """Its record and its release agree, and neither agrees with the round."""
    run = Run(scene)
    run.open()
    run.finish()
    files = {"weights.bin": run.files[1, None]}
    honest = released(scene, files, 1)
    data = honest.sign(scene.coordinator.context.key)
    assert those(claims(scene, data, files), Verdict.FAIL) == []
    made = AggregateRecord.of(1, 1, honest.origin.aggregate, run.ledger.view().updates(1, 1))
    block = replace(made, **lie).sign(run.deployment, scene.coordinator.context.key)
    told = run.store.put(block, "dag-cbor").digest

    def change(logged: Logged) -> list[Logged]:
        event = logged.event
        return (
            [replace(logged, event=replace(event, record=told))] if isinstance(event, AggregateFinalised) else [logged]
        )

    run.rewrite(change)
    assert run.view is not None
    used = [(each.site, each.update) in replace(made, **lie).updates for each in honest.origin.updates]
    said = tuple(replace(each, used=was) for each, was in zip(honest.origin.updates, used, strict=True))
    false = replace(honest, origin=replace(honest.origin, record=told, updates=said))
    audit = ReleaseAudit(false.sign(scene.coordinator.context.key), lambda name: [files[name]])
    found = [*audit.claims(), *audit.on_ledger(run.deployment, run.view, run.store)]
    assert those(found, Verdict.FAIL) == ["updates"]


@pytest.mark.parametrize("name", ["ä" * 255, "weights.bin"], ids=["a name too long", "the weights"])
def test_the_command_says_of_a_file_whose_name_is_too_long_to_be_there_that_it_is_not_at_hand(
    trained: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("DTLEDGER_HOME", str(tmp_path / "nothing"))
    signed, weights = tmp_path / "release.dsse.json", tmp_path / "weights.bin"
    signed.write_bytes(released(trained, {name: AGGREGATE}).sign(trained.coordinator.context.key))
    weights.write_bytes(AGGREGATE)
    found = CliRunner().invoke(main, ["model", "verify", str(signed)], catch_exceptions=False)
    assert (found.exit_code, "not at hand" in found.stdout) == ((0, False) if name == weights.name else (6, True))


def changed(**values: Any) -> Callable[[Release], Release]:
    return lambda release: replace(release, origin=replace(release.origin, **values))


def of_updates(change: Callable[[Contribution], Contribution]) -> Callable[[Release], Release]:
    """The first update is said to be otherwise."""

    def make(release: Release) -> Release:
        first, *rest = release.origin.updates
        return replace(release, origin=replace(release.origin, updates=(change(first), *rest)))

    return make


LIES: dict[str, tuple[Callable[[Release], Release], list[str], list[str]]] = {
    "another deployment": (changed(deployment=new_deployment().id), ["deployment"], []),
    "another chain of that number": (changed(genesis=OTHER), ["deployment"], []),
    "another contract": (changed(ledger=Address("0x" + "11" * 20)), ["deployment"], []),
    "another model": (changed(model=7), ["coordinator", "round"], ["updates"]),
    "another purpose": (changed(purpose=9), ["coordinator"], []),
    "another category": (changed(categories=2), ["coordinator"], []),
    "a round that is not there": (changed(round=3), ["round"], ["updates"]),
    "another parent": (changed(parent=OTHER), ["round"], []),
    "another record": (changed(record=OTHER), ["round"], []),
    "an earlier block": (changed(opened=1), ["round"], []),
    "another site": (of_updates(lambda each: replace(each, site=Address("0x" + "11" * 20))), ["updates"], []),
    "another consent root": (of_updates(lambda each: replace(each, consents=OTHER)), ["updates"], []),
    "a larger cohort": (of_updates(lambda each: replace(each, cohort=200)), ["updates"], []),
    "a smaller ε": (of_updates(lambda each: replace(each, epsilon=1)), ["updates"], []),
    "less that was spent": (of_updates(lambda each: replace(each, spent=500)), ["updates"], []),
    "an update that did not go into it": (of_updates(lambda each: replace(each, used=False)), ["updates"], []),
    "no updates": (changed(updates=()), ["updates"], []),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_of_the_coordinator_is_found_on_the_ledger(trained: Scene, name: str) -> None:
    change, fail, cannot = LIES[name]
    key, release = trained.coordinator.context.key, released(trained)
    found = claims(trained, change(release).sign(key))
    assert (those(found, Verdict.FAIL), those(found, Verdict.CANNOT_CHECK)) == (fail, cannot)
    assert those(claims(trained, release.sign(key)), Verdict.FAIL) == []


def test_another_aggregate_is_found_on_the_ledger(trained: Scene) -> None:
    """Its file goes with it: only the ledger knows what the round was made into."""
    release = released(trained)
    weights = replace(release.resources[1], digest=OTHER)
    lie = replace(release, resources=(release.resources[0], weights), origin=replace(release.origin, aggregate=OTHER))
    found = claims(trained, lie.sign(trained.coordinator.context.key))
    assert "round" in those(found, Verdict.FAIL)


def test_updates_are_not_judged_without_the_coordinators_record(trained: Scene) -> None:
    data = released(trained).sign(trained.coordinator.context.key)
    made = trained.world.ledger.view().aggregate(1, 2)
    assert made is not None
    block = trained.world.store.get(CID(made.record))
    trained.world.store.remove([CID(made.record)])
    found = claims(trained, data)
    assert (those(found, Verdict.FAIL), those(found, Verdict.CANNOT_CHECK)) == ([], ["updates"])
    trained.world.store.put(block, "dag-cbor")
    assert those(claims(trained, data), Verdict.CANNOT_CHECK) == []


def test_what_is_no_release_has_no_claim_but_that(trained: Scene) -> None:
    found = claims(trained, b"{}")
    assert ([each.name for each in found], those(found, Verdict.FAIL)) == (["signature"], ["signature"])
