"""A secret comes from a file or a question, never from an argument."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dtledger.errors import KeyFileError
from dtledger.keys import Passwords, read_private_key


def answers(*texts: str) -> Callable[[str], str]:
    left = list(texts)
    return lambda _: left.pop(0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("from a file\n")
    path.chmod(0o600)
    return path


def test_a_file_named_by_the_environment_beats_the_question(file: Path, tmp_path: Path) -> None:
    ask = answers("asked")
    foreign = tmp_path / "foreign"
    foreign.write_text("for another tool")
    foreign.chmod(0o600)
    both = {"DTLEDGER_PASSWORD_FILE": str(file), "ETH_PASSWORD": str(foreign)}
    assert Passwords.from_environment(both, ask).of("ann") == "from a file"
    assert Passwords.from_environment({"ETH_PASSWORD": str(foreign)}, ask).of("ann") == "for another tool"
    assert Passwords.from_environment({}, ask).of("ann") == "asked"


def test_where_nobody_can_be_asked_the_way_out_is_said() -> None:
    with pytest.raises(KeyFileError, match="DTLEDGER_PASSWORD_FILE"):
        Passwords.from_environment({}).of("ann")


@pytest.mark.parametrize("bits", [0o604, 0o644, 0o602])
def test_a_password_file_that_everybody_can_reach_is_refused(file: Path, bits: int) -> None:
    file.chmod(bits)
    with pytest.raises(KeyFileError) as raised:
        Passwords(file).of("ann")
    assert raised.value.hint == f"Run: chmod 600 {file}"
    file.chmod(0o640)
    assert Passwords(file).of("ann") == "from a file"


@pytest.mark.parametrize(
    ("data", "said"), [(b"", "empty"), (b"\n", "empty"), (b"\xff", "UTF-8"), (b"a" * 5000, "long")]
)
def test_a_file_without_a_usable_password_is_refused(file: Path, data: bytes, said: str) -> None:
    file.write_bytes(data)
    with pytest.raises(KeyFileError, match=said):
        Passwords(file).of("ann")
    file.write_bytes(b" with spaces \r\n")
    assert Passwords(file).of("ann") == " with spaces "


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        Passwords(tmp_path / "none").of("ann")


def test_a_new_password_is_asked_twice_and_is_not_short(file: Path) -> None:
    assert Passwords(prompt=answers("long enough", "long enough")).for_new("ann") == "long enough"
    with pytest.raises(KeyFileError, match="differ"):
        Passwords(prompt=answers("long enough", "long enuogh")).for_new("ann")
    with pytest.raises(KeyFileError, match="at least 8"):
        Passwords(prompt=answers("short", "short")).for_new("ann")
    assert Passwords(file, answers()).for_new("ann") == "from a file"


def test_a_private_key_is_read_from_a_file_or_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("0x" + "11" * 32 + "\n")
    path.chmod(0o600)
    assert read_private_key(path) == b"\x11" * 32
    assert read_private_key(prompt=answers("22" * 32)) == b"\x22" * 32
    with pytest.raises(KeyFileError, match="nowhere to read"):
        read_private_key()
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="Everybody on this machine"):
        read_private_key(path)


@pytest.mark.parametrize("text", ["", "11" * 31, "11" * 33, "zz" * 32, "00" * 32, "ff" * 32, "é" * 64])
def test_what_is_no_private_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(KeyFileError) as raised:
        read_private_key(prompt=answers(text))
    assert str(raised.value) == "This is no private key. It has 64 hexadecimal digits."
    assert read_private_key(prompt=answers("11" * 32)) == b"\x11" * 32
