"""Recovering a twin's secrets: what its owner prepares, what a guardian gives, what a new owner puts together.

The owner seals a recovery package to its guardians and the custodians of its roster, and names it in the twin card. It
is made anew whenever what it holds, or who holds it, changes. When guardians have moved the twin to another key, each
of them seals its share to that key, and custodians give theirs to the twin's present owner alone; m of the ones and t
of the others open the package. Whoever gives another share than it was given is named.

Warning: guardians and custodians together, m of the ones and t of the others, open all that the package holds.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import encoding
from ..crypto import merkle, seal
from ..custody import RELEASE_CONTEXT, ReadRequest, RecoveryHeader, SealedShare
from ..encoding import CID
from ..errors import AccessDeniedError, CannotCheckError, DtledgerError, InputError, IntegrityError, UnreachableError
from ..keys.secrets import GUARDIAN_KEYS
from ..ledger import Receipt
from ..ledger.events import Card
from ..ledger.records import CardRecord
from ..snapshots.asking import Asking, check_receipt
from ..snapshots.blame import blaming
from ..snapshots.recovery import RecoveryPackage, seal_recovery
from ..snapshots.roster import Roster
from ..store import BlockMissingError
from ..types import ZERO_DIGEST, Address
from ..vocabulary import Action, Purpose
from .context import Context
from .guardian_shares import Guardian, GuardianKeys, GuardianShare
from .handover import Acceptance
from .moving import keep_given


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery did. `faults` are guardians and custodians that gave nothing, or something wrong."""

    generation: int
    faults: dict[Address, DtledgerError]


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
        held = context.key.secrets.of_twin(GUARDIAN_KEYS, context.deployment.id, twin)
        if held is None:
            return None
        needed, rows, _ = held
        return GuardianKeys(needed, tuple(Guardian(encoding.address(address), key) for address, key in rows))

    def set_recovery(self, twin: int, guardians: GuardianKeys) -> Receipt:
        """Seal a recovery package to these guardians and the custodians in force, and name it in the card. May be
        called again after a crash. Raises as `renew_recovery`."""
        context = self._context
        rows = [[each.address, each.key] for each in guardians.people]
        value = [guardians.needed, rows, b""]
        context.key.update(lambda held: held.with_of_twin(GUARDIAN_KEYS, context.deployment.id, twin, value))
        receipt = self.renew_recovery(twin)
        assert receipt is not None, "there are guardians now"
        return receipt

    def renew_recovery(self, twin: int) -> Receipt | None:
        """Make the package anew, for the guardians that the key file remembers; None if there are none.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError: the twin has no card yet.
            IntegrityError: a guardian's key is none.
        """
        context = self._context
        guardians, view = self.guardian_keys(twin), context.view()
        if view.owner(twin) != context.key.address:
            raise AccessDeniedError(f"Twin {twin} is not owned by this key.", hint="Choose the owner's with --key.")
        if guardians is None:
            return None
        roster, card = self.roster(twin), view.card(twin)
        assert card is not None, "a roster stands in a card"
        secrets = context.key.secrets.twin(context.deployment.id, twin)
        keys = [each.key for each in guardians.people]
        version = card.recovery_version + 1
        package = seal_recovery(context.deployment, roster, keys, guardians.needed, secrets, version)
        cid = context.store.put(package.encode(), "dag-cbor")
        receipt = self.change_card(twin, card, recovery=cid.digest, recovery_version=version)
        value = [guardians.needed, [[each.address, each.key] for each in guardians.people], package.package]
        context.key.update(lambda held: held.with_of_twin(GUARDIAN_KEYS, context.deployment.id, twin, value))
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
        held, deployment = self._context.key.secrets, self._context.deployment.id
        if held.has_twin(deployment, twin) and package.generation < held.twin(deployment, twin).latest:
            yield f"it ends with generation {package.generation}"
        if package.roster != card.roster_version:
            yield "the roster has changed"
        remembered = held.of_twin(GUARDIAN_KEYS, deployment, twin)
        if remembered is not None and remembered[2] != package.package:
            yield "the guardians have changed"

    def _package(self, record: CardRecord) -> RecoveryPackage:
        cid = CID(record.card.recovery)
        with blaming(record.owner, cid):
            package = RecoveryPackage.decode(self._context.deployment, self._context.store.get(cid))
            if (package.owner, package.version) != (record.owner, record.card.recovery_version):
                raise IntegrityError("a twin card names a recovery package of another owner or version")
        return package

    def _newest_package(self, twin: int) -> tuple[CardRecord, RecoveryPackage]:
        """The newest package that any owner of the twin made, and the card that names it."""
        for record in reversed(self._context.view().cards(twin)):
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

    # the new owner recovers ----------------------------------------------------------------------------------

    def recover(self, twin: int, given: Iterable[GuardianShare]) -> Recovered:
        """As the twin's new owner, put its secrets together, keep them, and begin the next generation; the card is set
        then (`set_up`). May be called again after a crash.

        Raises:
            AccessDeniedError: this key does not own the twin.
            CannotCheckError: too few guardians or custodians gave their shares; `.evidence["faults"]` says what ails
                each of the others.
            InputError: this key drew secrets of its own for the twin.
            IntegrityError: the owner before lied in the package.
        """
        context = self._context
        if context.view().owner(twin) != context.key.address:
            raise AccessDeniedError(
                f"Twin {twin} is not owned by this key.", hint="Its guardians move it first; then it recovers."
            )
        record, package = self._newest_package(twin)
        faults: dict[Address, DtledgerError] = {}
        guardians = self._from_guardians(package, given, faults)
        if len(guardians) < package.guardians_needed:
            raise _too_few("guardians", package.guardians_needed, len(guardians), twin, faults)
        custodians = self._from_custodians(package, faults)
        if len(custodians) < package.custodians_needed:
            raise _too_few("custodians", package.custodians_needed, len(custodians), twin, faults)
        secrets = package.open(guardians, custodians)
        if secrets.bits.root != record.card.bits:
            raise IntegrityError("a recovery package holds other bits than the card commits to", party=record.owner)
        return Recovered(keep_given(context, twin, secrets).latest, faults)

    def _from_guardians(
        self, package: RecoveryPackage, given: Iterable[GuardianShare], faults: dict[Address, DtledgerError]
    ) -> dict[int, bytes]:
        context = self._context
        found: dict[int, bytes] = {}
        for each in given:
            try:
                if (each.twin, each.package, each.to) != (package.twin, package.package, context.key.address):
                    raise InputError(f"The share of {each.guardian} is of another package, or for another key.")
                share = each.open(context.deployment, context.key.secrets.seal_keys)
                with blaming(each.guardian):
                    found[each.number] = package.check("GUARDIAN", each.number, share)
            except DtledgerError as error:
                faults[each.guardian] = error
        return found

    def _from_custodians(self, package: RecoveryPackage, faults: dict[Address, DtledgerError]) -> dict[int, bytes]:
        """One signed request to each custodian that has a share."""
        context, one_use = self._context, seal.SealKey.generate()
        me, at = context.key.address, context.clock()
        asking = Asking(context.key, me, 0, Action.READ, Purpose.PATRQT, at)
        unsigned = ReadRequest(
            package.twin,
            me,
            0,
            Action.READ,
            Purpose.PATRQT,
            (package.package,),
            one_use.public,
            random.token_bytes(32),
            at,
        )
        request = unsigned.signed(context.key.sign_digest(unsigned.to_sign(context.deployment)))
        root = merkle.root(request.digests)
        found: dict[int, bytes] = {}
        for number, part in enumerate(package.custodians, start=1):
            assert part.custodian is not None
            try:
                port = context.custodians.get(part.custodian)
                if port is None:
                    raise UnreachableError(f"The custodian {part.custodian} is not known to this profile.")
                release = port.open_recovery(request, SealedShare(package.package, part.sealed, part.hash))
                with blaming(part.custodian):
                    check_receipt(context.deployment, part.custodian, asking, request, root, release)
                    opened = seal.open_(one_use, release.sealed, RELEASE_CONTEXT)
                    found[number] = package.check("RECOVERY", number, RecoveryHeader.decode(opened, "RECOVERY")[1])
            except DtledgerError as error:
                faults[part.custodian] = error
        return found


def _too_few(who: str, needed: int, there: int, twin: int, faults: Mapping[Address, DtledgerError]) -> CannotCheckError:
    return CannotCheckError(
        f"{needed} {who} are needed to recover twin {twin}, and {there} gave their share.",
        hint="Ask the others, or again.",
        faults=dict(faults),
    )
