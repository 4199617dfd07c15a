"""What a custodian has on its disk, and a custodian made from it.

    keys/custodian.json           its key, with the one that wraps the key pairs, under a password
    twin-keys/                    the key pairs, each encrypted; in no backup
    receipts-DEPLOYMENT.db        the log of receipts
    letters-DEPLOYMENT/           letters between owners and those who ask
    proofs-DEPLOYMENT.db          proofs of what was permitted to whom when consents were written, for audits
    ledger-cache/DEPLOYMENT.db    the index of the chain; made anew from the chain when it is gone or of another form

The last two are in a PostgreSQL database where the setting `index` names one, each in a schema of its own. Receipts and
key pairs never are: they are destroyed, and kept from backups, as files.

The key pairs are in no backup because a copy that returns would hold what an owner had destroyed. The folder has the
tag by which backup programs leave a folder out (https://bford.info/cachedir/).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ..._backend import index
from ..._backend.evm import EvmLedger
from ..._backend.files import write_atomically
from ..._backend.postgresql import Server
from ..._backend.proof_file import ProofFile
from ..._backend.proof_source import NodeSource
from ...audit.taking import ProofTaker
from ...custodian import (
    Custodian,
    DailyLimit,
    FileLetters,
    FileTwinKeys,
    LimitAtOnce,
    MinuteLimit,
    Patience,
    ReceiptDatabase,
)
from ...errors import KeyFileError
from ...home import Home
from ...keys import KeyStore, Passwords, UnlockedKey
from ...ledger import Deployment
from ..settings import ServiceSettings
from .settings import KEY_NAME, deployment_of, home_of, is_instant, twin_keys_folder

__all__ = ["State", "create_key", "proofs_place", "receipts_path"]

WAIT_SECONDS = 1.0
"""The longest wait for another custodian's heartbeat."""

_WRAPPING = "wrapping"

_TAG = """\
Signature: 8a477f597d28d172789f06886806bc55
# This folder belongs in no backup. It holds a custodian's key pairs: a copy that comes back would open what their
# owners had destroyed. Lost pairs are replaced by the owners, who re-share to new ones.
"""


def create_key(settings: ServiceSettings) -> UnlockedKey:
    """The custodian's folder with its key, made if there is none; what is there is left as it is.

    Raises:
        KeyFileError: the password cannot be read, or is another one than the key's.
        DtledgerError: the folder cannot be written.
    """
    home = home_of(settings)
    store = KeyStore(home)
    home.prepare(home.root)
    if KEY_NAME not in store.names():
        store.create(KEY_NAME, _passwords(settings).for_new(KEY_NAME))
    key = _unlock(settings)
    key.update(lambda held: held if _WRAPPING in held.extra else held.with_extra(_WRAPPING, secrets.token_bytes(32)))
    folder = home.prepare(twin_keys_folder(home))
    write_atomically(folder / "CACHEDIR.TAG", _TAG.encode())
    return key


def receipts_path(home: Home, deployment: Deployment) -> Path:
    """Where a custodian's home has its receipts of a deployment."""
    return home.root / f"receipts-{deployment.id}.db"


def proofs_place(settings: ServiceSettings, deployment: Deployment) -> Path | Server:
    """Where a custodian has the proofs of states that it took in time."""
    if settings["index"] is not None:
        return Server(settings["index"], f"dtledger_proofs_{deployment.id}")
    return _proofs_path(home_of(settings), deployment)


def _proofs_path(home: Home, deployment: Deployment) -> Path:
    return home.root / f"proofs-{deployment.id}.db"


@dataclass(slots=True)
class State:
    """A custodian at work, and what it works with; closed at the end."""

    custodian: Custodian
    ledger: EvmLedger
    receipts: ReceiptDatabase
    proofs: ProofTaker
    twin_keys: Path
    index: Path | Server
    stack: ExitStack

    @classmethod
    def open(cls, settings: ServiceSettings, clock: Callable[[], int]) -> State:
        """Open everything. Nothing is sent to the node yet.

        Raises:
            InputError: there is no such deployment.
            KeyFileError: there is no key yet, or its password is another.
            IntegrityError: the log is not whole.
        """
        home = home_of(settings)
        deployment = deployment_of(settings)
        key = _unlock(settings)
        wrapping = key.secrets.extra.get(_WRAPPING)
        if wrapping is None:
            raise KeyFileError(
                "The custodian's key file has no key for key pairs.", hint="Run: dtledger custodian init"
            )
        home.prepare(home.ledger_cache)
        with ExitStack() as stack:
            cache = index.place(settings["index"], home.ledger_cache / f"{deployment.id}.db")
            ledger = stack.enter_context(
                EvmLedger(settings["rpc_url"], deployment, cache, instant=is_instant(settings, deployment))
            )
            receipts = ReceiptDatabase(receipts_path(home, deployment))
            stack.callback(receipts.close)
            custodian = Custodian(
                key,
                ledger,
                FileTwinKeys(twin_keys_folder(home), wrapping),
                receipts,
                clock,
                settings["max_head_age"],
                FileLetters(home.root / f"letters-{deployment.id}"),
                DailyLimit(settings["spare_snapshots_a_day"], settings["most_snapshots_a_day"]),
                MinuteLimit(settings["receipts_a_minute"], settings["refused_a_day"], settings["asked_a_day"]),
                Patience(WAIT_SECONDS),
                at_once=LimitAtOnce(settings["snapshots_at_once"]),
            )
            proofs = ProofFile(proofs_place(settings, deployment))
            stack.callback(proofs.close)
            former = _proofs_path(home, deployment)
            if settings["index"] is not None and former.exists():
                with closing(ProofFile(former)) as file:
                    proofs.add(file)
            taker = ProofTaker(ledger, lambda: NodeSource(ledger.web3), proofs, key)
            return cls(custodian, ledger, receipts, taker, twin_keys_folder(home), cache, stack.pop_all())
        raise AssertionError

    def close(self) -> None:
        self.stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _unlock(settings: ServiceSettings) -> UnlockedKey:
    store = KeyStore(home_of(settings))
    if KEY_NAME not in store.names():
        raise KeyFileError("The custodian has no key yet.", hint="Make it: dtledger custodian init")
    return store.open(KEY_NAME).unlock(_passwords(settings).of(KEY_NAME))


def _passwords(settings: ServiceSettings) -> Passwords:
    return Passwords(Path(settings["password_file"]))
