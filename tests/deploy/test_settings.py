"""The example configurations are read as a service reads them, and show every setting that there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from dtledger._backend.kubo_store import KuboStore
from dtledger.config import Entry, Settings
from dtledger.errors import InputError, UnreachableError
from dtledger.gateway.service import ENTRIES as GATEWAY
from dtledger.home import Home
from dtledger.service.custodian.settings import ENTRIES as CUSTODIAN
from dtledger.service.custodian.settings import load_settings
from dtledger.service.settings import ServiceSettings
from tests.deploy.commands import DEPLOY

SERVICES = [("custodian", CUSTODIAN), ("gateway", GATEWAY)]


def text_of(name: str) -> str:
    return (DEPLOY / f"{name}.toml").read_text()


def with_all(name: str) -> str:
    """The example with the settings that it only shows."""
    return re.sub(r"^# (\w+ = )", r"\1", text_of(name), flags=re.MULTILINE)


def load(name: str, entries: Sequence[Entry], text: str, folder: Path) -> ServiceSettings:
    file = folder / f"{name}.toml"
    file.write_text(text)
    return ServiceSettings.load(name, entries, file, {})


@pytest.mark.parametrize(("name", "entries"), SERVICES)
class TestAService:
    def test_reads_its_example(self, name: str, entries: Sequence[Entry], tmp_path: Path) -> None:
        settings = load(name, entries, text_of(name), tmp_path)
        assert settings["bind"][1] == 8701
        assert settings["tls_key"] == str(tmp_path / "server.key")

    def test_is_shown_every_setting_once(self, name: str, entries: Sequence[Entry]) -> None:
        shown = re.findall(r"^(?:# )?(\w+) = ", text_of(name), re.MULTILINE)
        assert sorted(shown) == sorted(each.name for each in entries)

    def test_is_shown_what_each_is_by_default(self, name: str, entries: Sequence[Entry], tmp_path: Path) -> None:
        shown = re.findall(r"^# (\w+) = ", text_of(name), re.MULTILINE)
        told, default = load(name, entries, with_all(name), tmp_path), load(name, entries, text_of(name), tmp_path)
        for each in shown:
            assert told.source(each) != "default"
            if each != "finality" and default.source(each) != "not set":  # by default what the chain is, or nothing
                assert told[each] == default[each], each

    def test_refuses_an_example_with_one_setting_misspelt(
        self, name: str, entries: Sequence[Entry], tmp_path: Path
    ) -> None:
        with pytest.raises(InputError, match="There is no setting 'thread'"):
            load(name, entries, with_all(name).replace("threads = ", "thread = "), tmp_path)

    def test_has_words_above_each_setting(self, name: str, entries: Sequence[Entry]) -> None:
        blocks = [each.splitlines() for each in text_of(name).strip().split("\n\n")]
        assert all(re.match(r"# [A-Z]", lines[0]) and not re.match(r"# \w+ = ", lines[0]) for lines in blocks)


def test_a_custodian_lacks_nothing_in_its_example() -> None:
    load_settings(DEPLOY / "custodian.toml", {})


def test_the_profile_of_the_gateway_is_one(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(text_of("profile"))
    settings = Settings.load(Home(tmp_path, "test"), {"profile": "hospital"}, {}, tmp_path)
    assert settings.store == "/ip4/127.0.0.1/tcp/5001/http"
    assert len(settings.custodians) == 3
    assert Path(settings.deployment).name == "deployment.json"
    with pytest.raises(UnreachableError):  # understood, and nobody listens
        KuboStore(settings.store.replace("5001", "1"))
