"""A twin on the network's services, and what must hold of it whatever befell them."""

from __future__ import annotations

from dataclasses import dataclass, field

from dtledger.client.readings import Readings
from dtledger.errors import AccessDeniedError
from dtledger.ledger import Slot
from dtledger.readings import Reading
from dtledger.vocabulary import Reason
from scripts.benchmarks.storing import glucose
from scripts.networking.processes import wait_until
from scripts.networking.validators import Validator
from tests.network.ground import Ground

PATIENCE = 120.0
"""Seconds, for what must come but may take its time."""


@dataclass
class Ward:
    """A twin with readings that the clinician may read by `consent`."""

    ground: Ground
    consent: Slot = field(init=False)
    written: list[Reading] = field(init=False)

    def __post_init__(self) -> None:
        services = self.ground.services
        self.consent = services.twin()
        self.written = glucose(services, 2)
        services.gateway.writer.put(self.twin, "glucose", self.written)

    @property
    def twin(self) -> int:
        return self.consent.twin

    def read(self) -> Readings:
        return self.ground.services.clinician.read(self.twin, "glucose", "TREAT")

    def denial(self) -> Reason:
        """Why the clinician is refused; it must be."""
        try:
            self.read()
        except AccessDeniedError as error:
            return error.reason
        raise AssertionError("it was opened")

    def revoke(self) -> None:
        self.ground.services.patient.consents.revoke(self.consent)

    def give_again(self) -> None:
        services = self.ground.services
        services.patient.consents.grant(self.twin, self.consent.grantee, services.terms(), self.consent.number)

    def assert_kept(self) -> None:
        """Every node has one chain, every written reading is there, and each custodian's receipts are whole."""
        agree(self.ground)
        found = self.ground.services.patient.read(self.twin, "glucose", "PATRQT")
        assert [each.value for each in found] == [each.value for each in self.written]
        assert found.answered == found.asked == 3
        whole = self.ground.services.patient.twins.who_looked(self.twin).require_whole()
        assert len(whole.lists) == 3


def agree(ground: Ground) -> None:
    """Wait until all five have the block that the first has, by the same hash."""
    nodes = ground.network.devnet.validators.all
    height = max(each.height() or 0 for each in nodes)
    wait_until(lambda: all((each.height() or 0) >= height for each in nodes), PATIENCE, "A validator lags behind.")
    assert len({_hash(each, height) for each in nodes}) == 1


def _hash(node: Validator, height: int) -> str:
    return str(node.rpc("eth_getBlockByNumber", hex(height), False)["hash"])
