"""What a withdrawal touches: the round, all that builds on it, and what became of them; as site, auditor and patient
see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dtledger.client import Client
from dtledger.encoding import CID
from dtledger.errors import AccessDeniedError, InputError
from dtledger.ledger import Slot, calls
from dtledger.ledger.rejections.models import (
    NotCoordinatorError,
    NotOfKindError,
    RoundNotFinalisedError,
    RoundStillOpenError,
)
from dtledger.models.opening import Opening
from dtledger.models.remediation import Affected, Standing
from dtledger.testing import MemoryKey
from dtledger.vocabulary import Action, Kind, Purpose, Reason
from tests.models.scene import DAY, Patient, Scene

pytestmark = pytest.mark.slow


def slot(scene: Scene, patient: Patient, site: Client) -> Slot:
    return Slot(patient.client.address, patient.twin, site.address, 0)


def openings(scene: Scene) -> list[Opening]:
    """What every site showed of every round."""
    view = scene.world.ledger.view()
    return [
        site.training.opening(scene.model.model, number.number)
        for number in view.rounds(1)
        for site in scene.sites
        if site.address in [each.site for each in view.updates(1, number.number)]
    ]


def affected(scene: Scene) -> tuple[Affected, ...]:
    """As an auditor sees it, to whom everything was opened."""
    seen = scene.auditor.models.affected(scene.model.model, openings(scene))
    assert seen.unseen == ()
    return seen.found


def standings(scene: Scene) -> dict[int, Standing]:
    return {each.round: each.standing for each in affected(scene)}


def ann(scene: Scene) -> Patient:
    return scene.patients[0][0]


def revoke(scene: Scene) -> None:
    ann(scene).client.consents.revoke(slot(scene, ann(scene), scene.sites[0]))


class TestAWithdrawal:
    def test_leaves_the_patient_out_of_the_next_round(self, scene: Scene) -> None:
        site, model = scene.sites[0], scene.model.model
        scene.run()
        revoke(scene)
        scene.round()
        assert [each.trained.twin for each in site.training.plan(model).shown] == [scene.patients[0][1].twin]
        with pytest.raises(AccessDeniedError):
            site.training.plan(model, [ann(scene).twin])
        ann(scene).let_train(site)
        scene.commit(site)
        scene.finalise()
        scene.round()
        assert ann(scene).twin in [each.trained.twin for each in site.training.plan(model).shown]

    def test_touches_the_round_and_all_that_builds_on_it(self, scene: Scene) -> None:
        scene.run()
        assert affected(scene) == ()
        revoke(scene)
        scene.run()
        assert standings(scene) == {1: Standing.OPEN, 2: Standing.OPEN}
        (first, second) = affected(scene)
        (withdrawal,) = first.withdrawals
        assert (withdrawal.trained.twin, withdrawal.round, withdrawal.reason) == (ann(scene).twin, 1, Reason.REVOKED)
        assert second.withdrawals == first.withdrawals

    @pytest.mark.parametrize(
        ("how", "reason"),
        [
            (lambda each, site: each.client.consents.revoke_all(each.twin), Reason.REVOKED),
            (lambda each, site: each.client.consents.block(each.twin, site.address), Reason.BLOCKED),
            (lambda each, site: each.client.context.send(calls.announce_retirement(each.twin)), Reason.RETIRED),
        ],
        ids=["revoked with everything", "blocked", "retired"],
    )
    def test_is_whatever_ends_the_consent(
        self, scene: Scene, how: Callable[[Patient, Client], object], reason: Reason
    ) -> None:
        scene.run()
        how(ann(scene), scene.sites[0])
        assert [each.withdrawals[0].reason for each in affected(scene)] == [reason]

    @pytest.mark.parametrize(
        ("terms", "reason"),
        [
            ({"action": Action.READ}, Reason.ACTION),
            ({"categories": ["meals"]}, Reason.CATEGORY),
            ({"purpose": Purpose.CLINTRCH}, Reason.PURPOSE),
            ({"categories": ["glucose", "meals"]}, None),
            ({"days": 300}, None),
        ],
        ids=str,
    )
    def test_is_a_grant_in_its_place_that_gives_less(
        self, scene: Scene, terms: dict[str, object], reason: Reason | None
    ) -> None:
        scene.run()
        ann(scene).let_train(scene.sites[0], number=0, **terms)  # type: ignore[arg-type]
        assert [each.withdrawals[0].reason for each in affected(scene)] == ([reason] if reason else [])

    def test_is_not_a_grant_that_ran_out_or_stands_again(self, scene: Scene) -> None:
        scene.run()
        scene.world.clock.advance(40 * DAY)
        assert affected(scene) == ()
        revoke(scene)
        assert len(affected(scene)) == 1
        ann(scene).let_train(scene.sites[0], number=0)
        assert affected(scene) == ()

    def test_is_found_by_the_patient_with_what_builds_on_it(self, scene: Scene) -> None:
        patient = ann(scene)
        scene.run()
        uses = patient.client.models.used(patient.twin)
        assert ([each.withdrawal for each in uses.found], uses.affected) == ([None], ())
        revoke(scene)
        scene.run()
        uses = patient.client.models.used(patient.twin)
        (use,) = uses.found
        assert use.withdrawal is not None
        assert use.withdrawal.reason is Reason.REVOKED
        assert [(each.round, each.standing) for _, each in uses.affected] == [(1, Standing.OPEN), (2, Standing.OPEN)]
        scene.coordinator.models.remediate(scene.model.model, 1, False, "one of very many")
        standing = patient.client.models.used(patient.twin).standing(use)
        assert standing is not None
        assert (standing.standing, standing.reason) == (Standing.ACCEPTED, "one of very many")

    def test_is_none_to_the_patient_while_another_grant_of_theirs_stands(self, scene: Scene) -> None:
        patient = ann(scene)
        patient.let_train(scene.sites[0])
        scene.run()
        revoke(scene)
        assert patient.client.models.used(patient.twin).affected == ()
        patient.client.consents.revoke_all(patient.twin)
        assert len(patient.client.models.used(patient.twin).affected) == 1

    def test_is_seen_by_a_site_among_its_own_and_the_others_are_unseen(self, scene: Scene) -> None:
        one, other = scene.sites
        scene.run()
        revoke(scene)
        mine = one.models.affected(scene.model.model)
        assert [each.round for each in mine.found] == [1]
        assert [each.site for each in mine.unseen] == [other.address]
        its = other.models.affected(scene.model.model)
        assert (its.found, [each.site for each in its.unseen]) == ((), [one.address])

    def test_is_not_hidden_by_a_site_that_shows_fewer_than_it_trained_on(self, scene: Scene) -> None:
        scene.run()
        revoke(scene)
        hiding, *others = openings(scene)
        kept = tuple(each for each in hiding.shown if each.trained.twin != ann(scene).twin)
        seen = scene.auditor.models.affected(scene.model.model, [replace(hiding, shown=kept), *others])
        assert (seen.found, [each.site for each in seen.unseen]) == ((), [hiding.site])
        assert [each.round for each in affected(scene)] == [1]

    def test_is_seen_although_its_package_is_gone(self, scene: Scene) -> None:
        scene.run()
        record = scene.world.ledger.view().record(slot(scene, ann(scene), scene.sites[0]))
        assert record is not None
        revoke(scene)
        scene.world.store.remove([CID(record.package)])
        assert len(scene.sites[0].models.affected(scene.model.model).found) == 1


class TestAMove:
    """To another key: mostly the same person, who gives no consent with it and took none back."""

    @staticmethod
    def heir(scene: Scene) -> Patient:
        """Who owns ann's twin from now on."""
        patient, heir = ann(scene), scene.world.client(MemoryKey("heir"))
        acceptance = patient.client.twins.check_move(heir.twins.accept_move(patient.twin))
        handed = patient.client.twins.hand_over(patient.twin, acceptance.to, acceptance.key)
        patient.client.twins.move(acceptance)
        heir.twins.take_over(handed, [each.address for each in scene.world.custodians], 2)
        return Patient(scene.world, heir, patient.twin)

    def test_withdraws_nothing_and_is_told(self, scene: Scene) -> None:
        scene.run()
        assert scene.auditor.models.affected(scene.model.model, openings(scene)).moved == ()
        shown = openings(scene)
        self.heir(scene)
        seen = scene.auditor.models.affected(scene.model.model, shown)
        assert seen.found == ()
        assert [(each.trained.twin, each.round) for each in seen.moved] == [(ann(scene).twin, 1)]

    def test_is_told_no_more_once_the_new_owner_gives_the_consent(self, scene: Scene) -> None:
        scene.run()
        shown, heir = openings(scene), self.heir(scene)
        heir.let_train(scene.sites[0], purpose=Purpose.CLINTRCH)
        assert len(scene.auditor.models.affected(scene.model.model, shown).moved) == 1, "another purpose is another"
        heir.let_train(scene.sites[0])
        seen = scene.auditor.models.affected(scene.model.model, shown)
        assert (seen.found, seen.moved) == ((), ())

    @pytest.mark.parametrize("given", [False, True], ids=["in an empty slot", "after it was given anew"])
    def test_is_a_withdrawal_once_the_new_owner_revokes(self, scene: Scene, given: bool) -> None:
        scene.run()
        shown, heir, site = openings(scene), self.heir(scene), scene.sites[0]
        slot = heir.let_train(site) if given else Slot(heir.client.address, heir.twin, site.address, 0)
        block = heir.client.consents.revoke(slot).block
        seen = scene.auditor.models.affected(scene.model.model, shown)
        assert seen.moved == ()
        ((withdrawal,),) = [each.withdrawals for each in seen.found]
        assert (withdrawal.reason, withdrawal.block) == (Reason.REVOKED, block)

    def test_does_not_undo_what_was_withdrawn_before_it(self, scene: Scene) -> None:
        scene.run()
        shown = openings(scene)
        revoke(scene)
        self.heir(scene)
        seen = scene.auditor.models.affected(scene.model.model, shown)
        assert ([each.standing for each in seen.found], seen.moved) == ([Standing.OPEN], ())


class TestARemediation:
    def test_by_retraining_is_done_when_a_round_without_the_consent_is_finalised(self, scene: Scene) -> None:
        models, model = scene.coordinator.models, scene.model.model
        scene.run(3)
        view = scene.world.ledger.view()
        parents = {each.number: each.parent for each in view.rounds(1)}
        revoke(scene)
        record, _ = models.remediate(model, 1, True, "a consent of round 1 was withdrawn")
        assert (record.first, record.last) == (1, 3)
        assert set(standings(scene).values()) == {Standing.UNDER_WAY}
        opened = scene.round()
        assert (opened.parent, opened.base) == (parents[1], 0)
        for site in scene.sites:
            scene.commit(site)
        assert set(standings(scene).values()) == {Standing.UNDER_WAY}
        scene.finalise()
        assert standings(scene) == dict.fromkeys((1, 2, 3), Standing.RETRAINED)

    def test_by_retraining_from_after_the_consent_was_used_mends_nothing(self, scene: Scene) -> None:
        models, model = scene.coordinator.models, scene.model.model
        scene.run(2)
        revoke(scene)
        models.remediate(model, 2, True, "too late a round")
        scene.run()
        assert standings(scene) == dict.fromkeys((1, 2, 3), Standing.OPEN)
        models.remediate(model, 1, True, "from the beginning")
        scene.run()
        assert standings(scene) == dict.fromkeys((1, 2, 3), Standing.RETRAINED)

    @pytest.mark.parametrize("between", [0, 1])
    def test_by_retraining_is_undone_by_another_that_puts_the_model_back_onto_the_line(
        self, scene: Scene, between: int
    ) -> None:
        models, model = scene.coordinator.models, scene.model.model
        scene.run(3)
        revoke(scene)
        models.remediate(model, 1, True, "a consent of round 1 was withdrawn")
        scene.run(between)
        before = Standing.RETRAINED if between else Standing.UNDER_WAY
        assert set(standings(scene).values()) == {before}
        models.remediate(model, 3, True, "back to what round 2 made, under that consent")
        assert standings(scene) == dict.fromkeys((1, 2, 3), Standing.OPEN)
        scene.run()
        assert standings(scene) == dict.fromkeys((1, 2, 3, between + 4), Standing.OPEN)
        models.remediate(model, 1, True, "from the beginning")
        scene.run()
        assert set(standings(scene).values()) == {Standing.RETRAINED}

    def test_by_acceptance_says_why(self, scene: Scene) -> None:
        scene.run(2)
        revoke(scene)
        scene.coordinator.models.remediate(scene.model.model, 2, False, "in clinical use until May")
        assert standings(scene) == {1: Standing.OPEN, 2: Standing.ACCEPTED}
        assert affected(scene)[1].reason == "in clinical use until May"
        scene.coordinator.models.remediate(scene.model.model, 1, False, "both are")
        assert standings(scene) == {1: Standing.ACCEPTED, 2: Standing.ACCEPTED}

    def test_is_for_what_was_withdrawn_before_it_alone(self, scene: Scene) -> None:
        scene.run()
        scene.coordinator.models.remediate(scene.model.model, 1, False, "whoever withdraws")
        revoke(scene)
        assert standings(scene) == {1: Standing.OPEN}
        scene.coordinator.models.remediate(scene.model.model, 1, False, "now we know")
        assert standings(scene) == {1: Standing.ACCEPTED}

    def test_is_for_rounds_that_were_made_before_it_alone(self, scene: Scene) -> None:
        scene.run()
        revoke(scene)
        scene.coordinator.models.remediate(scene.model.model, 1, False, "round 1")
        scene.run()
        assert standings(scene) == {1: Standing.ACCEPTED, 2: Standing.OPEN}

    def test_without_its_record_is_unproven(self, scene: Scene) -> None:
        scene.run()
        revoke(scene)
        scene.coordinator.models.remediate(scene.model.model, 1, False, "why")
        (told,) = scene.world.ledger.view().remediations(1)
        block = scene.world.store.get(CID(told.record))
        scene.world.store.remove([CID(told.record)])
        assert standings(scene) == {1: Standing.UNPROVEN}
        scene.world.store.put(block, "dag-cbor")
        assert standings(scene) == {1: Standing.ACCEPTED}

    def test_is_refused_as_the_ledger_would_before_anybody_is_asked(self, scene: Scene) -> None:
        models, model = scene.coordinator.models, scene.model.model
        scene.run()
        for first in (0, 2):
            with pytest.raises(RoundNotFinalisedError):
                models.to_remediate(model, first, False)
        with pytest.raises(InputError, match="A reason"):
            models.remediate(model, 1, False, " ")
        with pytest.raises(InputError, match="A reason"):
            models.remediate(model, 1, False, "two\nlines")
        with pytest.raises(NotOfKindError):
            scene.sites[0].models.to_remediate(model, 1, False)
        scene.round()
        with pytest.raises(RoundStillOpenError):
            models.to_remediate(model, 1, True)
        assert models.to_remediate(model, 1, False) == 1
        with pytest.raises(NotCoordinatorError):
            scene.world.join("another", [Kind.COORDINATOR]).models.to_remediate(model, 1, False)
