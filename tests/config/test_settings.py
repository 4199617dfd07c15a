"""Where each setting comes from, and what is refused."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtledger.client.opening import is_instant
from dtledger.config import ENTRIES, Settings
from dtledger.errors import InputError
from dtledger.home import Home
from dtledger.keys import KeyStore, Scrypt
from dtledger.ledger import Deployment
from dtledger.types import Digest


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.locate(tmp_path / "home")
    home.prepare(home.root)
    return home


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "deep"
    folder.mkdir(parents=True)
    return folder


HOSPITAL = """\
# the hospital's own node
profile = "hospital"
tz = "Europe/Vienna"

[profiles.hospital]
rpc_url = "https://node.hospital.example"
store = "/ip4/127.0.0.1/tcp/5001/http"
deployment = "hospital"
custodians = [
  "https://a.example/",
  "https://b.example",
]
max_head_age = 30
"""


def load(home: Home, work: Path, options: dict[str, Any] | None = None, **env: str) -> Settings:
    return Settings.load(home, options, env, work)


def write(home: Home, text: str) -> None:
    home.config_file.write_text(dedent(text))


def test_without_any_file_the_profile_is_devnet_and_complete(home: Home, work: Path) -> None:
    found = load(home, work)
    assert (found.profile, found.rpc_url, found.deployment) == ("devnet", "http://127.0.0.1:8545", "devnet")
    assert found.store == f"directory:{home.root / 'blocks'}"
    assert found.embedded
    assert found.custodians == ()
    assert found.max_head_age == 60
    assert found.source("rpc_url") == "default of devnet"
    assert (found.tz, found.unit, found.category, found.twin, found.password_file) == (None,) * 5


def test_a_profile_gives_its_values_each_with_file_and_line(home: Home, work: Path) -> None:
    write(home, HOSPITAL)
    found = load(home, work)
    assert found.custodians == ("https://a.example", "https://b.example")
    assert not found.embedded
    assert (found.max_head_age, found.tz) == (30, "Europe/Vienna")
    lines = {"profile": 2, "tz": 3, "rpc_url": 6, "store": 7, "deployment": 8, "custodians": 9, "max_head_age": 13}
    assert {name: found.source(name) for name in lines} == {
        name: f"{home.config_file}, line {line}" for name, line in lines.items()
    }


@pytest.mark.parametrize(
    ("chain_id", "said", "instant"),
    [(31337, None, True), (43112, None, False), (43112, "instant", True), (31337, "finalized", False)],
)
def test_a_block_is_final_at_once_on_a_development_chain_or_where_a_profile_says_so(
    home: Home, work: Path, chain_id: int, said: str | None, instant: bool
) -> None:
    settings = load(home, work, {"finality": said})
    assert is_instant(settings, Deployment(chain_id, Digest(bytes(32)), {})) is instant


def test_explain_lists_every_setting_once(home: Home, work: Path) -> None:
    write(home, HOSPITAL)
    rows = load(home, work, {"unit": "MG/DL"}, DTLEDGER_CATEGORY="glucose").explain()
    assert [name for name, _, _ in rows] == list(ENTRIES)
    assert ("unit", "mg/dL", "option --unit") in rows
    assert ("category", "glucose", "environment DTLEDGER_CATEGORY") in rows
    assert ("custodians", "https://a.example, https://b.example", f"{home.config_file}, line 9") in rows
    assert ("twin", "", "not set") in rows


ZONES = {
    "option": "Asia/Tokyo",
    "environment": "Asia/Seoul",
    "project": "Asia/Dubai",
    "profile": "Asia/Baku",
    "home": "UTC",
}


@given(st.sets(st.sampled_from(sorted(ZONES))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_the_order_is_option_environment_project_profile_home_default(home: Home, work: Path, said: set[str]) -> None:
    home_tz = f'tz = "{ZONES["home"]}"' if "home" in said else ""
    profile_tz = f'tz = "{ZONES["profile"]}"' if "profile" in said else ""
    write(home, f"{home_tz}\n[profiles.devnet]\n{profile_tz}\n")
    project = work.parent / ".dtledger.toml"
    project.write_text(f'tz = "{ZONES["project"]}"' if "project" in said else "")
    options = {"tz": ZONES["option"] if "option" in said else None}
    env = {"DTLEDGER_TZ": ZONES["environment"]} if "environment" in said else {}
    first = next((each for each in ZONES if each in said), None)
    assert load(home, work, options, **env).tz == (ZONES[first] if first else None)


def test_the_variables_of_other_ethereum_tools_count_after_our_own(home: Home, work: Path, tmp_path: Path) -> None:
    foreign = {
        "ETH_RPC_URL": "http://foreign.example",
        "ETH_KEYSTORE": "alice",
        "ETH_PASSWORD": "secret/pw",
    }
    found = load(home, work, **foreign)
    assert found.rpc_url == "http://foreign.example"
    assert found.key == str(work / "alice"), "ETH_KEYSTORE is a path, even without a separator"
    assert found.password_file == work / "secret" / "pw"
    own = {"DTLEDGER_RPC_URL": "http://own.example", "DTLEDGER_KEY": "ann", "DTLEDGER_PASSWORD_FILE": "/pw"}
    found = load(home, work, **foreign, **own)
    assert (found.rpc_url, found.key, found.password_file) == ("http://own.example", "ann", Path("/pw"))
    assert found.source("key") == "environment DTLEDGER_KEY"


def test_an_empty_variable_is_no_variable(home: Home, work: Path) -> None:
    assert load(home, work, DTLEDGER_PROFILE="", ETH_RPC_URL="").rpc_url == "http://127.0.0.1:8545"


def test_relative_paths_count_from_the_folder_of_who_names_them(home: Home, work: Path) -> None:
    write(home, '[profiles.devnet]\nstore = "directory:mine"\ndeployment = "net/d.json"\npassword_file = "pw"\n')
    found = load(home, work)
    assert found.store == f"directory:{home.root / 'mine'}"
    assert (found.deployment, found.password_file) == (str(home.root / "net/d.json"), home.root / "pw")
    assert load(home, work, {"store": "directory:mine"}).store == f"directory:{work / 'mine'}"


def test_the_key_that_key_use_chose_counts_last(home: Home, work: Path) -> None:
    with pytest.raises(InputError, match=f"No key is named, and none is in use in {home.root}."):
        _ = load(home, work).key
    keys = KeyStore(home, kdf=Scrypt(n=2))
    keys.create("ann", "a password")
    keys.create("bob", "a password")
    found = load(home, work)
    assert (found.key, found.source("key")) == ("ann", "dtledger key use")
    keys.use("bob")
    assert load(home, work).key == "bob"
    write(home, 'key = "eve"\n')
    assert load(home, work).key == "eve"


def test_another_profile_takes_no_value_of_devnet(home: Home, work: Path) -> None:
    write(home, "[profiles.hospital]\n")
    found = load(home, work, {"profile": "hospital"})
    for name in ("rpc_url", "store", "deployment", "custodians", "embedded"):
        with pytest.raises(InputError, match="profile hospital names no") as raised:
            getattr(found, name)
        assert "dtledger config set profiles.hospital." in raised.value.hint
    write(home, HOSPITAL)
    found = load(home, work, {"profile": "hospital"})
    assert found.rpc_url == "https://node.hospital.example"


def test_an_unknown_profile_names_who_asked_for_it_and_the_nearest(home: Home, work: Path) -> None:
    write(home, HOSPITAL)
    with pytest.raises(InputError) as raised:
        load(home, work, DTLEDGER_PROFILE="hospitl")
    assert "environment DTLEDGER_PROFILE" in raised.value.message
    assert "Did you mean hospital? Known: devnet, hospital" in raised.value.hint
    assert load(home, work, DTLEDGER_PROFILE="hospital").profile == "hospital"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('profile = "hospital"\n\nrpc_ur = "http://x"\n', 3, "Did you mean rpc_url?"),
        ("[profiles.hospital]\n# note\nmaxheadage = 3\n", 3, "Did you mean max_head_age?"),
        ('[profiles.hospital]\nmax_head_age = "60"\n', 2, "must be a whole number of seconds, 1 to 86400"),
        ("[profiles.hospital]\nmax_head_age = 0\n", 2, "must be a whole number of seconds"),
        ('[profiles.hospital]\nfinality = "soon"\n', 2, 'must be "instant" or "finalized"'),
        ("[profiles.hospital]\nmax_head_age = true\n", 2, "must be a whole number of seconds"),
        ("[profiles.hospital]\nrpc_url = 8545\n", 2, "must be a text"),
        ('[profiles.hospital]\nrpc_url = "node.example"\n', 2, "begins with http"),
        ('[profiles.hospital]\nrpc_url = "http://"\n', 2, "begins with http"),
        ('[profiles.hospital]\n\nstore = "blocks"\n', 3, "directory:PATH"),
        ('[profiles.hospital]\ncustodians = [\n  "https://a.example",\n  "ftp://b"\n]\n', 2, "begins with http"),
        ('[profiles.hospital]\ncustodians = ["https://a", "https://a/"]\n', 2, "each custodian once"),
        ("[profiles.hospital]\ncustodians = []\n", 2, "a list of URLs"),
        ('[profiles.hospital]\nkey = "Ann"\n', 2, "must be the name of a key"),
        ('tz = "Vienna"\n', 1, "must be a time zone"),
        ('tz = "../../etc/passwd"\n', 1, "must be a time zone"),
        ('unit = "stone"\n', 1, "unknown unit 'stone'"),
        ('category = "sugar"\n', 1, "unknown category 'sugar'"),
        ("twin = -1\n", 1, "the number of a twin"),
        ('rpc_url = "http://127.0.0.1:8545"\n', 1, "must stand in a profile"),
        ('[profiles.hospital]\nprofile = "devnet"\n', 2, "names no profile"),
        ('[profiles."Über uns"]\n', 1, "cannot be the name of a profile"),
        ('tz = "UTC"\nprofiles = 3\n', 2, "profiles must be tables"),
        ("[profiles]\nhospital = 3\n", 2, "a profile is a table"),
        ('tz = "UTC"\nunit =\n', 2, "line 2"),
    ],
)
def test_a_fault_in_the_file_is_named_with_file_line_and_what_is_wanted(
    home: Home, work: Path, text: str, line: int, said: str
) -> None:
    home.config_file.write_text(text)
    with pytest.raises(InputError) as raised:
        load(home, work)
    assert str(home.config_file) in str(raised.value)
    assert f"line {line}" in str(raised.value)
    assert said in str(raised.value)


def test_a_file_that_is_no_text_or_no_configuration_is_refused(home: Home, work: Path) -> None:
    for data, said in ((b"\xff", "not UTF-8"), (b"# " * 40_000, "larger than"), (b"a=" + b"[" * 5000, "not TOML")):
        home.config_file.write_bytes(data)
        with pytest.raises(InputError, match=said):
            load(home, work)
    home.config_file.write_bytes(b'tz = "UTC"\r\n')
    assert load(home, work).tz == "UTC"


@pytest.mark.parametrize(
    "text",
    [
        'key = "ann"',
        'password_file = "/etc/passwd"',
        'rpc_url = "http://evil.example"',
        'store = "directory:/tmp"',
        'deployment = "evil.json"',
        'custodians = "embedded"',
        'index = "postgresql://evil.example/"',
        "max_head_age = 86400",
        '[profiles.devnet]\nrpc_url = "http://evil.example"',
    ],
)
def test_a_file_that_comes_with_a_folder_can_name_no_key_node_or_contract(home: Home, work: Path, text: str) -> None:
    file = work.parent / ".dtledger.toml"
    file.write_text(f"# ours\n{text}\n")
    with pytest.raises(InputError) as raised:
        load(home, work)
    assert f"{file}, line 2" in str(raised.value)
    assert "may not stand in" in str(raised.value)
    file.write_text('tz = "UTC"\n')
    assert load(home, work).source("tz") == f"{file}, line 1"


def test_the_nearest_project_file_counts_alone(home: Home, work: Path) -> None:
    (work.parent / ".dtledger.toml").write_text('tz = "UTC"\ncategory = "glucose"\n')
    (work / ".dtledger.toml").write_text('category = "sleep"\n')
    found = load(home, work)
    assert (found.category, found.tz) == ("sleep", None)


SECRET = st.text("abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789", min_size=16, max_size=24)


@given(SECRET, SECRET, SECRET)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_credentials_in_urls_are_used_and_never_shown(
    home: Home, work: Path, user: str, password: str, token: str
) -> None:
    url = f"https://{user}:{password}@node.example:8545/v3/{token}?key={token}"
    write(home, f'[profiles.devnet]\nrpc_url = "{url}"\ncustodians = ["{url}"]\n')
    found = load(home, work)
    assert found.rpc_url == url
    shown = f"{found.explain()}{found!r}{list(found.values.values())!r}"
    assert "https://***@node.example:8545/v3/***?***" in shown
    write(home, f'[profiles.devnet]\nrpc_url = "x{url}"\n')
    with pytest.raises(InputError) as raised:
        load(home, work)
    shown += f"{raised.value}{raised.value!r}"
    assert not any(secret in shown for secret in (user, password, token))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:hunter22@db.example/ward",
        "postgresql://ann:@db.example/ward",
        "postgresql://a:hunter22@one.example:5432,two.example:5432/ward",
        "postgresql://db.example/ward?password=hunter22",
        "postgresql://db.example/ward?sslmode=require&pass%77ord=hunter22",
        "postgresql://db.example/ward?sslpassword=hunter22",
    ],
)
def test_a_password_is_refused_in_a_databases_url_and_not_repeated(home: Home, work: Path, url: str) -> None:
    write(home, f'[profiles.devnet]\nindex = "{url}"\n')
    with pytest.raises(InputError, match="index must hold no password: .* PGPASSFILE") as refused:
        load(home, work)
    assert "hunter22" not in f"{refused.value}{refused.value!r}{refused.value.__context__}"
    without = "postgresql://ann@db.example/ward?sslmode=verify-full"
    write(home, f'[profiles.devnet]\nindex = "{without}"\n')
    found = load(home, work)
    assert found.index == without
    assert ("index", "postgresql://***@db.example/ward?***") in [each[:2] for each in found.explain()]


@pytest.mark.parametrize("url", ["mysql://db.example/ward", "db.example/ward", "postgresql://db.example/a b", ""])
def test_what_is_no_url_of_a_database_is_none(home: Home, work: Path, url: str) -> None:
    write(home, f'[profiles.devnet]\nindex = "{url}"\n')
    with pytest.raises(InputError, match="index must"):
        load(home, work)


def test_a_wrong_option_or_variable_is_named(home: Home, work: Path) -> None:
    with pytest.raises(InputError, match="option --max-head-age: max_head_age must be a whole number"):
        load(home, work, {"max_head_age": "soon"})
    with pytest.raises(InputError, match="environment DTLEDGER_TWIN: twin must be the number"):
        load(home, work, DTLEDGER_TWIN="seven")
    found = load(home, work, {"max_head_age": "90"}, DTLEDGER_TWIN="7", DTLEDGER_CUSTODIANS="http://a,http://b")
    assert (found.max_head_age, found.twin, found.custodians) == (90, 7, ("http://a", "http://b"))
