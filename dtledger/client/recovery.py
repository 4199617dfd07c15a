"""Recovering a twin's secrets: what its owner prepares, and what a guardian gives (`regaining`: what becomes of it).

The owner seals a recovery package to its guardians and the custodians of its roster, and names it in the twin card. It
is made anew whenever what it holds, or who holds it, changes. When guardians have moved the twin to another key, each
of them seals its share to that key, and custodians give theirs to the twin's present owner alone; m of the ones and t
of the others open the package. Whoever gives another share than it was given is named.

Warning: guardians and custodians together, m of the ones and t of the others, open all that the package holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from .. import encoding
from ..encoding import CID
from ..errors import CannotCheckError, IntegrityError
from ..keys.secrets import GUARDIAN_KEYS
from ..ledger import Receipt
from ..ledger.events import Card
from ..ledger.records import CardRecord
from ..snapshots.blame import blaming
from ..snapshots.recovery import RecoveryPackage, seal_recovery
from ..snapshots.roster import Roster
from ..store import BlockMissingError
from ..types import ZERO_DIGEST
from .context import Context
from .guardian_openings import opening
from .guardian_shares import Guardian, GuardianKeys, GuardianShare
from .handover import Acceptance


@dataclass(frozen=True, slots=True)
class RecoveryState:
    """The recovery package that a twin's card names. `behind` says in words why it should be made anew."""

    version: int
    generation: int
    guardians: tuple[int, int]
    custodians: tuple[int, int]
    behind: tuple[str, ...]


class Recovering:
    """The part of `Twins` that is about recovery packages."""

    _context: Context

    def roster(self, twin: int) -> Roster:
        raise NotImplementedError

    def change_card(self, twin: int, present: Card, **changes: Any) -> Receipt:
        raise NotImplementedError

    # the owner prepares --------------------------------------------------------------------------------------

    def guardian_keys(self, twin: int) -> GuardianKeys | None:
        """Whom this key's recovery package of the twin is sealed to, as the key file remembers them."""
        context = self._context
        held = context.key.secrets.of_twin(GUARDIAN_KEYS, context.deployment.origin, twin)
        if held is None:
            return None
        needed, rows, _ = held
        return GuardianKeys(needed, tuple(Guardian(encoding.address(address), key) for address, key in rows))

    def set_recovery(self, twin: int, guardians: GuardianKeys) -> Receipt:
        """Seal a recovery package to these guardians and the custodians in force, and name it in the card. May be
        called again after a crash. Raises as `renew_recovery`."""
        self.remember_guardians(twin, guardians)
        receipt = self.renew_recovery(twin)
        assert receipt is not None, "there are guardians now"
        return receipt

    def remember_guardians(self, twin: int, guardians: GuardianKeys) -> None:
        """Let the next package be made for these; until it is, `recovery` says that it is behind."""
        if guardians == self.guardian_keys(twin):
            return
        context = self._context
        value = [guardians.needed, [[each.address, each.key] for each in guardians.people], b""]
        context.key.update(lambda held: held.with_of_twin(GUARDIAN_KEYS, context.deployment.origin, twin, value))

    def drop_recovery(self, twin: int) -> Receipt | None:
        """Have no recovery package any more; None if there was none. May be called again after a crash.

        Raises:
            AccessDeniedError: this key does not own the twin.
        """
        context, view = self._context, self._context.view()
        context.require_owner(twin, view)
        context.key.update(lambda held: held.with_of_twin(GUARDIAN_KEYS, context.deployment.origin, twin, None))
        card = view.card(twin)
        if card is None or card.recovery == ZERO_DIGEST:
            return None
        return self.change_card(twin, card, recovery=ZERO_DIGEST, recovery_version=card.recovery_version + 1)

    def renew_recovery(self, twin: int) -> Receipt | None:
        """Make the package anew, for the guardians that the key file remembers; None if there are none.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError: the twin has no card yet.
            IntegrityError: a guardian's key is none.
        """
        context = self._context
        guardians, view = self.guardian_keys(twin), context.view()
        context.require_owner(twin, view)
        if guardians is None:
            return None
        roster, card = self.roster(twin), view.card(twin)
        assert card is not None, "a roster stands in a card"
        secrets = context.key.secrets.twin(context.deployment.origin, twin)
        keys = [each.key for each in guardians.people]
        version = card.recovery_version + 1
        package = seal_recovery(context.deployment, roster, keys, guardians.needed, secrets, version)
        cid = context.store.put(package.encode(), "dag-cbor")
        receipt = self.change_card(twin, card, recovery=cid.digest, recovery_version=version)
        value = [guardians.needed, [[each.address, each.key] for each in guardians.people], package.package]
        context.key.update(lambda held: held.with_of_twin(GUARDIAN_KEYS, context.deployment.origin, twin, value))
        return receipt

    def keep_recovery(self, twin: int) -> Receipt | None:
        """Make the package anew if it is behind, or not to be had; None if there is nothing to do. Raises as
        `renew_recovery`."""
        if self.guardian_keys(twin) is None:
            return None
        try:
            state = self.recovery(twin)
        except (IntegrityError, BlockMissingError):
            state = None
        return self.renew_recovery(twin) if state is None or state.behind else None

    def recovery(self, twin: int) -> RecoveryState | None:
        """How the twin's recovery package stands; None if its present card names none.

        Raises:
            UnreachableError: the store does not have it.
            IntegrityError: it is not what the card says.
        """
        context = self._context
        view = context.view()
        card, owner = view.card(twin), view.owner(twin)
        if card is None or owner is None or card.recovery == ZERO_DIGEST:
            return None
        package = self._package(view.cards(twin)[-1])
        return RecoveryState(
            package.version,
            package.generation,
            (package.guardians_needed, len(package.guardians)),
            (package.custodians_needed, len(package.custodians)),
            tuple(self._behind(twin, package, card)) if owner == context.key.address else (),
        )

    def _behind(self, twin: int, package: RecoveryPackage, card: Card) -> Iterator[str]:
        held, deployment = self._context.key.secrets, self._context.deployment.origin
        if held.has_twin(deployment, twin) and package.generation < held.twin(deployment, twin).latest:
            yield f"it ends with generation {package.generation}"
        if package.roster != card.roster_version:
            yield "the roster has changed"
        remembered = held.of_twin(GUARDIAN_KEYS, deployment, twin)
        if remembered is not None and (remembered[2] != package.package or self._chosen_others(twin, remembered)):
            yield "the guardians have changed"

    def _chosen_others(self, twin: int, remembered: list[Any]) -> bool:
        """Whether the twin's guardians on the ledger, if it has any, are others than the package is for."""
        context = self._context
        digest = context.view().state(twin).guardians
        if digest == ZERO_DIGEST:
            return False
        known = opening(context.key.secrets, context.deployment, twin, digest)
        wanted = remembered[0], {address for address, _ in remembered[1]}
        return known is None or (known.needed, set(known.addresses)) != wanted

    def _package(self, record: CardRecord) -> RecoveryPackage:
        cid = CID(record.card.recovery)
        with blaming(record.owner, cid):
            package = RecoveryPackage.decode(self._context.deployment, self._context.store.get(cid))
            if (package.owner, package.version) != (record.owner, record.card.recovery_version):
                raise IntegrityError("a twin card names a recovery package of another owner or version")
        return package

    def _newest_package(self, twin: int) -> tuple[CardRecord, RecoveryPackage]:
        """The newest package that an owner of the twin left, and the card that names it: each owner's last card says
        whether it left one."""
        last = {record.owner: record for record in self._context.view().cards(twin)}
        for record in reversed(last.values()):
            if record.card.recovery != ZERO_DIGEST:
                package = self._package(record)
                if package.twin != twin:
                    raise IntegrityError("a twin card names another twin's recovery package", party=record.owner)
                return record, package
        raise CannotCheckError(
            f"Twin {twin} has no recovery package.", hint="A backup of its owner's key file is the other way."
        )

    # a guardian gives ----------------------------------------------------------------------------------------

    def guardian_share(self, acceptance: Acceptance) -> GuardianShare:
        """As a guardian, one's share of the newest package, sealed to whoever the twin goes to.

        Raises:
            CannotCheckError: there is no package, or this key has no share of it.
            IntegrityError: the recipient did not sign the key that it names, or the owner sealed something else.
        """
        context, twin = self._context, acceptance.twin
        acceptance.verify_key(context.deployment)
        _, package = self._newest_package(twin)
        number, share = package.open_as_guardian(context.key.secrets.seal_keys)
        bare = GuardianShare(twin, package.package, context.key.address, acceptance.to, number, b"")
        given = bare.of(context.deployment, acceptance.key, share)
        return replace(given, signature=context.key.sign_digest(given.to_sign(context.deployment)))
