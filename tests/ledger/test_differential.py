"""The ledger in memory and the real one, told the same: they answer alike, call by call, and remember alike.

A random life of a few people, twins and grants runs on both at once. Calls are drawn so that most are near what would
succeed: counters are named as they stand or one beside, signatures are right or another's, times lie round the limits.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from dtledger.ledger import calls, messages
from dtledger.policy import Grant, Request
from dtledger.testing.memory_contracts.consent_store import ConsentStore
from dtledger.types import ZERO_DIGEST, Digest, Period
from dtledger.vocabulary import Kind, Purpose
from tests.ledger.bench import DAY, GOVERNANCE_DELAY, RETIRE_DELAY, digest, who
from tests.ledger.conftest import Chain
from tests.ledger.drawn import ASKERS, TRAINERS, askers, beside, lives, models, numbers, rarely, requests, twins
from tests.ledger.rules_of_consents import Consents
from tests.ledger.rules_of_people import Guardians, Members, Twins

pytestmark = pytest.mark.anvil


class Machine(Members, Twins, Guardians, Consents):
    """A life of all that, of models, of emergencies and of what is anchored."""

    @initialize()
    def begin(self) -> None:
        """Most lives begin with members and a twin, so that little time goes to what fails for want of them."""
        self.enrol("hospital", "", 0, False, 0)
        for name, kind in (("clinician", Kind.RESEARCHER), ("gateway", Kind.GATEWAY)):
            self.enrol(name, "hospital" if name == "clinician" else "", kind.mask, False, 0)
        self.enrol("carrier", "", Kind.COORDINATOR.mask | Kind.RESEARCHER.mask | Kind.AUDITOR.mask, False, 0)
        self.wait_the_delay("clinician", Kind.EMERGENCY.mask, "steward", GOVERNANCE_DELAY, False, False)
        self.lead("carrier", "register", 1, 0, 0, False)
        self.lead("carrier", "open", 1, 0, 0, False)
        self.mint("ann", 0, False, 600)
        for name, actions in (("clinician", 1), ("hospital", 8), ("gateway", 2)):
            word = Grant(1, Purpose.TREAT.mask, 0, 2**40 - 1, Period(10, 20), actions)
            self.grant(1, "ann", name, 0, word)
        self.open_emergency(1, "hospital", 0, "clinician", 1)

    # models ----------------------------------------------------------------------------------------------------

    @rule(
        by=st.sampled_from(TRAINERS),
        verb=st.sampled_from(["open", "finalise", "finalise", "register", "retrain", "accept"]),
        model=models,
        off=beside,
        counted=beside,
        senseless=rarely,
    )
    def lead(self, by: str, verb: str, model: int, off: int, counted: int, senseless: bool) -> None:
        number, parent = self._newest(model)
        updates = max(0, len(self.view.updates(model, number)) + counted)
        made = ZERO_DIGEST if senseless else digest(f"made {model} {number}")
        finalising = calls.finalise_aggregate(model, max(0, number + off), made, digest("record"), updates)
        opening = calls.open_round(model, digest("stale") if off else ZERO_DIGEST if senseless else parent)
        registering = calls.register_model(8 if not senseless else 32, 1, 2, max(0, 9 * (1 + off)), digest("card"))
        remediating = (model, max(0, number - counted + off), ZERO_DIGEST if senseless else digest("reason"))
        retraining, accepting = calls.retrain(*remediating), calls.accept(*remediating)
        every = {"open": opening, "finalise": finalising, "register": registering}
        self.both((every | {"retrain": retraining, "accept": accepting})[verb], by)

    @rule(
        by=st.sampled_from(TRAINERS),
        model=models,
        off=beside,
        stale=rarely,
        cohort=st.sampled_from([2, 2, 2, 1]),
        epsilon=st.sampled_from([1, 4, 9, 10, 0]),
    )
    def commit_update(self, by: str, model: int, off: int, stale: bool, cohort: int, epsilon: int) -> None:
        number, parent = self._newest(model)
        said = calls.Contribution(model, max(0, number + off), cohort, epsilon)
        on = digest("stale") if stale else parent
        self.both(calls.commit_update(digest("update"), on, digest("consents"), digest("record"), said), by)

    def _newest(self, model: int) -> tuple[int, Digest]:
        """The newest round's number and the present aggregate."""
        rounds, present = self.view.rounds(model), self.view.present(model)
        return len(rounds), present.aggregate if present else digest("beginning")

    # emergencies -----------------------------------------------------------------------------------------------

    @rule(
        twin=twins, to=st.sampled_from(["hospital", "hospital", "clinician", "gateway"]), number=numbers,
        by=st.sampled_from(["clinician", "clinician", "gateway", "hospital"]), cause=st.sampled_from([1, 1, 5, 6, 0]),
    )  # fmt: skip
    def open_emergency(self, twin: int, to: str, number: int, by: str, cause: int) -> None:
        self.both(calls.open_emergency(twin, who(to).address, number, cause, digest("text")), by)

    @rule(
        opening=st.sampled_from([1, 1, 1, 2, 3, 0]), by=st.sampled_from(["carrier", "carrier", *ASKERS]),
        finding=st.sampled_from([1, 1, 3, 4, 0]),
    )  # fmt: skip
    def review_emergency(self, opening: int, by: str, finding: int) -> None:
        self.both(calls.review_emergency(opening, finding, digest("words")), by)

    # the rest --------------------------------------------------------------------------------------------------

    @rule(
        by=askers, root=st.integers(0, 2), count=st.sampled_from([1, 1, 2**32 - 1, 0]), signed=st.booleans(),
        stale=rarely, life=lives,
    )  # fmt: skip
    def anchor(self, by: str, root: int, count: int, signed: bool, stale: bool, life: int) -> None:
        if not signed:
            self.both(calls.anchor_batch(digest(root), count, digest("index")), by)
            return
        history = digest("stale") if stale else self.view.history_of(who(by).address)
        fields = (who(by).address, digest(root), count, digest("index"), history, self.deadline(life))
        self.both(calls.anchor_batch_signed(*fields, self.signature(messages.anchor_batch, by, *fields)), "carrier")

    @rule(by=askers, count=st.integers(0, 4))
    def anchor_receipts(self, by: str, count: int) -> None:
        self.both(calls.anchor_receipts(digest(count), count, digest("last")), by)

    @rule(seconds=st.sampled_from([0, 3600, DAY, RETIRE_DELAY]))
    def pass_time(self, seconds: int) -> None:
        self.real.clock.advance(seconds)
        self.real.arrange(self.real.clock.advance(1))
        beats = [bench.ledger.heartbeat(who("carrier")) for bench in (self.real, self.fake)]
        assert len({(beat.block, beat.at, beat.events) for beat in beats}) == 1

    @rule(request=requests, now=st.sampled_from([1, 2**39, 2**39 - 1, 2**40 - 1]))
    def ask(self, request: Request, now: int) -> None:
        self._compare_verdicts(request, now)


def live(deployed: Chain, *, lives: int, **changes: Any) -> tuple[Counter[str], Counter[str]]:
    """Let the machine run; returns how often each call had each outcome, and each verdict."""
    outcomes, verdicts = Counter[str](), Counter[str]()
    machine = type("OnThisChain", (Machine,), {"chain": deployed, "outcomes": outcomes, "verdicts": verdicts})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=lives,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            **changes,
        ),
    )
    return outcomes, verdicts


def test_the_ledger_in_memory_does_what_the_real_one_does(deployed: Chain) -> None:
    outcomes, verdicts = live(deployed, lives=max(2, settings().max_examples // 8))  # 12, or 125 if asked to be long
    assert outcomes.total() > 100
    assert verdicts.total() > 100


def test_a_ledger_in_memory_that_errs_is_found(deployed: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConsentStore, "_require_terms", lambda self, word: None)
    with pytest.raises(AssertionError):
        live(deployed, lives=50, phases=[Phase.generate], report_multiple_bugs=False)
