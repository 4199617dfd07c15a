"""The audit of a model: what is so passes, and what nobody shows is not judged. What is a lie: `test_model_lies`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dtledger.audit import Claim, Verdict, exit_code
from dtledger.encoding import CID
from dtledger.ledger import calls
from dtledger.models.card import ModelCard
from dtledger.models.opening import Opening
from tests.audit.runs import Run, about, those
from tests.models.scene import DAY, UPDATE, made_by, same_bit

OF_AN_UPDATE = ["site", "parent", "budget", "record", "cohort", "update", "consents", "twins", "terms"]
OF_A_ROUND = ["aggregate", "weights", "withdrawals"]
NEED_AN_OPENING = ["update", "consents", "twins", "terms"]
SHUT = ("withdrawals", "round 1")
NEED_THE_RECORD = ["record", "cohort", "consents"]


def names(claims: Sequence[Claim], verdict: Verdict) -> list[str]:
    return [name for name, _ in those(claims, verdict)]


def assert_passes(claims: Sequence[Claim]) -> None:
    assert [(each.name, each.evidence) for each in claims if each.verdict is not Verdict.PASS] == []
    assert exit_code(claims) == 0


class TestAnUntouchedRun:
    def test_passes_every_claim_in_the_order_of_the_ledger(self, run: Run) -> None:
        run.whole()
        run.whole()
        claims = run.claims()
        assert_passes(claims)
        expected = [("card", "the model")]
        for number in (1, 2):
            expected += [(name, about(site, number)) for site in run.scene.sites for name in OF_AN_UPDATE]
            expected += [(name, f"round {number}") for name in OF_A_ROUND]
        assert [(each.name, each.about) for each in claims] == expected
        assert run.audit().count == len(claims)

    def test_passes_as_the_client_makes_it(self, run: Run) -> None:
        scene, auditor = run.scene, run.scene.auditor.context
        institute, member = scene.institute()
        scene.patient("dora", institute)
        scene.sites.append(member)
        scene.run(2)
        for number in (1, 2):
            for site in scene.sites:
                block = auditor.store.get(site.training.open(scene.model.model, number, scene.auditor.address))
                run.openings.append(
                    Opening.open(auditor.deployment, block, scene.auditor.address, auditor.key.seal_key)
                )
                run.files[number, site.address] = UPDATE
            run.files[number, None] = made_by(number)
        claims = run.claims()
        assert_passes(claims)
        assert len(claims) == 1 + 2 * (3 * len(OF_AN_UPDATE) + len(OF_A_ROUND))

    def test_is_told_with_evidence_and_by_name(self, run: Run) -> None:
        run.whole()
        audit = run.audit()
        audit._name = lambda who: "somebody"
        told = {each.name: (each.about, each.evidence) for each in audit.claims()}
        (opened,) = run.ledger.view().rounds(1)
        assert told["card"] == ("the model", "cgm-forecast, of somebody")
        assert told["budget"] == ("round 1, somebody", "ε 0.5 of 3 spent")
        assert told["cohort"][1] == "2 twins, at least 1"
        assert told["consents"][1] == f"2 consents stood at block {opened.block}"
        assert told["aggregate"] == ("round 1", "2 of 2 updates went into it")

    def test_may_be_under_way(self, run: Run) -> None:
        assert [each.name for each in run.claims()] == ["card"]
        run.open()
        run.commit(run.scene.sites[0])
        claims = run.claims()
        assert_passes(claims)
        assert [each.name for each in claims] == ["card", *OF_AN_UPDATE]
        assert run.audit().count == len(claims)

    def test_passes_whatever_is_done_after_it_but_for_what_was_withdrawn(self, run: Run) -> None:
        run.whole()
        scene, members = run.scene, run.world.operator.members
        for (ann, bob), site in zip(scene.patients, scene.sites, strict=True):
            ann.client.consents.revoke_all(ann.twin)
            run.ledger.send(calls.announce_retirement(bob.twin), bob.client.context.key)
            members.set_kinds(site.address, 0)
            members.suspend(site.address)
            site.members.rekey()
        scene.coordinator.models.remediate(run.model, 1, False, "the last round there will be")
        members.suspend(scene.coordinator.address)
        run.world.clock.advance(60 * DAY)
        assert_passes(run.claims())

    def test_passes_with_an_update_left_out_of_its_aggregate(self, run: Run) -> None:
        run.open()
        for site in run.scene.sites:
            run.commit(site)
        first, _ = run.ledger.view().updates(1, 1)
        run.finalise(record={"updates": ((first.site, first.update),)})
        claims = run.claims()
        assert_passes(claims)
        assert "1 of 2 updates went into it" in [each.evidence for each in claims]

    def test_is_not_made_to_fail_by_a_patient(self, run: Run) -> None:
        """By a package that shows what the twin card does not know: such a twin is not trained on."""
        odd = run.scene.patient("odd")
        odd.let_train_by(run.scene.sites[0], lambda keys: replace(keys, bits=same_bit(keys.bits)))
        run.whole()
        assert_passes(run.claims())


class TestWhatIsNotShown:
    def test_is_not_judged_without_an_opening(self, run: Run) -> None:
        run.whole()
        one, other = run.scene.sites
        for openings, shut in (([], [one, other]), (run.openings[:1], [other]), (run.openings[1:], [one])):
            claims = run.claims(openings)
            cannot = [(name, about(site)) for site in shut for name in NEED_AN_OPENING]
            assert those(claims, Verdict.CANNOT_CHECK) == [*cannot, SHUT]
            assert (those(claims, Verdict.FAIL), exit_code(claims)) == ([], 6)
        assert_passes(run.claims())

    def test_is_not_judged_without_its_file(self, run: Run) -> None:
        run.whole()
        one, other = run.scene.sites
        every = [("update", about(one)), ("update", about(other)), ("weights", "round 1")]
        claims = run.claims(files={})
        assert those(claims, Verdict.CANNOT_CHECK) == every
        assert (those(claims, Verdict.FAIL), exit_code(claims)) == ([], 6)
        for place, cannot in zip(dict(run.files), every, strict=True):
            file = run.files.pop(place)
            assert those(run.claims(), Verdict.CANNOT_CHECK) == [cannot]
            run.files[place] = file
        assert_passes(run.claims())

    @pytest.mark.parametrize("withheld", ["leaves", "record"])
    def test_is_not_judged_while_leaves_or_record_are_withheld(self, run: Run, withheld: str) -> None:
        site = run.scene.sites[0]
        run.open()
        record = run.commit(site)
        run.finish()
        update, _ = run.ledger.view().updates(1, 1)
        cid = record.leaves if withheld == "leaves" else CID(update.record)
        block = run.store.get(cid)
        run.store.remove([cid])
        claims = run.claims()
        shut = NEED_THE_RECORD if withheld == "leaves" else [*NEED_THE_RECORD, "terms"]
        assert those(claims, Verdict.CANNOT_CHECK) == [(name, about(site)) for name in shut]
        assert (those(claims, Verdict.FAIL), exit_code(claims)) == ([], 6)
        run.store.put(block, "dag-cbor")
        assert_passes(run.claims())

    def test_is_not_judged_without_the_coordinators_card_and_record(self, run: Run) -> None:
        run.whole()
        made = run.ledger.view().aggregate(1, 1)
        assert made is not None
        for name, digest in (("card", run.model.card), ("aggregate", made.record)):
            block = run.store.get(CID(digest))
            run.store.remove([CID(digest)])
            claims = run.claims()
            assert (names(claims, Verdict.CANNOT_CHECK), names(claims, Verdict.FAIL)) == ([name], [])
            run.store.put(block, "dag-cbor")
        assert_passes(run.claims())

    def test_is_not_shown_by_another_sites_opening(self, run: Run) -> None:
        run.whole()
        (one, other), auditor = run.scene.sites, run.scene.auditor
        key = auditor.context.key.seal_key
        block = run.openings[0].sealed(run.deployment, other.context.key, auditor.address, key.public)
        handed_in = Opening.open(run.deployment, block, auditor.address, key)
        claims = run.claims([handed_in])
        unfounded = [(name, about(other)) for name in ("twins", "terms")]  # for want of an opening that has the leaves
        assert those(claims, Verdict.CANNOT_CHECK) == [
            *((name, about(one)) for name in NEED_AN_OPENING), *unfounded, SHUT
        ]  # fmt: skip
        assert those(claims, Verdict.FAIL) == [("update", about(other)), ("consents", about(other))]
        assert_passes(run.claims())

    def test_is_not_shown_by_an_opening_of_another_round_or_model(self, run: Run) -> None:
        run.whole()
        site, (mine, its) = run.scene.sites[0], run.openings
        for elsewhere in (replace(mine, round=2), replace(mine, model=2)):
            claims = run.claims([elsewhere, its])
            assert those(claims, Verdict.CANNOT_CHECK) == [*((name, about(site)) for name in NEED_AN_OPENING), SHUT]
            assert those(claims, Verdict.FAIL) == []
        assert_passes(run.claims())

    @pytest.mark.parametrize(("purpose", "categories"), [(8, 1 << 30), (8, 1 << 30 | 1), (31, 1)])
    def test_is_not_judged_in_the_words_of_a_later_version(self, run: Run, purpose: int, categories: int) -> None:
        coordinator, site = run.scene.coordinator.context.key, run.scene.sites[0]
        card = run.store.put(ModelCard("later").sign(run.deployment, coordinator), "dag-cbor").digest
        run.open()
        shown = run.shown(site)
        for terms, cannot in (((purpose, categories), ["consents"]), ((8, 1), [])):
            receipt = run.ledger.send(calls.register_model(*terms, 1, 3000, card), coordinator)
            run.model = run.ledger.view().models()[-1]
            assert run.model.block == receipt.block
            run.open()
            run.commit(site, shown)
            claims = run.claims()
            assert (names(claims, Verdict.CANNOT_CHECK), names(claims, Verdict.FAIL)) == (cannot, [])


class TestTheExitCode:
    def claim(self, verdict: Verdict) -> Claim:
        return Claim("twins", "round 1", verdict, "")

    def test_is_4_if_one_fails_else_6_if_one_cannot_be_checked_else_0(self) -> None:
        passes, fails, cannot = (self.claim(each) for each in (Verdict.PASS, Verdict.FAIL, Verdict.CANNOT_CHECK))
        assert exit_code([passes, cannot, fails]) == exit_code([fails]) == 4
        assert exit_code([passes, cannot]) == exit_code([cannot, passes]) == 6
        assert exit_code([passes, passes]) == exit_code([]) == 0
