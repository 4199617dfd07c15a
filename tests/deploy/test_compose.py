"""The compose file: what runs in it is what `dtledger` takes, each part has what it needs, and no more power."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from dtledger.config import ENTRIES as PROFILE
from dtledger.gateway.service import ENTRIES as GATEWAY
from dtledger.service.custodian.settings import ENTRIES as CUSTODIAN
from tests.deploy.commands import DEPLOY, ROOT, accept
from tests.deploy.plain_yaml import parse

FILE: dict[str, Any] = parse((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
CUSTODIANS = ("north", "centre", "south")
OURS = (*CUSTODIANS, "gateway")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
NAMED_VOLUME = re.compile(r"([\w-]+):(/\S+)")


def variables() -> set[str]:
    """Every variable that a service of ours or its profile looks at."""
    known = {f"DTLEDGER_CUSTODIAN_{each.name.upper()}" for each in CUSTODIAN}
    known |= {f"DTLEDGER_GATEWAY_{each.name.upper()}" for each in GATEWAY}
    return known | {name for each in PROFILE.values() for name in each.variables} | {"DTLEDGER_HOME"}


@pytest.mark.parametrize("name", OURS)
def test_each_service_of_ours_runs_a_command_that_there_is(name: str) -> None:
    service = SERVICES[name]
    accept(service["command"])
    assert set(service["environment"]) <= variables()
    if check := service.get("healthcheck"):
        program, *words = check["test"][1:]
        assert program == "dtledger"
        accept(words)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_service_has_no_power_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    user, group = service["user"].split(":")
    assert int(user) > 0 < int(group)
    assert not set(service) & {"privileged", "cap_add", "pid", "network_mode", "devices"}
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", service["image"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_secrets_are_files_and_each_that_is_named_is_declared(name: str) -> None:
    service = SERVICES[name]
    targets = {f"/run/secrets/{each['target']}" for each in service["secrets"]}
    assert {each["source"] for each in service["secrets"]} <= set(FILE["secrets"])
    named = {value for value in service.get("environment", {}).values() if value.startswith("/run/secrets/")}
    assert named <= targets
    if name in OURS:
        assert named == targets - {"/run/secrets/authority.pem"}
    assert all(set(each) == {"file"} for each in FILE["secrets"].values())


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_file_that_is_mounted_is_here_and_read_only(name: str) -> None:
    for mount in SERVICES[name]["volumes"]:
        source, target, *mode = mount.split(":")
        if source.startswith("./"):
            assert mode == ["ro"], mount
            assert (DEPLOY / source).exists() or source == "./deployment.json", mount
        else:
            assert source in FILE["volumes"], mount
        assert target.startswith("/")


def test_custodians_share_no_network_no_folder_and_no_node() -> None:
    networks = [set(SERVICES[name]["networks"]) for name in CUSTODIANS]
    nodes = {SERVICES[name]["environment"]["DTLEDGER_CUSTODIAN_RPC_URL"] for name in CUSTODIANS}
    folders = [
        match[1] for name in CUSTODIANS for each in SERVICES[name]["volumes"] if (match := NAMED_VOLUME.fullmatch(each))
    ]
    assert len(set.union(*networks)) == len(networks) == len(nodes) == 3
    assert len(folders) == len(set(folders)) == 6


@pytest.mark.parametrize("name", CUSTODIANS)
def test_key_pairs_are_on_a_volume_of_their_own(name: str) -> None:
    data = SERVICES[name]["environment"]["DTLEDGER_CUSTODIAN_DATA"]
    assert f"{name}-twin-keys:{data}/twin-keys" in SERVICES[name]["volumes"]
    assert f"{data}/twin-keys" in CONTAINERFILE


def test_the_administrators_port_of_kubo_is_reached_by_the_gateway_alone() -> None:
    kubo = SERVICES["kubo"]
    place = kubo["networks"]["store"]["ipv4_address"]
    assert kubo["environment"]["KUBO_API"] == f"/ip4/{place}/tcp/5001"
    assert [name for name, each in SERVICES.items() if "store" in each["networks"]] == ["gateway", "kubo"]
    assert FILE["networks"]["store"]["internal"] is True
    assert kubo["ports"] == ["4001:4001"]
    assert SERVICES["gateway"]["environment"]["DTLEDGER_STORE"] == "/dns4/kubo/tcp/5001/http"


def test_prometheus_asks_at_names_and_ports_that_there_are() -> None:
    scraped = parse((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    targets = {target for job in scraped for each in job["static_configs"] for target in each["targets"]}
    assert targets == {f"{name}:8701" for name in OURS}
    for name in OURS:
        assert SERVICES[name]["ports"][0].endswith(":8701")
        assert set(SERVICES[name]["networks"]) & set(SERVICES["prometheus"]["networks"])


def test_the_image_is_of_this_version_and_its_user_that_of_the_services() -> None:
    assert {SERVICES[name]["image"] for name in OURS} == {f"dtledger:{VERSION}"}
    assert set(re.findall(r"dtledger(?:-|\[service\]==|:)(\d+\.\d+\.\d+)", CONTAINERFILE)) == {VERSION}
    (user,) = re.findall(r"^USER (\S+)$", CONTAINERFILE, re.MULTILINE)
    assert {SERVICES[name]["user"] for name in OURS} == {user}
    assert CONTAINERFILE.rstrip().endswith('ENTRYPOINT ["dtledger"]')
    for source in re.findall(r"^COPY (scripts/\S+)", CONTAINERFILE, re.MULTILINE):
        assert (ROOT / source).exists()
