"""Commit before masking: what was committed to can be checked afterwards, though nobody saw it but in a sum."""

from __future__ import annotations

from functools import partial

import numpy as np

from dtledger.audit import ModelAudit, Verdict
from dtledger.federated.arrays import encode_arrays
from dtledger.federated.messages import PROVENANCE, arrays_of
from tests.federated.attacks import wire_of
from tests.federated.masks import MaskedSum, mask_mod
from tests.federated.scene import Scene


def run_masked(scene: Scene) -> dict[str, np.ndarray]:
    strategy = scene.strategy(MaskedSum(fraction_evaluate=0.0), masked=True)
    return scene.run(1, strategy=strategy, mods=[mask_mod(2)], masked=True, grid=wire_of(scene, None, 0, 0))


def audited(scene: Scene, change: float = 0.0) -> dict[str, Verdict]:
    """The claims about the updates, as an auditor finds them by the sites' openings and the files that they hand over;
    the first site's file may be another than it committed to."""
    context = scene.coordinator.context
    model = context.view().model(scene.model)
    assert model is not None
    openings, files = [], {}
    for place, hospital in enumerate(scene.hospitals):
        openings.append(hospital.client.training.opening(model, 1))
        kept = scene.journal(hospital.client).kept(scene.model, 1)
        assert kept is not None
        data = kept.weights() + (b"!" if change and not place else b"")
        files[1, hospital.client.address] = partial(iter, [data])
    claims = ModelAudit(context.deployment, context.view(), context.store, model, openings, files).claims()
    return {f"{each.name} {each.about}": each.verdict for each in claims if each.name in ("update", "consents")}


def test_the_masked_sum_is_the_sum_of_what_was_committed_to(scene: Scene) -> None:
    made = run_masked(scene)
    scene.model, seen = scene.model_of("plain"), scene.seen
    plain = scene.run(1)
    for name, each in plain.items():
        np.testing.assert_allclose(made[name], each, atol=1e-6)
    for reply in seen:  # and no update was to be seen on the way, nor the salt by which it could be guessed
        assert arrays_of(reply.content)["w"].dtype == np.uint64
        assert set(reply.content[PROVENANCE]) == {"record"}


def test_an_auditor_checks_each_update_that_went_into_it(scene: Scene) -> None:
    run_masked(scene)
    assert set(audited(scene).values()) == {Verdict.PASS}
    site = scene.hospitals[0].client.address
    assert audited(scene, change=1.0)[f"update round 1, {site}"] is Verdict.FAIL


def test_the_aggregate_is_on_the_ledger(scene: Scene) -> None:
    made = run_masked(scene)
    kept = scene.journal(scene.coordinator).kept(scene.model, 1)
    assert kept is not None
    assert kept.weights() == b"".join(encode_arrays(made))
