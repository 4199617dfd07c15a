"""Changing one setting leaves everything else as a person wrote it."""

from __future__ import annotations

import threading
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtledger.config import Settings, set_value
from dtledger.errors import InputError
from dtledger.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.locate(tmp_path / "home")


def test_comments_order_and_spelling_stay(home: Home, tmp_path: Path) -> None:
    home.prepare(home.root)
    home.config_file.write_text(
        "# mine\n"
        "tz   = 'UTC'  # for now\n"
        "\n"
        "[profiles.hospital] # the clinic\n"
        "rpc_url = 'https://old.example' # slow\n"
        "# the end\n"
    )
    assert set_value(home, "profiles.hospital.rpc_url", "https://new.example") == "profiles.hospital.rpc_url"
    assert home.config_file.read_text() == (
        "# mine\n"
        "tz   = 'UTC'  # for now\n"
        "\n"
        "[profiles.hospital] # the clinic\n"
        'rpc_url = "https://new.example" # slow\n'
        "# the end\n"
    )


def test_the_first_setting_makes_home_and_file(home: Home, tmp_path: Path) -> None:
    set_value(home, "tz", "Europe/Vienna")
    assert home.config_file.read_text() == 'tz = "Europe/Vienna"\n'
    assert home.config_file.stat().st_mode & 0o777 == 0o600
    assert Settings.load(home, {}, {}, tmp_path).tz == "Europe/Vienna"


def test_a_setting_without_profile_goes_to_the_top_or_to_the_profile_that_is_given(home: Home) -> None:
    assert set_value(home, "unit", "mg/dl") == "unit"
    assert set_value(home, "unit", "mg/dl", profile="hospital") == "profiles.hospital.unit"
    with pytest.raises(InputError, match="belongs to a profile"):
        set_value(home, "rpc_url", "http://a.example")
    assert set_value(home, "rpc_url", "http://a.example", profile="hospital") == "profiles.hospital.rpc_url"
    assert tomllib.loads(home.config_file.read_text()) == {
        "unit": "mg/dL",
        "profiles": {"hospital": {"unit": "mg/dL", "rpc_url": "http://a.example"}},
    }


def test_paths_are_stored_whole_and_lists_as_lists(home: Home, tmp_path: Path) -> None:
    set_value(home, "password_file", "pw", folder=tmp_path)
    set_value(home, "store", "directory:blocks", profile="devnet", folder=tmp_path)
    set_value(home, "custodians", "https://a.example, https://b.example", profile="devnet")
    found = Settings.load(home, {}, {}, Path("/"))
    assert found.password_file == tmp_path / "pw"
    assert found.store == f"directory:{tmp_path / 'blocks'}"
    assert found.custodians == ("https://a.example", "https://b.example")


def test_only_a_profile_that_is_there_can_be_chosen(home: Home, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no profile 'hospital'"):
        set_value(home, "profile", "hospital")
    set_value(home, "profiles.hospital.rpc_url", "http://a.example")
    set_value(home, "profile", "hospital")
    assert Settings.load(home, {}, {}, tmp_path).profile == "hospital"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("rpc", "http://a", "no setting 'rpc'"),
        ("profiles.hospital.profile", "devnet", "is no setting"),
        ("profiles.a.b.c", "1", "is no setting"),
        ("profiles.Hospital.tz", "UTC", "cannot be the name of a profile"),
        ("profiles.hospital.max_head_age", "soon", "whole number of seconds"),
        ("profiles.hospital.rpc_url", "node", "begins with http"),
        ("tz", "UTC\nkey = 'evil'", "one line"),
    ],
)
def test_what_cannot_be_a_setting_is_refused_and_nothing_is_written(
    home: Home, key: str, value: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        set_value(home, key, value)
    assert not home.config_file.exists()


def test_a_file_that_cannot_be_read_is_not_changed(home: Home) -> None:
    home.prepare(home.root)
    home.config_file.write_text("tz = \n")
    with pytest.raises(InputError, match="not TOML"):
        set_value(home, "tz", "UTC")
    assert home.config_file.read_text() == "tz = \n"
    home.config_file.write_text("tz = 'Asia/Tokyo'\n")
    set_value(home, "tz", "UTC")
    assert home.config_file.read_text() == 'tz = "UTC"\n'


VALUES = st.one_of(
    st.tuples(st.sampled_from(["tz", "profiles.a.tz", "profiles.b.tz"]), st.sampled_from(["UTC", "Asia/Tokyo"])),
    st.tuples(st.sampled_from(["profiles.a.max_head_age", "profiles.b.max_head_age"]), st.integers(1, 999).map(str)),
    st.tuples(st.just("key"), st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True)),
    st.tuples(st.just("profiles.a.rpc_url"), st.from_regex(r"http://[a-z]{1,8}/[!-~]{0,20}", fullmatch=True)),
)

BEGINNINGS = st.sampled_from(
    [
        "",
        "# only a comment",
        '[profiles.a]\ntz = "UTC"\n# between\n[profiles.b]\n',
        'profiles.a.tz = "UTC"\nprofiles.b.max_head_age = 7\n',
        'profiles = { a = { tz = "UTC" } }\n',
        '[profiles]\na = { tz = "UTC" } # inline\n',
        '[profiles.a]\n[profiles.b]\ntz = "UTC"\n\n# the end\n\n',
    ]
)


@pytest.mark.slow
@given(BEGINNINGS, st.lists(VALUES, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_what_was_set_last_is_read_and_no_comment_is_lost(
    home: Home, beginning: str, changes: list[tuple[str, str]]
) -> None:
    home.prepare(home.root)
    home.config_file.write_text(beginning)
    expected = tomllib.loads(beginning)
    for key, value in changes:
        set_value(home, key, value)
        *tables, last = key.split(".")
        holder = expected
        for each in tables:
            holder = holder.setdefault(each, {})
        holder[last] = int(value) if last == "max_head_age" else value
    text = home.config_file.read_text()
    assert tomllib.loads(text) == expected
    assert text.count("#") >= beginning.count("#")


def test_two_who_set_at_once_both_find_their_setting(home: Home) -> None:
    names = [f"p{each}" for each in range(8)]
    threads = [threading.Thread(target=set_value, args=(home, f"profiles.{each}.tz", "UTC")) for each in names]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(tomllib.loads(home.config_file.read_text())["profiles"]) == set(names)
