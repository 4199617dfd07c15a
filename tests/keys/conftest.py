from __future__ import annotations

from pathlib import Path

import pytest

from dtledger.home import Home
from dtledger.keys import KeyStore, Scrypt


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.locate(tmp_path / "home")


@pytest.fixture
def store(home: Home) -> KeyStore:
    """Keys whose passwords cost nothing to derive from."""
    return KeyStore(home, kdf=Scrypt(n=2))
