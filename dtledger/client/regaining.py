"""Regaining a twin's secrets: a new owner puts together what m guardians and t custodians give it.

Whoever gives another share than it was given is named, and the others' are enough if they are as many as it takes.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..crypto import merkle, seal
from ..custody import RELEASE_CONTEXT, ReadRequest, RecoveryHeader, SealedShare
from ..errors import AccessDeniedError, CannotCheckError, DtledgerError, InputError, IntegrityError
from ..snapshots.asking import Asking, check_receipt
from ..snapshots.blame import blaming
from ..snapshots.recovery import RecoveryPackage
from ..types import ZERO_DIGEST, Address
from ..vocabulary import Action, Purpose
from .guardian_shares import GuardianShare
from .moving import keep_given
from .recovery import Recovering


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery did. `faults` are guardians and custodians that gave nothing, or something wrong."""

    generation: int
    faults: dict[Address, DtledgerError]


class Regaining(Recovering):
    """The part of `Twins` that puts a twin's secrets together again."""

    def is_recoverable(self, twin: int) -> bool:
        """Whether an owner before this one left a recovery package, and this key has no secrets of the twin."""
        context = self._context
        last = {record.owner: record.card for record in context.view().cards(twin)}
        left = any(card.recovery != ZERO_DIGEST for owner, card in last.items() if owner != context.key.address)
        return left and not context.key.secrets.has_twin(context.deployment.origin, twin)

    def is_regained(self, twin: int) -> bool:
        """Whether this key has the secrets that an owner before it committed to."""
        context, deployment = self._context, self._context.deployment.origin
        if not context.key.secrets.has_twin(deployment, twin):
            return False
        root = context.key.secrets.twin(deployment, twin).bits.root
        return any(
            record.card.bits == root and record.owner != context.key.address for record in context.view().cards(twin)
        )

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
                port = context.custodian(part.custodian)
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
