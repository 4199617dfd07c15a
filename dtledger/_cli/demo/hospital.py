"""The demo's hospital: custodians, a gateway and kubo as processes, and a patient's laptop that has a home of its own.

HOME/                  the hospital's home: operator, cardiology, gateway; its chain in devnet/
HOME/services/         custodian-1 … custodian-3, gateway, kubo: one folder each
HOME/laptop/           the patient's home; her account is empty
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from ..._backend.directory_store import DirectoryStore
from ..._backend.files import write_atomically
from ..._backend.kubo_node import LocalKubo, find_kubo
from ..._backend.kubo_store import KuboStore
from ..._backend.migrations import read_deployment
from ...client.devnet import CUSTODIANS, Devnet
from ...client.members import card_check
from ...config import set_value
from ...contacts import Contacts
from ...gateway.senders import new_token
from ...home import Home
from ...ledger import Deployment
from ...service.local import LocalCustodian, LocalGateway
from .next import program, shown
from .place import SERVICES, claim, sample_end

PATIENT = "ann"
GATEWAY = "gateway"
BATCH_SECONDS = 2
"""The demo's gateway does not wait for an hour to be over."""


class Hospital:
    """The processes of one home, running or not."""

    chain = "a development chain"
    """What the story calls it."""
    settings: Mapping[str, str] = MappingProxyType({})
    """What every profile here says beside the usual."""

    def __init__(self, home: Home) -> None:
        services = home.root / SERVICES
        binary = find_kubo()
        self.home = home
        self.devnet = Devnet(home)
        self.custodians = [LocalCustodian(services / name) for name in CUSTODIANS]
        self.gateway = LocalGateway(services / "gateway")
        self.kubo = LocalKubo(services / "kubo", binary) if binary else None
        self.laptop = Home(home.root / "laptop", "the patient's laptop")

    def claim(self) -> None:
        """Make the home the story's own. Raises as `place.claim`."""
        claim(self.home, told=SERVICES)

    def sample_end(self) -> int:
        """When the simulated day ends, in unix seconds: at the first telling, and there ever after."""
        return sample_end(self.home)

    def ending(self) -> str:
        """The command that ends it all."""
        return f"{program()} demo --clean --home {shown(self.home.root)}"

    @property
    def serving(self) -> list[tuple[LocalGateway, str, str]]:
        """Each gateway, with the profile and the key that it works with."""
        return [(self.gateway, self.devnet.profile, GATEWAY)]

    @property
    def token_file(self) -> Path:
        """What a hub shows to the first gateway."""
        return _token_file(self.gateway)

    def up_chain(self, count: Callable[[object, int], None]) -> Deployment:
        """Kubo, the chain and its contracts, whose founding custodians are the services'."""
        url = self.devnet.start()
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
        """Custodians and gateways; the gateways' keys are enrolled already."""
        deployment = self._deployment_file()
        for each in self.custodians:
            each.start(deployment)
        for gateway, profile, key in self.serving:
            if not _token_file(gateway).exists():
                secret, line = new_token("cgm-hub")
                gateway.prepare([line], batch_seconds=BATCH_SECONDS)
                _token_file(gateway).touch(mode=0o600)
                _token_file(gateway).write_text(secret)
            gateway.start(self.home.root, profile, key)
        for service in (*self.custodians, *(gateway for gateway, _, _ in self.serving)):
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
            "relays": ",".join(gateway.url for gateway, _, _ in self.serving),
            "password_file": str(own.password_file),
            **self.settings,
        }.items():
            set_value(self.laptop, name, value, profile=self.devnet.profile)

    def contacts(self) -> Contacts:
        """Whom the patient knows."""
        return Contacts(self.laptop, card_check(read_deployment(self._deployment_file())))

    def down(self) -> None:
        """Stop what runs; the chain is its devnet's to stop."""
        for service in (*(gateway for gateway, _, _ in self.serving), *self.custodians):
            service.stop()
        if self.kubo:
            self.kubo.stop()

    def _deployment_file(self) -> Path:
        (found,) = self.home.deployments.glob("*.json")
        return found


def _token_file(gateway: LocalGateway) -> Path:
    return gateway.folder / "token"
