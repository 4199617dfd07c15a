"""From a profile to a `Client`: which node, which contracts, which store, which custodians, which key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._backend import index
from .._backend.deployments import read_deployment
from .._backend.directory_store import DirectoryStore
from .._backend.evm import EvmLedger
from .._backend.http_relay import HttpRelay
from .._backend.http_store import HttpStore
from .._backend.kubo_store import KuboStore
from .._backend.postgresql import Server
from ..config import INSTANT, Settings
from ..custody import CustodianPort
from ..home import Home
from ..keys import KeyStore, Passwords, UnlockedKey
from ..keys.passwords import Prompt
from ..ledger import Deployment
from ..snapshots.signed import Signer
from ..store import BlockStore
from ..types import Address
from .carrying import Carrier, Denials
from .core import Client, system_clock
from .embedded import Embedded
from .services import Services


def open_client(
    profile: str | None = None,
    key: str | None = None,
    *,
    home: Home | str | Path | None = None,
    prompt: Prompt | None = None,
    options: Mapping[str, Any] | None = None,
) -> Client:
    """A client of the profile, with that key unlocked.

    Args:
        profile, key: as in `config.toml`; by default what the settings say.
        prompt: asks for a password where no password file is set.
        options: further settings by name, over environment and files.

    Raises:
        InputError: a setting is missing or cannot be used.
        KeyFileError: the key is missing or its password is wrong.
        ChainMismatchError, UnreachableError: at the first use, not here.
    """
    located = home if isinstance(home, Home) else Home.locate(home)
    settings = Settings.load(located, {**(options or {}), "profile": profile, "key": key})
    unlocked = unlock(settings, prompt)
    ledger = open_ledger(settings)
    journal = located.journal / f"{ledger.deployment.origin}-{unlocked.address}.db"
    return Client(
        ledger,
        open_store(settings, unlocked),
        open_custodians(settings, ledger),
        unlocked,
        system_clock,
        journal_path=journal,
        carry=_carrier(settings, journal.with_name(f"denials-{ledger.deployment.id}-{unlocked.address}.json")),
    )


def _carrier(settings: Settings, denials: Path) -> Carrier | None:
    if not settings.relays:
        return None
    settings.home.prepare(denials.parent)
    return Carrier([HttpRelay(each) for each in settings.relays], Denials(denials))


def unlock(settings: Settings, prompt: Prompt | None = None) -> UnlockedKey:
    """The key that the settings name, open."""
    passwords = Passwords(settings.password_file, prompt)
    file = KeyStore(settings.home).open(settings.key)
    return file.unlock(passwords.of(file.name))


def open_ledger(settings: Settings) -> EvmLedger:
    """The ledger of the profile; nothing is sent before its first use."""
    deployment = read_deployment(settings.deployment_path)
    settings.home.prepare(settings.home.ledger_cache)
    cache = index_place(settings, deployment)
    return EvmLedger(settings.rpc_url, deployment, cache, instant=is_instant(settings, deployment))


def index_place(settings: Settings, deployment: Deployment) -> Path | Server:
    """Where the profile's index lies: in a file of its home, or in the database that the settings name."""
    return index.place(settings.index, settings.home.ledger_cache / f"{deployment.id}.db")


def is_instant(settings: Settings, deployment: Deployment) -> bool:
    """Whether a block counts as final at once: as the settings say, else on a development chain alone."""
    return deployment.is_development if settings.finality is None else settings.finality == INSTANT


def open_store(settings: Settings, signer: Signer | None = None) -> BlockStore:
    """The block store of the profile: a folder, kubo by its multiaddr, or a gateway, to which `signer` signs what it
    puts."""
    kind, _, rest = settings.store.partition(":")
    if kind == "gateway":
        deployment = read_deployment(settings.deployment_path)
        return HttpStore(rest, deployment, signer, system_clock)
    return DirectoryStore(Path(rest)) if kind == "directory" else KuboStore(settings.store)


def open_custodians(settings: Settings, ledger: EvmLedger) -> Mapping[Address, CustodianPort]:
    """The custodians of the profile: in this process, or services."""
    if settings.embedded:
        return Embedded(settings.home, ledger, system_clock, settings.max_head_age)
    return Services(settings.custodians, ledger.deployment)
