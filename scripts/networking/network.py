"""The network of one home, whose folder lays it out:

HOME/                  operator, cardiology and the gateways' keys; `config.toml` with the profiles
HOME/devnet/           validator-1 … validator-5
HOME/services/         kubo-1 … kubo-3, custodian-1 … custodian-3, gateway-1, gateway-2
HOME/laptop/           a patient's home, made by the demo; her account is empty

Custodian 1, 2 and 3 ask validator 1, 2 and 3. Gateway 1 has validator 4 and kubo 1, gateway 2 has validator 5 and kubo
2; people have validator 4 and kubo 3, so that what they read has come from another kubo.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from dtledger._backend.files import write_atomically
from dtledger._backend.kubo_node import find_kubo
from dtledger._backend.kubo_store import KuboStore
from dtledger._backend.migrations import Step
from dtledger._cli.demo.hospital import GATEWAY, Hospital
from dtledger._cli.demo.place import SERVICES
from dtledger.client.devnet import OPERATOR
from dtledger.client.opening import open_client
from dtledger.config import set_value
from dtledger.errors import InputError
from dtledger.home import Home
from dtledger.ledger import Deployment
from dtledger.service.local import LocalGateway
from dtledger.vocabulary import Kind

from . import kubos
from .chain import PROFILE, ValidatorNet
from .processes import state, stop

GATEWAYS = (GATEWAY, "gateway-2")
"""The gateways' keys."""
_NODES = (4, 5)
"""The validators that they ask."""
_MARK = "network.txt"


class Network(Hospital):
    """The processes of one home, running or not. `limits` are settings of the custodians that are set up here."""

    chain = "a network of five validators"
    settings: Mapping[str, str] = {"finality": "instant"}

    def __init__(self, home: Home, limits: Mapping[str, int] = MappingProxyType({})) -> None:
        super().__init__(home)
        self._limits = limits
        services = home.root / SERVICES
        self.devnet: ValidatorNet = ValidatorNet(home)
        self.gateways = [LocalGateway(services / f"gateway-{number}") for number in (1, 2)]
        self.gateway = self.gateways[0]
        self.kubos = [kubos.SwarmKubo(services / f"kubo-{number}", _kubo(), network=services) for number in (1, 2, 3)]
        self.kubo: kubos.SwarmKubo = self.kubos[2]

    def claim(self) -> None:
        """Make the home the network's, or refuse one that is somebody's.

        Raises:
            InputError: it is.
        """
        mark = self.home.root / _MARK
        if not mark.exists():
            if self.home.root.exists() and any(self.home.root.iterdir()):
                raise InputError(f"{self.home.root} is in use.", hint="Name another folder with --home.")
            self.home.prepare(self.home.root)
            self.home.prepare(self.home.root / SERVICES)
            write_atomically(mark, b"This folder belongs to `scripts/network`; `scripts/network clean` removes it.\n")

    def sample_end(self) -> int:
        told = self.home.root / "told"
        if not told.exists():
            told.touch()
        return int(told.stat().st_mtime) // 300 * 300

    def ending(self) -> str:
        return "scripts/network down"

    @property
    def serving(self) -> list[tuple[LocalGateway, str, str]]:
        return [(each, f"gateway-{number}", GATEWAYS[number - 1]) for number, each in enumerate(self.gateways, 1)]

    def up(self, say: Callable[[str], None] = lambda text: None) -> Deployment:
        """Start or resume everything, and set up what is not.

        Raises:
            InputError: the home is somebody's, or a program is not there.
            UnreachableError: something does not start.
        """
        self.claim()
        say("Starting validators and kubos")
        deployment = self.up_chain(lambda step, gas: say(f"  {step.name}") if gas else None)
        self.devnet.pay([self.devnet.key(name).address for name in GATEWAYS])
        self._enrol()
        say("Starting custodians and gateways")
        self.up_services()
        return deployment

    def up_chain(self, count: Callable[[Step, int], None]) -> Deployment:
        """Kubos, validators and the contracts, and the profiles of everybody."""
        kubos.start(self.kubos)
        self.devnet.start()
        nodes = self.devnet.validators
        custodians = [
            each.prepare(nodes[number].rpc_url, **self.settings, **self._limits)
            for number, each in enumerate(self.custodians, 1)
        ]
        asked = ",".join(each.url for each in self.custodians)
        usual = {"custodians": asked, "store": self.kubo.address, **self.settings}
        deployment = self.devnet.up(
            lambda _: KuboStore(self.kubo.address), done=count, custodians=custodians, profile=usual
        )
        own = {**usual, "deployment": self._deployment_file().stem, "password_file": str(self.devnet.password_file)}
        for (_, profile, _), node, kubo in zip(self.serving, _NODES, self.kubos, strict=False):
            for name, value in {**own, "rpc_url": nodes[node].rpc_url, "store": kubo.address}.items():
                set_value(self.home, name, value, profile=profile)
        set_value(self.home, "profile", PROFILE)
        return deployment

    def up_laptop(self) -> None:
        super().up_laptop()
        set_value(self.laptop, "profile", PROFILE)

    def folders(self) -> dict[str, Path]:
        """Every process by its name, in the order in which they are started."""
        return {
            each.name: each
            for each in (
                *(each.folder for each in self.devnet.validators.all),
                *(each.folder for each in self.kubos),
                *(each.folder for each in self.custodians),
                *(each.folder for each in self.gateways),
            )
        }

    def start_custodian(self, place: int) -> None:
        """Start one again, and wait until it answers."""
        self.custodians[place].start(self._deployment_file())
        self.custodians[place].wait()

    def start_gateway(self, place: int) -> None:
        """Start one again, and wait until it answers."""
        gateway, profile, key = self.serving[place]
        gateway.start(self.home.root, profile, key)
        gateway.wait()

    def down(self) -> None:
        """Stop everything, the services first. What they have stays, and `up` goes on with it."""
        for name, folder in reversed(self.folders().items()):
            if not stop(folder):
                raise InputError(f"{name} has not stopped.", hint="Try again.")

    def clean(self) -> None:
        """Stop everything and remove the home.

        Raises:
            InputError: it is not a network's.
        """
        if not (self.home.root / _MARK).exists():
            raise InputError(f"{self.home.root} is not a network's, so it is not removed.", hint="Name its --home.")
        self.down()
        shutil.rmtree(self.home.root)

    def states(self) -> dict[str, str]:
        """Name → `runs`, `paused` or `down`."""
        return {name: state(folder) for name, folder in self.folders().items()}

    def _enrol(self) -> None:
        with open_client(PROFILE, OPERATOR, home=self.home) as operator:
            for name in GATEWAYS:
                with open_client(PROFILE, name, home=self.home) as gateway:
                    if operator.context.view().member(gateway.address) is None:
                        operator.members.enrol(gateway.members.card(name), [Kind.GATEWAY])


def _kubo() -> str:
    """The kubo to run.

    Raises:
        InputError: there is none.
    """
    found = find_kubo()
    if found is None:
        raise InputError("There is no kubo.", hint="scripts/kubo builds it, where Go is.")
    return found
