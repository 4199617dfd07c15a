"""A service starts by a configuration that is right in every line, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtledger.errors import InputError
from dtledger.service.settings import COMMON, ServiceSettings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "custodian.toml"


def load(file: Path | None, **env: str) -> ServiceSettings:
    return ServiceSettings.load("custodian", COMMON, file, env)


def test_a_setting_comes_from_the_environment_else_the_file_else_is_the_default(file: Path) -> None:
    file.write_text('# ours\nbind = "127.0.0.1:9000"\nthreads = 2\n')
    settings = load(file, DTLEDGER_CUSTODIAN_THREADS="3", DTLEDGER_GATEWAY_THREADS="4")
    assert (settings["bind"], settings.source("bind")) == (("127.0.0.1", 9000), f"{file}, line 2")
    assert (settings["threads"], settings.source("threads")) == (3, "environment DTLEDGER_CUSTODIAN_THREADS")
    assert (settings["stop_seconds"], settings.source("stop_seconds")) == (30, "default")


def test_paths_count_from_the_file_that_names_them(file: Path) -> None:
    file.write_text('tls_certificate = "a.pem"\ntls_key = "/etc/b.pem"\n')
    settings = load(file)
    assert (settings["tls_certificate"], settings["tls_key"]) == (str(file.parent / "a.pem"), "/etc/b.pem")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("\nbindd = 1", 2, "There is no setting 'bindd'"),
        ("threads = 1\nbind = 8701", 2, "bind must be a text"),
        ('bind = "8701"', 1, "bind must be ADDRESS:PORT"),
        ('bind = "127.0.0.1:99999"', 1, "bind must be ADDRESS:PORT"),
        ("threads = 0", 1, "threads must be a whole number, 1 to 1024"),
        ('\n\nthreads = "2"', 3, "threads must be a whole number"),
        ("threads = true", 1, "threads must be a whole number"),
        ("plain_http = 1", 1, "plain_http must be true or false"),
        ('tls_key = "key.pem"', 1, "tls_key needs tls_certificate"),
        ('tls_certificate = ""\ntls_key = "key.pem"', 1, "tls_certificate must be a text"),
        ('\nbind = "0.0.0.0:8701"', 2, "not of this machine alone"),
        ("[limits]\nthreads = 3", 1, "There is no setting 'limits'"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_key(file: Path, text: str, line: int, problem: str) -> None:
    file.write_text(text)
    with pytest.raises(InputError, match=problem) as caught:
        load(file)
    assert caught.value.message.startswith(f"{file}, line {line}: ")


@pytest.mark.parametrize("text", ["bind = ", "threads = 1\nthreads = 2", "\xff"])
def test_what_is_not_toml_is_refused(file: Path, text: str) -> None:
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="is not"):
        load(file)


def test_a_file_that_is_named_must_be_there(file: Path) -> None:
    with pytest.raises(InputError, match="no configuration file"):
        load(file)
    file.touch()
    assert load(file)["threads"] == load(None)["threads"]


def test_a_variable_that_cannot_be_used_is_named(file: Path) -> None:
    with pytest.raises(InputError, match="environment DTLEDGER_CUSTODIAN_THREADS: threads must"):
        load(None, DTLEDGER_CUSTODIAN_THREADS="many")


def test_what_is_wrong_in_the_file_is_said_even_if_a_variable_is_over_it(file: Path) -> None:
    file.write_text("threads = 0")
    with pytest.raises(InputError, match="line 1"):
        load(file, DTLEDGER_CUSTODIAN_THREADS="3")


def test_plain_http_beyond_this_machine_must_be_meant(file: Path) -> None:
    file.write_text('bind = "0.0.0.0:8701"\nplain_http = true')
    assert load(file)["bind"] == ("0.0.0.0", 8701)


def test_a_setting_that_is_needed_is_named_with_where_to_write_it(file: Path) -> None:
    file.touch()
    with pytest.raises(InputError, match=f"{file} names no tls_key .*DTLEDGER_CUSTODIAN_TLS_KEY"):
        load(file).require("tls_key", "a key")
    with pytest.raises(InputError, match="--config FILE, or set DTLEDGER_CUSTODIAN_TLS_KEY"):
        load(None).require("tls_key", "a key")
