"""`deploy`: who governs and who founds, in two runs; and whether a chain's code is these sources'."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dtledger._backend import sources
from dtledger._backend.anvil import Anvil
from dtledger._backend.migrations import read_deployment, read_journal
from dtledger._cli import main
from dtledger.client import make_card
from dtledger.client.opening import open_ledger
from dtledger.config import Settings
from dtledger.errors import InputError
from dtledger.home import Home
from dtledger.keys import KeyStore, Scrypt, UnlockedKey
from dtledger.vocabulary import Kind

pytestmark = pytest.mark.anvil

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with Anvil(tmp_path_factory.mktemp("chain")) as anvil:
        yield anvil


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    monkeypatch.setenv("DTLEDGER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DTLEDGER_PASSWORD_FILE", str(password))
    return Home(tmp_path / "home", "test")


@pytest.fixture
def people(home: Home, chain: Anvil) -> dict[str, UnlockedKey]:
    store = KeyStore(home, Scrypt(n=2))
    keys = {name: store.create(name, PASSWORD).unlock(PASSWORD) for name in ("deployer", "governor", "custodian")}
    chain.fund(keys["deployer"].address)
    return keys


@pytest.fixture
def configuration(tmp_path: Path, people: dict[str, UnlockedKey]) -> Path:
    governor = people["governor"].address
    roles = "\n".join(f'{role} = ["{governor}"]' for role in ("ADMIN", "REGISTRAR", "STEWARD", "SUSPENDER", "MINTER"))
    path = tmp_path / "consortium.toml"
    path.write_text(
        f'delay = "7d"\n[governance]\n{roles}\n[[founder]]\ncard = "custodian.card.json"\nkinds = ["CUSTODIAN"]\n'
    )
    return path


@pytest.fixture
def deploy(chain: Anvil, configuration: Path) -> Callable[..., Result]:
    def run(*words: str) -> Result:
        common = ["--key", "deployer", "--rpc-url", chain.url]
        return CliRunner().invoke(main, ["deploy", *words, *common], catch_exceptions=False)

    return run


def test_it_stops_where_it_needs_the_founders_cards_and_goes_on_with_them(
    home: Home, chain: Anvil, people: dict[str, UnlockedKey], configuration: Path, deploy: Callable[..., Result]
) -> None:
    first = deploy("--config", str(configuration))
    assert first.exit_code == 2
    assert "custodian.card.json" in first.stderr
    assert "--founding" in first.stderr
    (record,) = home.deployments.glob("*.json")
    with pytest.raises(InputError, match="not finished"):
        read_deployment(record)

    unfinished = read_journal(record).deployment()
    card = make_card(unfinished, people["custodian"], "custodian", version=0)
    (configuration.parent / "custodian.card.json").write_bytes(card.serialise())
    second = deploy("--config", str(configuration), "--json")
    assert second.exit_code == 0, second.stderr
    told = json.loads(second.stdout)
    assert told["schema"] == "dtledger/deploy/1"
    assert {step["step"]: step["gas"] for step in told["steps"]}["AccessManager"] == 0  # done in the first run
    assert told["steps"][-1]["step"] == "remember-the-beginning"

    deployment = read_deployment(record)
    assert dict(deployment.contracts) == dict(unfinished.contracts)
    settings = Settings.load(home, {"rpc_url": chain.url}, env={})
    with open_ledger(settings) as ledger:
        member = ledger.view().member(people["custodian"].address)
    assert member is not None
    assert member.kinds == Kind.CUSTODIAN.mask

    untouched = record.read_bytes()
    third = deploy("--config", str(configuration))
    assert third.exit_code == 0
    assert record.read_bytes() == untouched

    verified = deploy("--verify", "--json")
    assert verified.exit_code == 0, verified.stderr
    assert all(json.loads(verified.stdout)["equal"].values())


def test_a_chain_with_other_code_is_named_by_verify(
    home: Home,
    chain: Anvil,
    people: dict[str, UnlockedKey],
    configuration: Path,
    deploy: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "checkout", lambda: None)  # as from a wheel, which has no sources
    _deployed(home, people, configuration, deploy)
    (record,) = home.deployments.glob("*.json")
    contracts = read_deployment(record).contracts
    honest = chain.rpc("eth_getCode", contracts["SnapshotLedger"], "latest")
    chain.rpc("anvil_setCode", contracts["SnapshotLedger"], honest[:-2] + "00")
    try:
        changed = deploy("--verify")
        assert changed.exit_code == 6  # the client itself refuses to go on with other code than was recorded
        assert "SnapshotLedger" in changed.stderr
    finally:
        chain.rpc("anvil_setCode", contracts["SnapshotLedger"], honest)
    mended = deploy("--verify")
    assert mended.exit_code == 0
    assert "no sources here" in mended.stderr


def test_dry_run_lists_the_steps_and_sends_nothing(
    home: Home, chain: Anvil, configuration: Path, deploy: Callable[..., Result]
) -> None:
    block = chain.rpc("eth_blockNumber")
    result = deploy("--config", str(configuration), "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "AccessManager"
    assert chain.rpc("eth_blockNumber") == block
    assert not home.deployments.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[governance]\n", "ADMIN"),
        ('delay = "soon"\n', "governance"),
        ("nonsense", "cannot be used"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_named(
    tmp_path: Path, home: Home, deploy: Callable[..., Result], text: str, said: str
) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(text)
    result = deploy("--config", str(path))
    assert result.exit_code == 2
    assert "broken.toml" in result.stderr
    assert said in result.stderr
    path.unlink()
    assert f"{path} cannot be read: No such file or directory." in deploy("--config", str(path)).stderr


def test_without_a_configuration_it_says_what_to_do(home: Home, deploy: Callable[..., Result]) -> None:
    result = deploy()
    assert result.exit_code == 2
    assert "--config" in result.stderr
    assert "devnet up" in result.stderr


def _deployed(home: Home, people: dict[str, UnlockedKey], configuration: Path, deploy: Callable[..., Result]) -> None:
    deploy("--config", str(configuration))
    (record,) = home.deployments.glob("*.json")
    card = make_card(read_journal(record).deployment(), people["custodian"], "custodian", version=0)
    (configuration.parent / "custodian.card.json").write_bytes(card.serialise())
    assert deploy("--config", str(configuration)).exit_code == 0
