"""What a custodian can be told, beside what every service can.

rpc_url = "http://127.0.0.1:8545"     # its own node
deployment = "hospital.json"          # the contracts' file, as `dtledger deploy` wrote it
data = "/var/lib/dtledger-custodian"  # its key, its log, its key pairs
password_file = "password"            # of its key
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..._backend.migrations import read_deployment
from ...config import INSTANT, Entry
from ...config.kinds import finality, url
from ...errors import InputError
from ...home import Home
from ...ledger import Deployment
from ..settings import COMMON, ServiceSettings, database_setting, file_setting, whole_number

__all__ = ["CUSTODIAN", "KEY_NAME", "deployment_of", "home_of", "is_instant", "load_settings", "twin_keys_folder"]

CUSTODIAN = "custodian"

KEY_NAME = "custodian"
"""The name of its key in its own key store."""


ENTRIES: tuple[Entry, ...] = (
    *COMMON,
    Entry("rpc_url", "its own Ethereum node", url),
    file_setting("deployment", "the file of the contracts, as `dtledger deploy` wrote it"),
    file_setting("data", "the folder of its key, its receipts and its key pairs"),
    file_setting("password_file", "the file that holds the password of its key"),
    database_setting(
        "index", "PostgreSQL in its folder's stead for its index and proofs: postgresql://…, without a password"
    ),
    Entry("finality", "when a block is final: instant, or finalized by the node's word", finality),
    whole_number("max_head_age", "how old its node's head may be, in seconds", 60, 1, 86_400),
    whole_number("spare_snapshots_a_day", "what a grant may open a day beyond twice the hours of it", 1_000, 0, 10**9),
    whole_number("most_snapshots_a_day", "what a grant may open a day at most, whatever it covers", 50_000, 1, 10**9),
    whole_number("receipts_a_minute", "requests that one asker may make a minute", 120, 1, 10**6),
    whole_number("refused_a_day", "snapshots that one asker may be refused a day", 20_000, 1, 10**9),
    whole_number("asked_a_day", "snapshots that one asker may ask for a day, whatever comes of it", 500_000, 1, 10**9),
    whole_number("snapshots_at_once", "snapshots of one asker that are worked on at a time", 20_000, 1, 10**9),
    whole_number("anchor_minutes", "how often its receipts are anchored, if there are new ones", 60, 1, 100_000),
    whole_number(
        "proof_seconds", "how often proofs of newly written consents are taken for audits; 0 for never", 30, 0, 86_400
    ),
    whole_number(
        "heartbeats", "heartbeats that its account must be able to pay for, or it is running low", 1_000, 0, 10**9
    ),
)


def load_settings(file: Path | None, env: Mapping[str, str] | None = None) -> ServiceSettings:
    """A custodian's settings. Raises InputError as `ServiceSettings.load`, or if one that must be there is not."""
    settings = ServiceSettings.load(CUSTODIAN, ENTRIES, file, env)
    for each in ENTRIES:
        if each.name in ("rpc_url", "deployment", "data", "password_file"):
            settings.require(each.name, each.text)
    return settings


def deployment_of(settings: ServiceSettings) -> Deployment:
    """The contracts. Raises InputError: there is no such file, or it is not finished; the setting is named."""
    try:
        return read_deployment(Path(settings["deployment"]))
    except InputError as error:
        raise InputError(
            f"{settings.source('deployment')}: deployment: {error.message}",
            hint="Copy the record there that `dtledger deploy` wrote.",
        ) from error


def home_of(settings: ServiceSettings) -> Home:
    """Its folder, laid out as a person's home is."""
    return Home(Path(settings["data"]), settings.source("data"))


def twin_keys_folder(home: Home) -> Path:
    """Where a custodian's home has its key pairs for twins; in no backup."""
    return home.root / "twin-keys"


def is_instant(settings: ServiceSettings, deployment: Deployment) -> bool:
    """Whether a block counts as final at once: as the settings say, else on a development chain alone."""
    return deployment.is_development if settings["finality"] is None else settings["finality"] == INSTANT
