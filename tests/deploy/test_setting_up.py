"""The page's set-up, followed from nothing to a custodian and a gateway that serve: its own command lines, and those of
the units, on a development chain. Other than on the page are folders and ports, no TLS, and that there is one founder.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dtledger._backend.anvil import Anvil
from dtledger.service.local import free_port
from dtledger.types import Address
from tests.deploy.commands import DEPLOY, ROOT
from tests.deploy.test_operations import PAGE
from tests.deploy.test_units import PROGRAM, settings

pytestmark = [pytest.mark.anvil, pytest.mark.slow]

ROLES = ("ADMIN", "REGISTRAR", "STEWARD", "SUSPENDER", "MINTER")
OPERATORS_OWN = {"DTLEDGER_HOME": "home", "DTLEDGER_PASSWORD_FILE": "etc/dtledger/north/password"}


class Machine:
    """One machine whose `/etc/dtledger` and `/var/lib` are folders of a test's own; everybody uses it."""

    def __init__(self, folder: Path, node: str) -> None:
        self.folder = folder
        self.node = node
        self.etc = folder / "etc" / "dtledger"
        self.var = folder / "var" / "lib"
        self.etc.mkdir(parents=True)
        self.var.mkdir(parents=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DTLEDGER_", "ETH_"))}
        self.environment = {
            **kept,
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            **{name: str(folder / path) for name, path in OPERATORS_OWN.items()},
        }

    def here(self, text: str) -> str:
        """With the page's folders, and its node, as they are here."""
        text = text.replace("/etc/dtledger", str(self.etc)).replace("/var/lib", str(self.var))
        return text.replace("https://node.example", self.node).replace(" scripts/", f" {ROOT}/scripts/")

    def run(self, *lines: str, code: int = 0) -> str:
        """What one shell says to these lines, which end with that code."""
        done = subprocess.run(
            ["/bin/sh", "-ec", self.here("\n".join(lines))], cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout
        return done.stdout

    def secret(self, service: str) -> None:
        (self.etc / service).mkdir()
        file = self.etc / service / "password"
        file.touch(mode=0o600)
        file.write_text("a few words\n")

    def write(self, service: str, name: str, **changes: str) -> None:
        """An example configuration, without TLS, with these settings changed."""
        text = re.sub(r"^tls_\w+ = .*\n", "", (DEPLOY / f"{name}.toml").read_text(), flags=re.MULTILINE)
        for setting, value in changes.items():
            text, count = re.subn(rf"^{setting} = .*$", f"{setting} = {json.dumps(value)}", text, flags=re.MULTILINE)
            assert count == 1, setting
        (self.etc / service / f"{name}.toml").write_text(self.here(text))

    @contextmanager
    def unit(self, name: str, instance: str = "") -> Iterator[None]:
        """That unit's service while it runs; it ends by SIGTERM, and with 0."""
        found = settings(name)
        specifiers = {"%i": instance, "%S": str(self.var), "%d": str(self.etc / (instance or "gateway"))}

        def said(text: str) -> str:
            text = self.here(text)
            for letter, value in specifiers.items():
                text = text.replace(letter, value)
            return text

        pairs = [each.split("=", 1) for each in map(said, found["Environment"]) if "_TLS_" not in each]
        environment = {**self.environment, **dict(pairs)}
        for line in found.get("ExecStartPre", []):
            subprocess.run(self._words(said(line)), env=environment, capture_output=True, check=True)
        (command,) = found["ExecStart"]
        words = [*self._words(said(command)), "--json"]
        with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout
                assert "url" in json.loads(process.stdout.readline())
                yield
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
            finally:
                process.kill()

    def _words(self, line: str) -> list[str]:
        program, *words = shlex.split(line)
        assert program == PROGRAM
        return [sys.executable, "-m", "dtledger", *words]


def on_the_page(*beginnings: str) -> list[str]:
    """The page's command lines that begin so, each the first such one."""
    section = PAGE.partition("## Setting up")[2].partition("\n## ")[0]
    lines = " \n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL)).replace("\\\n", " ").splitlines()
    return [next(line for line in lines if line.startswith(each)) for each in beginnings]


def address(said: str) -> Address:
    return Address(re.findall(r"0x[0-9a-fA-F]{40}", said)[0])


def governed(machine: Machine) -> None:
    """One key holds every role, and its founder is north."""
    holder = address(machine.run("dtledger key new registrar"))
    roles = "".join(f'{role} = ["{holder}"]\n' for role in ROLES)
    founder = '[[founder]]\ncard = "north.card.json"\nkinds = ["CUSTODIAN"]\n'
    (machine.folder / "deploy.toml").write_text(f"[governance]\n{roles}{founder}")


@pytest.fixture
def anvil(tmp_path: Path) -> Iterator[Anvil]:
    with Anvil(tmp_path / "chain") as anvil:
        yield anvil


def test_setting_up_as_the_page_says_ends_with_services_that_are_ready(anvil: Anvil, tmp_path: Path) -> None:
    machine = Machine(tmp_path, anvil.url)
    custodian, gateway = (f"127.0.0.1:{free_port()}" for _ in range(2))
    machine.secret("north")
    machine.write("north", "custodian", bind=custodian, rpc_url=anvil.url)
    north = address(machine.run(*on_the_page("dtledger custodian init")))

    governed(machine)
    new, node, deploy = on_the_page("dtledger key new deployer", "dtledger config set rpc_url", "dtledger deploy")
    anvil.fund(address(machine.run(new)))
    assert "founder's card" in machine.run(node, deploy, code=2)
    (record,) = (tmp_path / "home" / "deployments").glob("*.json")
    machine.run(f"cp {record} record.json", *on_the_page("DTLEDGER_PASSWORD_FILE="))
    machine.run(deploy)
    machine.run(f"cp {record} /etc/dtledger/north/deployment.json")

    registrar = json.loads(machine.run("dtledger key show registrar --json"))["address"]
    for each in (north, Address(registrar)):
        anvil.fund(each)
    with ExitStack() as stack:
        stack.enter_context(machine.unit("dtledger-custodian@", "north"))
        assert "failed" not in machine.run(*on_the_page("dtledger custodian status"))

        machine.secret("gateway")
        machine.run(f"cp {record} /etc/dtledger/gateway/deployment.json")
        machine.write("gateway", "gateway", bind=gateway)
        machine.write("gateway", "profile", rpc_url=anvil.url, store="directory:blocks")
        home, profile, key, card, token, doctor = on_the_page(
            "export DTLEDGER_HOME", "install -D", "dtledger key new gateway", "dtledger member card",
            "dtledger gateway token", "dtledger doctor",
        )  # fmt: skip
        example = machine.etc / "gateway" / "profile.toml"
        example.write_text(re.sub("custodians = .*", f'custodians = ["http://{custodian}"]', example.read_text()))
        profile = profile.replace("scripts/deploy/profile.toml", "/etc/dtledger/gateway/profile.toml")
        anvil.fund(address(machine.run(home, profile, key)))
        machine.run(home, card, token)
        registrars = {"store": "directory:blocks", "custodians": f"http://{custodian}"}
        machine.run(*(f"dtledger config set {name} {value} --profile hospital" for name, value in registrars.items()))
        machine.run("dtledger member enrol gateway.card.json --kind GATEWAY --profile hospital --key registrar --yes")
        machine.run(home, doctor)
        stack.enter_context(machine.unit("dtledger-gateway"))
        assert "0 readings wait" in machine.run(f"dtledger gateway status http://{gateway}")
