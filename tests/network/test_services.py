"""What befalls kubos, gateways and custodians on the network: what was acknowledged is there when they are back."""

from __future__ import annotations

from contextlib import closing

import pytest

from dtledger._backend.http_gateway import HttpGateway
from dtledger._backend.kubo_store import KuboStore
from dtledger.encoding import CID
from dtledger.errors import IntegrityError
from dtledger.store import BlockMissingError
from dtledger.types import Digest
from scripts.benchmarks.racing import race
from scripts.benchmarks.storing import glucose
from scripts.networking import faults
from scripts.networking.processes import kill, stop, wait_until
from tests.network.ground import Ground
from tests.network.ward import PATIENCE, Ward

RACING = 1_500
"""`scripts/bench --network race` asks 100,000 times."""


@pytest.fixture
def ward(five: Ground) -> Ward:
    return Ward(five)


def held_by_two(ward: Ward) -> CID:
    """A snapshot's block, which the readers' kubo has, and one more."""
    cid = CID(Digest(bytes.fromhex(ward.read()[0].snapshot)))
    with KuboStore(ward.ground.network.kubos[0].address) as other:
        other.get(cid)
    return cid


def test_a_block_that_one_kubo_loses_comes_from_another(ward: Ward) -> None:
    kubo = ward.ground.network.kubos[2]
    cid = held_by_two(ward)
    faults.lose(kubo, cid)
    assert len(ward.read()) == len(ward.written)
    assert faults.block_file(kubo, cid).exists(), "it has it again"
    ward.assert_kept()


def test_a_block_that_every_kubo_loses_is_named_and_read_when_one_has_it_again(ward: Ward) -> None:
    network = ward.ground.network
    kubos = network.kubos
    cid = held_by_two(ward)
    file = faults.block_file(kubos[2], cid)
    block = faults.lose(kubos[2], cid)
    faults.lose(kubos[0], cid)
    with pytest.raises(BlockMissingError) as caught:
        ward.read()
    assert caught.value.cid.digest == cid.digest
    stop(kubos[2].folder)  # a kubo that runs remembers that it lacks the block
    file.write_bytes(block)
    faults.start(network, "kubo-3")
    ward.assert_kept()


def test_a_wrong_block_is_named_and_never_read(ward: Ward) -> None:
    kubo = ward.ground.network.kubos[2]
    cid = held_by_two(ward)
    faults.spoil(kubo, cid)
    with pytest.raises(IntegrityError) as caught:
        ward.read()
    assert caught.value.block == str(cid)
    faults.lose(kubo, cid)
    ward.assert_kept()


def test_what_a_gateway_acknowledged_is_anchored_though_it_is_killed_at_once(five: Ground) -> None:
    network, services = five.network, five.services
    consent, readings = services.twin(), glucose(services, 2)
    rows = [[each.at.isoformat(), each.value] for each in readings]
    post = {"twin": consent.twin, "category": "glucose", "unit": readings[0].unit, "readings": rows}
    with closing(HttpGateway(network.gateway.url)) as gateway:
        assert gateway.send(post, network.token_file.read_text())["kept"] == len(readings)
        kill(network.gateway.folder)
        faults.start(network, "gateway-1")
        wait_until(lambda: not gateway.status()["unanchored"], PATIENCE, "The gateway anchors nothing.")
    found = services.clinician.read(consent.twin, "glucose", "TREAT")
    assert [each.value for each in found] == [each.value for each in readings]


def test_a_custodian_that_is_killed_is_not_missed_and_has_every_receipt_when_it_is_back(ward: Ward) -> None:
    network = ward.ground.network
    assert ward.read().answered == 3
    kill(network.custodians[1].folder)
    found = ward.read()
    assert (found.answered, len(found)) == (2, len(ward.written))
    faults.start(network, "custodian-2")
    assert ward.read().answered == 3
    lists = ward.ground.services.patient.twins.who_looked(ward.twin).require_whole().lists
    assert sorted(len(each) for each in lists.values()) == [2, 3, 3]
    ward.assert_kept()


def test_no_request_that_was_sent_after_a_revocation_is_permitted_though_a_validator_dies_meanwhile(
    five: Ground,
) -> None:
    validators = five.network.devnet.validators
    try:
        ran = race(five.services, RACING, lambda: kill(validators[2].folder))
    finally:
        validators.start()
    assert (len(ran.after) >= RACING, ran.permits_after) == (True, 0)
    assert ran.before
    assert len(ran.first_refusals) == 3
