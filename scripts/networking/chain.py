"""The validators' chain as a development chain is used: contracts, operator and custodians on it, and a profile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from dtledger._backend.anvil import Anvil
from dtledger.client.devnet import Devnet
from dtledger.types import Address

from .purse import Purse
from .validators import Validators

PROFILE = "network"
OWN = 4
"""The validator whom people and the first gateway ask; custodians have 1 to 3, the second gateway has 5."""


class ValidatorChain:
    """What `Devnet` wants of a chain: one node of the five, and money."""

    def __init__(self, validators: Validators) -> None:
        self.validators = validators

    @property
    def url(self) -> str:
        return self.validators[OWN].rpc_url

    @property
    def purse(self) -> Purse:
        return Purse(self.url)

    def fund(self, who: Address) -> None:
        self.purse.pay([who])

    def stop(self) -> None:
        self.validators.stop()


class ValidatorNet(Devnet):
    """A `Devnet` whose chain five validators make. Governance waits for nothing: it is for trying."""

    @property
    def validators(self) -> Validators:
        return Validators(self.home.root / "devnet")

    @property
    def anvil(self) -> Anvil:
        return cast(Anvil, ValidatorChain(self.validators))

    @property
    def profile(self) -> str:
        return PROFILE

    @property
    def delay(self) -> int:
        return 0

    def start(self, say: Callable[[str], None] = lambda text: None) -> str:
        say("Starting five validators (half a minute)")
        self.validators.start()
        return self.anvil.url

    def pay(self, addresses: Sequence[Address]) -> None:
        Purse(self.anvil.url).pay(addresses)
