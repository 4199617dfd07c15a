"""A node that is dead, dumb, or another chain's: one error, exit code 6, and nothing is half done."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from dtledger._backend import evm_reader, node
from dtledger._backend.anvil import Anvil
from dtledger._backend.evm import EvmLedger
from dtledger._backend.migrations import read_deployment
from dtledger.client import Client
from dtledger.client.devnet import PROFILE
from dtledger.config import Settings
from dtledger.errors import ChainMismatchError, InputError, UnreachableError
from dtledger.ledger import CONTRACTS, Slot
from tests.crash.deaths import Death, run_killed
from tests.crash.operations import DEPLOYER, deploy
from tests.crash.scene import TWIN, Scene
from tests.faults.conftest import READ, assert_read, refusal
from tests.faults.nodes import NONSENSE, forwarded, wrong_node

pytestmark = pytest.mark.anvil

Command = Callable[..., Result]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class TestANodeThatIsNotThere:
    @pytest.mark.parametrize(
        "words",
        [(*READ, "PATRQT"), ("member", "list"), ("consent", "list")],
        ids=lambda words: " ".join(words[:2]),
    )
    def test_is_unreachable_to_every_command(self, dtledger: Command, words: tuple[str, ...]) -> None:
        said = refusal(dtledger(*words, "--rpc-url", f"http://127.0.0.1:{free_port()}"))
        assert (said.code, said.error) == (6, "UnreachableError")
        assert_read(dtledger(*words))

    def test_that_never_answers_is_given_up(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        connect = evm_reader.connect
        monkeypatch.setattr(evm_reader, "connect", lambda url: connect(url, timeout=0.1))
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            settings = Settings.load(scene.home, {"profile": PROFILE}, env={})
            deployment = read_deployment(scene.home.deployments / f"{settings.deployment}.json")
            with (
                EvmLedger(f"http://127.0.0.1:{deaf.getsockname()[1]}", deployment) as ledger,
                pytest.raises(UnreachableError),
            ):
                ledger.head()


@pytest.mark.parametrize("answer", NONSENSE)
def test_a_node_that_talks_nonsense_is_unreachable(dtledger: Command, answer: str) -> None:
    with wrong_node(NONSENSE[answer]) as url:
        said = refusal(dtledger(*READ, "PATRQT", "--rpc-url", url))
    assert (said.code, said.error) == (6, "UnreachableError")


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_node_on_this_machine_is_asked_past_the_proxy_that_the_environment_names(
    dtledger: Command, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for each in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(each, raising=False)
    assert_read(dtledger(*READ, "PATRQT"))


def test_a_node_elsewhere_is_asked_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UnreachableError, match="ProxyError"):
        node.identity(node.connect("http://node.invalid:8545"))


def test_a_node_behind_a_proxy_that_says_what_it_says_is_as_good(scene: Scene, dtledger: Command) -> None:
    with wrong_node(forwarded(scene.devnet.anvil.url)) as url:
        assert_read(dtledger(*READ, "PATRQT", "--rpc-url", url))


class TestAnotherChain:
    def assert_refused(self, dtledger: Command, *options: str) -> str:
        said = refusal(dtledger(*READ, "PATRQT", *options))
        assert (said.code, said.error) == (6, "ChainMismatchError")
        return said.message

    def test_of_another_id_is_refused(self, dtledger: Command, tmp_path: Path) -> None:
        with Anvil(tmp_path / "other", chain_id=4242) as other:
            assert "chain 4242" in self.assert_refused(dtledger, "--rpc-url", other.url)
        assert_read(dtledger(*READ, "PATRQT"))

    def test_of_another_genesis_is_refused(self, dtledger: Command, tmp_path: Path) -> None:
        with Anvil(tmp_path / "other") as other:
            assert "genesis" in self.assert_refused(dtledger, "--rpc-url", other.url)
        assert_read(dtledger(*READ, "PATRQT"))

    @pytest.mark.parametrize("contract", CONTRACTS[1:])
    def test_with_other_code_is_refused(self, scene: Scene, dtledger: Command, contract: str) -> None:
        (record,) = scene.home.deployments.glob("*.json")
        address = json.loads(record.read_text())["contracts"][contract]
        anvil = scene.devnet.anvil
        code = anvil.rpc("eth_getCode", address, "latest")
        anvil.rpc("anvil_setCode", address, code[:-2] + ("00" if code[-2:] != "00" else "01"))
        try:
            assert contract in self.assert_refused(dtledger)
        finally:
            anvil.rpc("anvil_setCode", address, code)
        assert_read(dtledger(*READ, "PATRQT"))

    def test_that_took_the_first_ones_place_meanwhile_takes_no_revocation(self, scene: Scene, tmp_path: Path) -> None:
        """It would call a transaction to an empty address a success, and the patient would believe it."""
        slot = Slot(scene.address("patient"), TWIN, scene.address("cardiology"), 0)
        with Anvil(tmp_path / "other") as other, scene.client("patient") as patient:
            other.fund(patient.address)
            patient.context.view()
            turn_to(patient, other.url)
            with pytest.raises(ChainMismatchError):
                patient.consents.revoke(slot)
            assert int(other.rpc("eth_getTransactionCount", patient.address, "latest"), 16) == 0
            turn_to(patient, scene.devnet.anvil.url)
            patient.consents.revoke(slot)
            assert not patient.context.view().grant(slot.owner, TWIN, slot.grantee, 0).given


def turn_to(client: Client, url: str) -> None:
    """Let the client's connection lead to another node."""
    client.context.ledger.web3.provider.endpoint_uri = url  # type: ignore[attr-defined]


class TestAnUnfinishedDeployment:
    @pytest.fixture
    def site(self, tmp_path: Path) -> Iterator[Path]:
        """A deployment that was killed half way."""
        with Anvil(tmp_path / "anvil") as anvil:
            anvil.fund(DEPLOYER.address)
            (tmp_path / "deployments").mkdir()
            (tmp_path / "url").write_text(anvil.url)
            assert run_killed(deploy, tmp_path, Death(50, power_cut=False)) is None
            yield tmp_path

    def test_is_refused_by_its_record(self, site: Path) -> None:
        (record,) = (site / "deployments").glob("*.json")
        with pytest.raises(InputError, match="not finished") as refused:
            read_deployment(record)
        assert refused.value.exit_code == 2
        deploy(site)
        read_deployment(record)

    def test_is_refused_by_the_chain_whatever_its_record_says(self, site: Path) -> None:
        (record,) = (site / "deployments").glob("*.json")
        lying = site / "lying.json"
        lying.write_text(json.dumps({**json.loads(record.read_text()), "complete": True}))
        url = (site / "url").read_text()
        with EvmLedger(url, read_deployment(lying)) as ledger, pytest.raises(ChainMismatchError) as refused:
            ledger.head()
        assert refused.value.exit_code == 6
        assert "still governs" in refused.value.message
        deploy(site)
        with EvmLedger(url, read_deployment(record)) as ledger:
            ledger.head()
