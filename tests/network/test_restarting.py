"""The whole network is stopped and started again: it goes on with what it had."""

from __future__ import annotations

from dtledger.vocabulary import Reason
from tests.network.ground import Ground
from tests.network.ward import Ward


def test_all_that_the_network_had_it_has_after_it_was_down(five: Ground) -> None:
    network = five.network
    ward, revoked = Ward(five), Ward(five)
    ward.read()
    revoked.revoke()
    height = network.devnet.validators[4].height()
    assert height is not None
    network.down()
    assert set(network.states().values()) == {"down"}

    deployment = network.up()
    assert set(network.states().values()) == {"runs"}
    assert deployment == five.services.operator.context.deployment
    assert (network.devnet.validators[4].height() or 0) >= height
    assert revoked.denial() is Reason.REVOKED
    ward.assert_kept()
    lists = five.services.patient.twins.who_looked(ward.twin).lists
    assert [len(each) for each in lists.values()] == [2, 2, 2], "a receipt of before, and the owner's own of now"
    ward.revoke()
    assert ward.denial() is Reason.REVOKED
    ward.give_again()
    assert len(ward.read()) == len(ward.written)
