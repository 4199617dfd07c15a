"""Where files lie, and who may reach them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtledger.errors import DtledgerError, InputError, KeyFileError
from dtledger.home import Home, check_name


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_option_beats_the_environment_which_beats_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    named = {"DTLEDGER_HOME": str(tmp_path / "named")}
    assert Home.locate(tmp_path / "given", named) == Home(tmp_path / "given", "option --home")
    assert Home.locate(None, named) == Home(tmp_path / "named", "environment DTLEDGER_HOME")
    assert Home.locate(None, {}).source == "default"
    assert Home.locate(None, {"DTLEDGER_HOME": ""}) == Home.locate(None, {})
    monkeypatch.setenv("DTLEDGER_HOME", str(tmp_path / "process"))
    assert Home.locate().root == tmp_path / "process"


def test_a_relative_home_is_made_absolute_so_that_a_change_of_folder_cannot_move_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "ann"))
    assert Home.locate("here").root == tmp_path / "here"
    assert Home.locate("~/here").root == tmp_path / "ann" / "here"


def test_locating_a_home_makes_nothing_and_preparing_makes_it_private(tmp_path: Path) -> None:
    home = Home.locate(tmp_path / "deep" / "home")
    assert not (tmp_path / "deep").exists()
    assert home.prepare(home.keys) == home.keys
    assert [mode(each) for each in (tmp_path / "deep", home.root, home.keys)] == [0o700] * 3
    assert home.prepare(home.ledger_cache / "31337").is_dir()
    assert mode(home.ledger_cache) == mode(home.ledger_cache / "31337") == 0o700


@pytest.mark.parametrize("folder", ["keys", "custodians"])
@pytest.mark.parametrize("bits", [0o750, 0o705, 0o701, 0o770])
def test_a_folder_of_keys_that_others_can_reach_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, folder: str, bits: int
) -> None:
    home = Home.locate(tmp_path)
    keys: Path = getattr(home, folder)
    keys.mkdir()
    keys.chmod(bits)
    for attempt in (home.prepare, home.require_private):
        with pytest.raises(KeyFileError) as raised:
            attempt(keys)
        assert raised.value.hint == f"Run: chmod 700 {keys}"
        assert raised.value.exit_code == 5
    keys.chmod(0o700)
    assert home.prepare(keys) == home.require_private(keys) == keys


def test_a_folder_that_is_not_there_harms_nobody(tmp_path: Path) -> None:
    home = Home.locate(tmp_path / "none")
    assert home.require_private(home.keys) == home.keys


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    home = Home.locate(tmp_path / "file" / "home")
    with pytest.raises(DtledgerError, match="could not be made"):
        home.prepare(home.keys)


@settings(deadline=None)
@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True))
def test_a_good_name_passes(name: str) -> None:
    assert check_name(name, "key") == name


@pytest.mark.parametrize("name", ["", "-a", "A", "a.json", "../a", "a/b", "a b", "a" * 33, "é", "a\n", "0x" + "1" * 40])
def test_a_name_that_could_be_a_path_an_address_or_a_trick_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a key"):
        check_name(name, "key")
