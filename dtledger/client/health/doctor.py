"""Every part in turn; what depends on a part that failed is skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..._backend.evm import EvmLedger
from ...config import Settings
from ...errors import DtledgerError
from ...home import Home
from ..embedded import custodian_keys
from ..opening import open_ledger
from . import chain, machine
from .check import Check, State

__all__ = ["Doctor"]


class Doctor:
    """Looks at one profile. `load` reads its settings, `clock` gives unix seconds."""

    def __init__(self, home: Home, load: Callable[[], Settings], clock: Callable[[], int]) -> None:
        self._home = home
        self._load = load
        self._clock = clock
        self._found = machine.KeyFound(None)
        self._settings: Settings | None = None
        self._open: EvmLedger | None = None
        self._missing: set[str] = set()

    def checks(self) -> Iterator[Check]:
        """Each part as it is looked at."""
        try:
            yield self._one("home", lambda: machine.home_folder(self._home))
            yield self._one("config", self._config)
            yield self._one("key", self._key, "config")
            yield self._one("deployment", lambda: chain.deployment(self._known), "config")
            yield self._one("store", lambda: machine.store(self._known), "config", "deployment")
            yield self._one("node", lambda: chain.node(self._known), "config")
            yield self._one("chain", self._chain, "deployment", "node")
            if self._settings and self._settings.index:
                yield self._one("index", lambda: chain.index(self._known, self._ledger), "chain")
            yield self._one("head", lambda: chain.head(self._ledger, self._known.max_head_age, self._clock()), "chain")
            yield self._one("clock", lambda: chain.clock(self._ledger, self._clock()), "chain")
            yield self._one("member", lambda: chain.member(self._ledger, self._found), "chain", "key")
            yield self._one("account", lambda: chain.account(self._known, self._ledger, self._found), "chain", "key")
            yield self._one("custodians", lambda: chain.custodians(self._known, self._ledger, self._clock), "chain")
            if self._settings and self._settings.relays:
                yield self._one("relays", lambda: chain.relays(self._known))
            if "custodians" not in self._missing and self._known.embedded:
                for name in custodian_keys(self._home).names():
                    yield self._one(name, lambda each=name: chain.custodian(self._known, self._ledger, each))  # type: ignore[misc]
        finally:
            if self._open:
                self._open.close()

    def _one(self, name: str, look: Callable[[], Check], *needs: str) -> Check:
        missing = [each for each in needs if each in self._missing]
        if missing:
            self._missing.add(name)
            return Check(name, State.SKIPPED, f"not looked at, for want of: {', '.join(missing)}")
        try:
            return look()
        except DtledgerError as error:
            self._missing.add(name)
            # 2 says that the command line is wrong, and it is not
            return Check(name, State.FAILED, error.message, error.hint, 1 if error.exit_code == 2 else error.exit_code)

    def _config(self) -> Check:
        settings = self._settings = self._load()
        return Check("config", State.OK, f"profile {settings.profile} ({settings.source('profile')})")

    def _key(self) -> Check:
        check, self._found = machine.key_file(self._known)
        return check

    def _chain(self) -> Check:
        self._open = open_ledger(self._known)
        return chain.chain(self._open)

    @property
    def _known(self) -> Settings:
        assert self._settings is not None, "what needs the settings is skipped without them"
        return self._settings

    @property
    def _ledger(self) -> EvmLedger:
        assert self._open is not None, "what needs the chain is skipped without it"
        return self._open
