"""A development chain with everything on it: Anvil, the contracts, an operator, three custodians, one profile.

`up` may be called again at any time: it goes on where it stopped, and funds every key of the home. All keys of a
devnet that are made for its user have one random password, in a file beside them.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from .._backend.anvil import Anvil
from .._backend.files import write_atomically
from .._backend.foundry import install_devnet
from .._backend.migrations import ROLES, WEEK, Founder, Plan, Step, read_deployment, run
from ..config import read_document, set_value
from ..home import Home
from ..keys import KeyStore, Scrypt, UnlockedKey
from ..ledger import Deployment
from ..store import BlockStore
from ..types import Address
from ..vocabulary import Kind
from .embedded import create_custodian, custodian_keys
from .members import make_card

CUSTODIANS = ("custodian-1", "custodian-2", "custodian-3")
OPERATOR = "operator"
PROFILE = "devnet"

_CHEAP = Scrypt(n=2**12)  # random passwords of 256 bits need no slow derivation


@dataclass(frozen=True, slots=True)
class Devnet:
    """The devnet of one home."""

    home: Home

    @property
    def anvil(self) -> Anvil:
        return Anvil(self.home.root / "devnet")

    @property
    def profile(self) -> str:
        """The name of the profile that `up` writes."""
        return PROFILE

    @property
    def delay(self) -> int:
        """What ADMIN and STEWARD wait, in seconds."""
        return WEEK

    @property
    def password_file(self) -> Path:
        return self.home.keys / "devnet-password"

    @property
    def blocks(self) -> Path:
        return self.home.root / "blocks"

    def up(
        self,
        store: Callable[[Path], BlockStore],
        say: Callable[[str], None] = lambda text: None,
        done: Callable[[Step, int], None] = lambda step, gas: None,
        *,
        custodians: Sequence[UnlockedKey] = (),
        profile: Mapping[str, str] = MappingProxyType({}),
    ) -> Deployment:
        """Start or resume the chain, deploy or go on deploying, make operator and custodians, write the profile.

        Args:
            store: opens the block store in a folder.
            done: is told each step of the deployment and its gas.
            custodians: who the founding custodians are; by default three in this home, embedded.
            profile: settings of the profile that differ from a devnet's usual ones.
        """
        url = self.start(say)
        operator = self.key(OPERATOR)
        founding = custodians or [create_custodian(self.home, name) for name in CUSTODIANS]
        deployer = self._deployer()
        self.pay([key.address for key in (operator, deployer, *founding)])
        with store(self.blocks) as blocks:
            for key in (operator, *founding):
                blocks.put(key.seal_key.public, "raw")
        governance = {role: [operator.address] for role in ROLES}
        plan = Plan(governance, lambda made: [_founder(made, each) for each in founding], self.delay)
        journal = run(url, deployer, plan, self.home.deployments, done)
        self._write_profile({"rpc_url": url, "deployment": journal.path.stem, **profile})
        self.fund()
        return read_deployment(journal.path)

    def start(self, say: Callable[[str], None] = lambda text: None) -> str:
        """Start or resume the chain; where it is served."""
        install_devnet(say)
        return self.anvil.start().url

    def key(self, name: str) -> UnlockedKey:
        """A key of the home under the devnet's password, made if there is none."""
        self.home.prepare(self.home.keys)
        if not self.password_file.exists():
            write_atomically(self.password_file, secrets.token_hex(32).encode() + b"\n")
        keys = KeyStore(self.home, _CHEAP)
        password = self.password_file.read_text().strip()
        if name not in keys.names():
            keys.create(name, password)
        return keys.open(name).unlock(password)

    def fund(self) -> list[Address]:
        """Give every key of the home, and its custodians, play money for transactions."""
        keys = (*KeyStore(self.home).list(), *custodian_keys(self.home).list())
        addresses = [key.address for key in keys if key.address is not None]
        self.pay(addresses)
        return addresses

    def pay(self, addresses: Sequence[Address]) -> None:
        """Give each play money."""
        for address in addresses:
            self.anvil.fund(address)

    def down(self) -> None:
        """Stop the chain; its state stays."""
        self.anvil.stop()

    def clean(self) -> None:
        """Stop the chain and remove everything that the devnet made, its keys among them."""
        self.anvil.stop()
        shutil.rmtree(self.home.root)

    def _deployer(self) -> UnlockedKey:
        """A key for the deployment alone: it drops its roles at the end."""
        return create_custodian(Home(self.home.root / "devnet", "devnet"), "deployer")

    def _write_profile(self, settings: Mapping[str, str]) -> None:
        """These settings, and the usual ones where the profile has none of its own."""
        usual = {
            "store": f"directory:{self.blocks}",
            "custodians": "embedded",
            "password_file": str(self.password_file),
        }
        said = read_document(self.home.config_file)
        own = said.data.get("profiles", {}).get(self.profile, {}) if said else {}
        missing = {name: value for name, value in usual.items() if name not in own}
        for name, value in {**missing, **settings}.items():
            set_value(self.home, name, value, profile=self.profile)


def _founder(deployment: Deployment, key: UnlockedKey) -> Founder:
    card = make_card(deployment, key, key.name, version=0)
    return Founder(card.card, card.signature, b"", Kind.CUSTODIAN.mask)
