"""Lies that a coordinator can tell of its model, and of what was made of a round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dtledger import encoding
from dtledger.ledger import Slot, calls
from dtledger.models.card import ModelCard
from dtledger.models.remediation import RemediationRecord
from dtledger.testing.memory_chain import new_deployment
from dtledger.types import Address, Digest
from dtledger.vocabulary import Purpose
from tests.audit.lying import OTHER, Lies, Make
from tests.audit.runs import Run

LIES = Lies()
lie = LIES.lie

# card: what the model is called was signed by its coordinator ---------------------------------------------------------


def _registered(run: Run, card: bytes) -> None:
    """A model of the same terms with that card, and a round of it."""
    digest = run.store.put(card, "dag-cbor").digest
    run.ledger.send(calls.register_model(Purpose.HRESCH, 1, 1, 3000, digest), run.scene.coordinator.context.key)
    run.model = run.ledger.view().models()[-1]
    run.whole()


@lie("the card is another coordinator's", "card", "not by the coordinator")
def _(run: Run, told: bool) -> None:
    signer = run.scene.auditor if told else run.scene.coordinator
    _registered(run, ModelCard("model").sign(run.deployment, signer.context.key))


@lie("the card was signed for another deployment", "card", "not by the coordinator")
def _(run: Run, told: bool) -> None:
    deployment = new_deployment() if told else run.deployment
    _registered(run, ModelCard("model").sign(deployment, run.scene.coordinator.context.key))


@lie("the card is no card", "card", "form body and signature")
def _(run: Run, told: bool) -> None:
    true = ModelCard("model").sign(run.deployment, run.scene.coordinator.context.key)
    _registered(run, encoding.encode({"name": "model"}) if told else true)


# aggregate: its signed record names updates of the round, each once ---------------------------------------------------


def _aggregates(**fault: Any) -> Make:
    """The coordinator's record is like that, all of it else as it should be."""

    def make(run: Run, told: bool) -> None:
        run.whole()
        run.open()
        how = {name: value(run) if callable(value) else value for name, value in fault.items()}
        run.finish(**(how if told else {}))

    return make


Named = tuple[tuple[Address, Digest], ...]


def _named(change: Callable[[Named, Named], Named]) -> Make:
    """What the record names, given the updates of the round before and of the round."""

    def make(run: Run, told: bool) -> None:
        run.whole()
        run.open()
        for site in run.scene.sites:
            run.commit(site)
        before, now = (
            tuple((each.site, each.update) for each in run.ledger.view().updates(1, number)) for number in (1, 2)
        )
        run.finalise(record={"updates": change(before, now) if told else now})

    return make


for _name, _says, _change in (
    ("an update that nobody committed", "names 1 update that nobody", lambda before, now: (*now, (now[0][0], OTHER))),
    (
        "an update as another site's",
        "names 1 update that nobody",
        lambda before, now: (now[0], (now[0][0], now[1][1])),
    ),
    ("an update of the round before", "names 1 update that nobody", lambda before, now: (*now, before[0])),
    ("an update twice", "or one twice", lambda before, now: (*now, now[0])),
    ("no update", "names no update", lambda before, now: ()),
):
    lie(f"the aggregate names {_name}", "aggregate", _says, number=2)(_named(_change))

for _name, _says, _fault in (
    ("is signed by another", "says otherwise", {"signer": lambda run: run.scene.sites[0]}),
    ("names another aggregate", "says otherwise", {"record": {"aggregate": OTHER}}),
    ("names another round", "says otherwise", {"record": {"round": 1}}),
    ("names another model", "says otherwise", {"record": {"model": 2}}),
    ("is no record", "form body and signature", {"block": encoding.encode({})}),
):
    lie(f"the coordinator's record {_name}", "aggregate", _says, number=2)(_aggregates(**_fault))


# weights: the file is what the aggregate names ------------------------------------------------------------------------


@lie("the weights were changed", "weights", "not what the aggregate names")
def _(run: Run, told: bool) -> None:
    run.whole()
    if told:
        run.files[1, None] = run.files[1, None][:-1]


@lie("the weights are those of the round before", "weights", "not what the aggregate names", number=2)
def _(run: Run, told: bool) -> None:
    run.whole()
    run.whole()
    if told:
        run.files[2, None] = run.files[1, None]


# withdrawals: what was withdrawn is in none of what it builds on, or it is recorded what became of that --------------


def _revokes(run: Run) -> None:
    patient = run.scene.patients[0][0]
    slot = Slot(patient.client.address, patient.twin, run.scene.sites[0].address, 0)
    patient.client.consents.revoke(slot)


@lie("a withdrawal is passed over in silence", "withdrawals", "affected: twin")
def _(run: Run, told: bool) -> None:
    run.whole()
    _revokes(run)
    if not told:
        run.scene.coordinator.models.remediate(run.model, 1, False, "one of very many")


@lie("what was withdrawn goes on in the next round's aggregate", "withdrawals", "affected: twin", number=2)
def _(run: Run, told: bool) -> None:
    run.whole()
    _revokes(run)
    run.scene.coordinator.models.remediate(run.model, 1, not told, "so that it is out of the next")
    run.whole()


@lie("a remediation was recorded before the withdrawal", "withdrawals", "affected: twin")
def _(run: Run, told: bool) -> None:
    run.whole()
    if not told:
        _revokes(run)
    run.scene.coordinator.models.remediate(run.model, 1, False, "whoever withdraws")
    if told:
        _revokes(run)


@lie("a retraining is announced and never done", "withdrawals", "to be retrained: twin")
def _(run: Run, told: bool) -> None:
    run.whole()
    _revokes(run)
    run.scene.coordinator.models.remediate(run.model, 1, True, "we shall")
    if not told:
        run.whole()


# remediation: its signed record says what the ledger says -------------------------------------------------------------


def _remediates(**fault: Any) -> Make:
    """The coordinator's record of an acceptance is like that, all of it else as it should be. Nothing was withdrawn."""

    def make(run: Run, told: bool) -> None:
        run.whole()
        coordinator = run.scene.coordinator.context.key
        said = {"model": 1, "first": 1, "last": 1, "retrained": False, "reason": "why"}
        how = fault if told else {}
        record = RemediationRecord(**{**said, **how.get("record", {})})
        block = record.sign(run.deployment, run.scene.sites[0].context.key if "signer" in how else coordinator)
        digest = run.store.put(how.get("block", block), "dag-cbor").digest
        run.ledger.send(calls.accept(1, 1, digest), coordinator)

    return make


for _name, _says, _fault in (
    ("names other rounds", "says otherwise", {"record": {"last": 2}}),
    ("names another model", "says otherwise", {"record": {"model": 2}}),
    ("says that it was retrained", "says otherwise", {"record": {"retrained": True}}),
    ("is signed by another", "says otherwise", {"signer": "a site"}),
    ("is no record", "form body and signature", {"block": encoding.encode({})}),
):
    lie(f"the record of a remediation {_name}", "remediation", _says)(_remediates(**_fault))
