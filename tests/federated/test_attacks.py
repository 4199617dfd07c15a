"""Every attack on a round, on each site and in each round: the coordinator refuses that update, says so, and aggregates
the others; with the one fault mended the same run uses all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from flwr.app import MetricRecord

from dtledger.errors import InputError, IntegrityError
from dtledger.federated.arrays import encode_arrays
from dtledger.federated.coordinator import Coordinator, RoundReport
from dtledger.federated.messages import record_of
from dtledger.federated.privacy import Stated
from dtledger.federated.site import Answer, Turn
from dtledger.ledger import calls
from dtledger.ledger.rejections.models import RoundFinalisedError
from dtledger.models.origin import Origin
from dtledger.models.update import AggregateRecord, digest_of
from dtledger.types import Digest
from tests.federated.attacks import ATTACKS, Attack, Liar, wire_of
from tests.federated.scene import BUDGET, EPSILON, START, Scene

pytestmark = pytest.mark.slow

MATRIX = [
    pytest.param(name, place % 2, max(attack.first, 1 + place // 2 % 2), id=name)
    for place, (name, attack) in enumerate(ATTACKS.items())
]
"""Each attack, on one site or the other, in one round or the other."""
HONEST = ["the record is missing", *(name for name, attack in ATTACKS.items() if attack.liar)]
"""On the wire all are the same without their fault."""


def play(scene: Scene, attack: Attack, victim: int, number: int, *, told: bool) -> list[RoundReport]:
    """Two rounds with the attack in one of them, or without."""
    sites: list[Any] = scene.sites()
    opened = False
    if attack.liar is not None:
        options = attack.options(scene) if attack.options else {}
        opened = options.get("shows", False)
        sites = scene.sites(**options)
        client = scene.hospitals[victim].client
        liar = attack.liar(scene)(client, scene.model, scene.journal(client), privacy=Stated(EPSILON), **options)
        assert isinstance(liar, Liar)
        liar.scene, liar.lies = scene, [number] if told else []
        sites[victim] = liar
    grid = wire_of(scene, attack.change if told else None, victim, number)
    strategy = scene.strategy(opened=opened)
    scene.run(2, sites=sites, strategy=strategy, grid=grid)
    return strategy.reports


@pytest.mark.parametrize(("name", "victim", "number"), MATRIX)
def test_an_attack_is_refused_and_without_it_all_are_used(scene: Scene, name: str, victim: int, number: int) -> None:
    attack = ATTACKS[name]
    reports = play(scene, attack, victim, number, told=True)
    report = next(each for each in reports if each.refused)
    assert report.number == number
    assert len(report.refused) == attack.refused
    assert all(attack.says in why for _, why in report.refused), report.refused
    aggregate = scene.world.ledger.view().aggregate(scene.model, number)
    if attack.refused == 2:
        return  # nothing was left of that round: it was asked for again
    assert aggregate is not None
    used, _ = AggregateRecord.read(scene.world.ledger.deployment, scene.world.store.get(_cid(aggregate.record)))
    assert len(used.updates) == len(report.used)


@pytest.mark.parametrize("name", HONEST)
def test_the_same_run_without_the_fault_uses_all(scene: Scene, name: str) -> None:
    attack = ATTACKS[name]
    for report in play(scene, attack, 0, attack.first, told=False):
        assert (len(report.used), report.refused) == (2, ())


def _cid(digest: Digest) -> Any:
    from dtledger.encoding import CID

    return CID(digest)


# what is refused before anything is read, and what a coordinator may not do -------------------------------------------


def test_a_site_that_would_go_over_budget_reads_nobody(scene: Scene) -> None:
    sites = [scene.site(0, Stated(BUDGET + 1)), scene.site(1)]
    strategy = scene.strategy()
    scene.run(1, sites=sites, strategy=strategy)
    assert strategy.reports[0].refused == (("node 10", "refused: OverBudgetError"),)
    for twin, patient in scene.hospitals[0].patients.items():
        assert patient.twins.who_looked(twin).looks == ()
    scene.run(1, sites=[scene.site(0, Stated(BUDGET)), sites[1]])
    assert all(patient.twins.who_looked(twin).looks for twin, patient in scene.hospitals[0].patients.items())


class TestACoordinator:
    def test_cannot_make_two_aggregates_of_one_round(self, scene: Scene) -> None:
        scene.run(1)
        view = scene.world.ledger.view()
        (number,) = view.rounds(scene.model)
        sites = tuple(each.site for each in view.updates(scene.model, 1))
        with pytest.raises(RoundFinalisedError):
            scene.leading().finalise(number, START, RoundReport(1, sites))
        call = calls.finalise_aggregate(scene.model, 1, Digest(b"\3" * 32), Digest(b"\4" * 32), 2)
        with pytest.raises(RoundFinalisedError):
            scene.world.ledger.send(call, scene.coordinator.context.key)
        scene.run(1)

    def test_cannot_send_sites_something_else_than_the_ledger_has(self, scene: Scene) -> None:
        """Whoever is sent another aggregate, or other first weights, refuses to train on it."""
        other = {name: each + 1 for name, each in START.items()}
        scene.leading().open(START)
        for site in scene.sites():
            with pytest.raises(IntegrityError, match="other weights than the coordinator sent"):
                site.turn(1, digest_of([b"other"]))
        with pytest.raises(IntegrityError, match="starts from other weights"):
            scene.leading().open(other)
        scene.run(1)
        with pytest.raises(InputError, match="starts from the aggregate before"):
            scene.leading().open(other)
        scene.run(1)

    def test_cannot_ask_for_a_round_that_is_over(self, scene: Scene) -> None:
        scene.run(2)
        number = scene.world.ledger.view().round(scene.model, 1)
        assert number is not None
        with pytest.raises(IntegrityError, match="not the newest"):
            scene.site(0).turn(1, number.parent)
        scene.run(1)

    def test_without_the_weights_of_its_aggregate_cannot_go_on(self, scene: Scene) -> None:
        from dtledger._backend.round_journal import RoundJournal
        from dtledger.errors import CannotCheckError

        scene.run(1)
        elsewhere = Coordinator(scene.coordinator, scene.model, RoundJournal(scene.folder / "elsewhere"))
        with pytest.raises(CannotCheckError, match="does not hold the weights"):
            elsewhere.start(START)
        assert record_of(scene.leading().start(START))

    def test_who_is_no_auditor_is_shown_nobody(self, scene: Scene) -> None:
        from dtledger.vocabulary import Kind

        kinds = scene.world.operator.members
        kinds.set_kinds(scene.coordinator.address, Kind.COORDINATOR.mask)
        strategy = scene.strategy(opened=True)
        scene.run(1, sites=scene.sites(shows=True), strategy=strategy)
        assert [why for _, why in strategy.reports[0].refused] == ["refused: AccessDeniedError"] * 2
        kinds.set_kinds(scene.coordinator.address, Kind.COORDINATOR.mask | Kind.AUDITOR.mask)
        strategy = scene.strategy(opened=True)
        scene.run(1, sites=scene.sites(shows=True), strategy=strategy)
        assert len(strategy.reports[0].used) == 2


SPOILERS: dict[str, Callable[[Any], None]] = {
    "nothing is measured": lambda content: content.pop("metrics"),
    "more is measured": lambda content: content["metrics"].update({"other": 1.0}),
    "less is measured": lambda content: content["metrics"].pop("loss"),
    "a list is measured": lambda content: content["metrics"].update({"loss": [1.0, 2.0]}),
    "what is measured has another name": lambda content: content.update({"more": content.pop("metrics")}),
    "two records are measured": lambda content: content.update({"more": MetricRecord({"other": 1.0})}),
    "the arrays have another name": lambda content: content.update({"more": content.pop("arrays")}),
}


@pytest.mark.parametrize("name", SPOILERS)
@pytest.mark.parametrize("victim", [0, 1])
def test_nobody_spoils_the_round_of_all_by_what_goes_with_its_update(scene: Scene, name: str, victim: int) -> None:
    def spoil(_: Scene, replies: list[Any], place: int) -> None:
        SPOILERS[name](replies[place].content)

    honest = scene.run(1)
    scene.model = scene.model_of("again")
    strategy = scene.strategy()
    made = scene.run(1, strategy=strategy, grid=wire_of(scene, spoil, victim, 1))
    assert (len(strategy.reports[0].used), strategy.reports[0].refused) == (2, ())
    assert all(np.array_equal(made[name], honest[name]) for name in honest)


@pytest.mark.parametrize("sooner", [False, True], ids=["afterwards", "before it lands"])
@pytest.mark.parametrize("copies", [True, False])
def test_who_copies_anothers_commitment_is_in_no_aggregate(scene: Scene, copies: bool, sooner: bool) -> None:
    """The hash stands on the ledger for all to see, and in a transaction that waits for its block. What makes it the
    copier does not have, and who left its leaves unshown would have kept the coordinator from finalising for ever."""
    scene.leading().open(START)
    (one, other), number = scene.hospitals, 1
    model = scene.world.ledger.view().model(scene.model)
    assert model is not None
    training = one.client.training
    drafted = training.draft(training.plan(model), encode_arrays(START), EPSILON)
    theirs = drafted.record.update if copies else digest_of([b"another"])
    copied = other.client.training.draft(other.client.training.plan(model), [b""], EPSILON)
    context = other.client.context
    record = replace(copied.record, update=theirs)
    block = record.sign(context.deployment, context.key)
    sending = [partial(training.send, drafted),
               partial(other.client.training.send, replace(copied, record=record, block=block))]  # fmt: skip
    for send in reversed(sending) if sooner else sending:
        send()
    rounds = scene.world.ledger.view().rounds(scene.model)
    scene.leading().finalise(rounds[0], START, RoundReport(number, (one.client.address,)))
    made = scene.world.ledger.view().aggregate(scene.model, number)
    assert made is not None
    said, _ = AggregateRecord.read(context.deployment, context.store.get(_cid(made.record)))
    assert said.updates == ((one.client.address, drafted.record.update),)
    origin = Origin.of(context.deployment, scene.world.ledger.view(), context.store, model, rounds[0])
    assert {each.site: each.used for each in origin.updates} == {one.client.address: True, context.key.address: False}
    assert origin.cohort == drafted.record.cohort


class TestWhoeverWritesAJournalAndHasNoKey:
    def test_finalises_nothing(self, scene: Scene) -> None:
        scene.run(1)
        opened = scene.leading().open(scene.leading().start(START))
        for site in scene.sites():
            turn = site.turn(opened.number, opened.parent)
            assert isinstance(turn, Turn)
            site.commit(turn, site.cohort(turn)[0], START, {})
        sites = tuple(each.client.address for each in scene.hospitals)
        other = {name: each + 666 for name, each in START.items()}
        journal = scene.journal(scene.coordinator)
        forged = {"report": RoundReport(opened.number, sites).to_dict()}
        former = journal.kept(scene.model, 1)
        assert former is not None
        for signed in (b"", former.said["signed"]):
            journal.keep(scene.model, opened.number, {**forged, "signed": signed}, encode_arrays(other))
            with pytest.raises(IntegrityError):
                scene.leading().start(START)
        assert scene.world.ledger.view().aggregate(scene.model, opened.number) is None
        deployment, key = scene.world.ledger.deployment, scene.coordinator.context.key
        updates = scene.world.ledger.view().updates(scene.model, opened.number)
        record = AggregateRecord.of(scene.model, opened.number, digest_of(encode_arrays(other)), updates)
        kept = {**forged, "signed": record.sign(deployment, key)}
        journal.keep(scene.model, opened.number, kept, encode_arrays(other))
        assert np.array_equal(scene.leading().start(START)["w"], other["w"])

    def test_has_no_other_update_sent_even_under_a_mask(self, scene: Scene) -> None:
        """A coordinator cannot tell what is under a mask."""
        scene.run(1)
        (number,) = scene.world.ledger.view().rounds(scene.model)
        site, journal = scene.site(0), scene.journal(scene.hospitals[0].client)
        kept = journal.kept(scene.model, 1)
        assert kept is not None
        said, weights = kept.said, kept.weights()
        journal.keep(scene.model, 1, said, encode_arrays({name: each + 666 for name, each in START.items()}))
        with pytest.raises(IntegrityError, match="not what this key made"):
            site.turn(1, number.parent)
        journal.keep(scene.model, 1, said, [weights])
        assert isinstance(site.turn(1, number.parent), Answer)


def test_nobody_weighs_more_than_the_cohort_it_committed_to(scene: Scene) -> None:
    def heavy(_: Scene, replies: list[Any], victim: int) -> None:
        replies[victim].content["metrics"]["num-examples"] = 10**6

    honest = scene.run(1)
    scene.model = scene.model_of("again")
    made = scene.run(1, grid=wire_of(scene, heavy, 0, 1))
    assert all(np.array_equal(made[name], honest[name]) for name in honest)
