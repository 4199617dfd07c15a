"""What befalls validators: consent goes on with four of five, stands still with three, is never wider than given."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from dtledger._backend import evm
from dtledger.errors import AccessDeniedError, DtledgerError, UnreachableError
from dtledger.ledger import calls, messages
from dtledger.vocabulary import Reason
from scripts.networking import faults
from scripts.networking.processes import kill, pause, resume, wait_until
from tests.network.ground import Ground
from tests.network.ward import PATIENCE, Ward, agree


@pytest.fixture
def ward(five: Ground) -> Iterator[Ward]:
    """Whatever a test did to validators is mended after it."""
    yield Ward(five)
    validators = five.network.devnet.validators
    for each in validators.all:
        if five.network.states()[each.folder.name] == "paused":
            resume(each.folder)
    validators.start()


def test_what_is_signed_for_as_long_as_may_be_lands_though_no_block_came_meanwhile(
    five: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """These nodes try everything as of their newest block, by whose time such a message is good for too long."""
    monkeypatch.setattr(evm, "IDLE_SECONDS", 0)
    patient = five.key("patient")
    with five.node(4) as ledger:
        wait_until(lambda: time.time() - ledger.head().at > 2, PATIENCE, "Blocks come all the time.")
        deadline = int(time.time()) + 3600
        signature = patient.sign_digest(messages.mint(ledger.deployment, patient.address, 0, deadline))
        ledger.send(calls.mint(patient.address, 0, deadline, signature), five.services.operator.context.key)
        assert ledger.view().twins_of(patient.address)


def test_with_one_of_five_killed_consent_is_given_read_and_revoked_and_the_dead_one_catches_up(ward: Ward) -> None:
    network = ward.ground.network
    kill(network.devnet.validators[5].folder)
    ward.revoke()
    assert ward.denial() is Reason.REVOKED
    ward.give_again()
    assert ward.read().answered == 3
    faults.start(network, "validator-5")
    ward.assert_kept()


def test_with_two_of_five_killed_nothing_is_written_and_what_was_revoked_stays_refused_until_they_are_back(
    ward: Ward,
) -> None:
    validators = ward.ground.network.devnet.validators
    revoked = Ward(ward.ground)
    revoked.revoke()
    for number in (3, 5):
        kill(validators[number].folder)
    ledger = ward.ground.node(4)
    with ledger:
        before = ledger.head()
        with pytest.raises(UnreachableError):
            ledger.heartbeat(ward.ground.services.operator.context.key)
        assert ledger.head() == before, "no block is made"
    assert revoked.denial() is Reason.REVOKED
    for each in (validators[3], validators[5]):
        each.launch(validators.answering())
    for each in (validators[3], validators[5]):
        each.wait()
    ward.revoke()
    assert ward.denial() is Reason.REVOKED
    ward.give_again()
    ward.assert_kept()
    revoked.assert_kept()


def test_a_custodian_whose_validator_is_cut_off_opens_nothing_while_the_others_answer(ward: Ward) -> None:
    validator = ward.ground.network.devnet.validators[1]
    assert ward.read().answered == 3
    pause(validator.folder)
    found = ward.read()
    assert (found.answered, found.asked) == (2, 3)
    assert len(found.faults) == 1
    ward.revoke()
    assert ward.denial() is Reason.REVOKED
    resume(validator.folder)
    agree(ward.ground)
    ward.give_again()
    wait_until(lambda: ward.read().answered == 3, PATIENCE, "The custodian does not come back.")
    ward.assert_kept()


def test_when_two_custodians_are_cut_off_nobody_reads_and_nobody_is_let_in(ward: Ward) -> None:
    validators = ward.ground.network.devnet.validators
    kill(validators[1].folder)
    pause(validators[2].folder)
    with pytest.raises(DtledgerError) as caught:
        ward.read()
    assert not isinstance(caught.value, AccessDeniedError), "it is not the patient who refused"
    resume(validators[2].folder)
    faults.start(ward.ground.network, "validator-1")
    agree(ward.ground)
    wait_until(lambda: ward.read().answered == 3, PATIENCE, "The custodians do not come back.")
    ward.assert_kept()
