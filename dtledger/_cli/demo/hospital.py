"""The demo's hospital: custodians, a gateway and kubo as processes, and a patient's laptop that has a home of its own.

HOME/                  the hospital's home: operator, cardiology, gateway; its chain in devnet/
HOME/services/         custodian-1 … custodian-3, gateway, kubo: one folder each
HOME/laptop/           the patient's home; her account is empty
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..._backend.directory_store import DirectoryStore
from ..._backend.files import write_atomically
from ..._backend.foundry import install_devnet
from ..._backend.kubo_node import LocalKubo, find_kubo
from ..._backend.kubo_store import KuboStore
from ..._backend.migrations import read_deployment
from ...client.devnet import CUSTODIANS, PROFILE, Devnet
from ...client.members import card_check
from ...config import set_value
from ...contacts import Contacts
from ...gateway.senders import new_token
from ...home import Home
from ...ledger import Deployment
from ...service.local import LocalCustodian, LocalGateway
from .place import SERVICES

PATIENT = "ann"
GATEWAY = "gateway"
BATCH_SECONDS = 2
"""The demo's gateway does not wait for an hour to be over."""


class Hospital:
    """The processes of one home, running or not."""

    def __init__(self, home: Home) -> None:
        services = home.root / SERVICES
        binary = find_kubo()
        self.home = home
        self.devnet = Devnet(home)
        self.custodians = [LocalCustodian(services / name) for name in CUSTODIANS]
        self.gateway = LocalGateway(services / "gateway")
        self.kubo = LocalKubo(services / "kubo", binary) if binary else None
        self.laptop = Home(home.root / "laptop", "the patient's laptop")

    @property
    def token_file(self) -> Path:
        return self.gateway.folder / "token"

    def up_chain(self, count: Callable[[object, int], None]) -> Deployment:
        """Kubo, the chain and its contracts, whose founding custodians are the services'."""
        install_devnet(lambda text: None)
        url = self.devnet.anvil.start().url
        kubo = self.kubo.start() if self.kubo else None
        return self.devnet.up(
            lambda blocks: KuboStore(kubo.address) if kubo else DirectoryStore(blocks),
            done=count,
            custodians=[each.prepare(url) for each in self.custodians],
            profile={
                "custodians": ",".join(each.url for each in self.custodians),
                **({"store": kubo.address} if kubo else {}),
            },
        )

    def up_services(self) -> None:
        """Custodians and gateway; the gateway's key is enrolled already."""
        deployment = self._deployment_file()
        for each in self.custodians:
            each.start(deployment)
        if not self.token_file.exists():
            secret, line = new_token("cgm-hub")
            self.gateway.prepare([line], batch_seconds=BATCH_SECONDS)
            self.token_file.touch(mode=0o600)
            self.token_file.write_text(secret)
        self.gateway.start(self.home.root, PROFILE, GATEWAY)
        for service in (*self.custodians, self.gateway):
            service.wait()

    def up_laptop(self) -> None:
        """The patient's key and profile: blocks and calls go by the gateway, and her account stays empty."""
        own = Devnet(self.laptop)
        own.key(PATIENT)
        deployment = self._deployment_file()
        self.laptop.prepare(self.laptop.deployments)
        write_atomically(self.laptop.deployments / deployment.name, deployment.read_bytes())
        for name, value in {
            "rpc_url": self.devnet.anvil.url,
            "deployment": deployment.stem,
            "custodians": ",".join(each.url for each in self.custodians),
            "store": f"gateway:{self.gateway.url}",
            "relays": self.gateway.url,
            "password_file": str(own.password_file),
        }.items():
            set_value(self.laptop, name, value, profile=PROFILE)

    def contacts(self) -> Contacts:
        """Whom the patient knows."""
        return Contacts(self.laptop, card_check(read_deployment(self._deployment_file())))

    def down(self) -> None:
        """Stop what runs; the chain is its devnet's to stop."""
        for service in (self.gateway, *self.custodians):
            service.stop()
        if self.kubo:
            self.kubo.stop()

    def _deployment_file(self) -> Path:
        (found,) = self.home.deployments.glob("*.json")
        return found
