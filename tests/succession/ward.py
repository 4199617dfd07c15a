"""A development chain with two deployments of one line, each with custodians and a gateway of its own as processes."""

from __future__ import annotations

import hashlib
import json
import secrets
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from dtledger._backend.http_gateway import HttpGateway
from dtledger._cli import main
from dtledger.client import Client
from dtledger.client.devnet import OPERATOR, PROFILE
from dtledger.client.opening import open_client
from dtledger.config import set_value
from dtledger.readings import Reading
from dtledger.service.local import LocalCustodian, LocalGateway, free_port
from scripts.benchmarks.world import World, devnet_world
from scripts.networking.processes import wait_until

NEXT = "next"
TOKEN = secrets.token_urlsafe(24)
_PATIENCE = 120.0


@dataclass(frozen=True)
class Site:
    """The services of one deployment; `profile` names it."""

    world: World
    profile: str
    custodians: list[LocalCustodian]
    gateway: LocalGateway

    def client(self, name: str) -> Client:
        """Somebody's of the home; the world closes it."""
        return self.world.stack.enter_context(open_client(self.profile, name, home=self.world.devnet.home))

    def post(self, twin: int, readings: list[Reading]) -> None:
        """A hub posts readings, and the gateway anchors them."""
        rows = [[each.at.isoformat(), each.value] for each in readings]
        post = {"twin": twin, "category": "glucose", "unit": readings[0].unit, "readings": rows}
        with closing(HttpGateway(self.gateway.url)) as gateway:
            gateway.send(post, TOKEN)
            wait_until(lambda: not gateway.status()["unanchored"], _PATIENCE, "The gateway anchors nothing.")


@contextmanager
def sites() -> Iterator[tuple[Site, Site]]:
    """The first deployment's and the next one's."""
    with devnet_world() as world:
        (record,) = world.devnet.home.deployments.glob("*.json")
        before = _serve(world, PROFILE, list(world.custodians))
        after = _deploy(world, record)
        beside = [_beside(each, after) for each in world.custodians]
        for each in beside:
            world.stack.callback(each.stop)
            each.start(after)
        for each in beside:
            each.wait()
        yield before, _serve(world, NEXT, beside)


def _deploy(world: World, before: Path) -> Path:
    """`dtledger deploy` of the contracts that come after; their record."""
    home = world.devnet.home
    operator, deployer = (world.newcomer(name) for name in (OPERATOR, "deployer-2"))
    plan = home.root / "next.toml"
    roles = "".join(f'{role} = ["{operator.address}"]\n' for role in ("ADMIN", "MINTER"))
    plan.write_text(f'predecessor = "{before}"\n[governance]\n{roles}')
    _write_profile(world, NEXT, {"custodians": "embedded"})
    words = ["deploy", "--config", str(plan), "--profile", NEXT, "--key", deployer.context.key.name, "--json"]
    told = CliRunner().invoke(main, words, env={"DTLEDGER_HOME": str(home.root)}, catch_exceptions=False)
    assert told.exit_code == 0, told.output
    (after,) = set(home.deployments.glob("*.json")) - {before}
    return after


def _beside(custodian: LocalCustodian, record: Path) -> LocalCustodian:
    """A second process of the same custodian: its data, a port and contracts of its own, as docs/operations.md says."""
    second = LocalCustodian(custodian.folder.with_name(f"{custodian.folder.name}-{NEXT}"))
    second.folder.mkdir()
    settings = tomllib.loads(custodian.config.read_text())
    settings |= {
        "bind": f"127.0.0.1:{free_port()}",
        **{name: str(custodian.folder / settings[name]) for name in ("data", "password_file")},
    }
    second.config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    return second


def _serve(world: World, profile: str, custodians: list[LocalCustodian]) -> Site:
    """A gateway for the deployment of that profile, and all that the profile needs."""
    _write_profile(world, profile, {"custodians": ",".join(each.url for each in custodians)})
    gateway = LocalGateway(world.devnet.home.root.parent / f"gateway-{profile}")
    gateway.prepare([f"hub {hashlib.sha256(TOKEN.encode()).hexdigest()}"])
    world.stack.callback(gateway.stop)
    gateway.start(world.devnet.home.root, profile, "gateway")
    gateway.wait()
    return Site(world, profile, custodians, gateway)


def _write_profile(world: World, profile: str, settings: dict[str, str]) -> None:
    devnet = world.devnet
    usual = {
        "rpc_url": devnet.anvil.url,
        "store": f"directory:{devnet.blocks}",
        "password_file": str(devnet.password_file),
    }
    for name, value in {**usual, **settings}.items():
        set_value(devnet.home, name, value, profile=profile)
