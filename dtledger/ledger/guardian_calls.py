"""The calls of a twin's guardians, and of its owner about them. Those of guardians carry the opening of the owner's
digest and their signatures over one message (see `dtledger.ledger.guardians`), and may be sent by anyone.

>>> complete_move(7).function
'completeMove'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

from ..types import Address, Digest
from .guardians import Guardians, GuardianSignature
from .port import Call

Signatures = Sequence[GuardianSignature]


def _call(function: str, *arguments: object) -> Call:
    return Call("TwinRegistry", function, arguments)


def _carried(guardians: Guardians, signatures: Signatures) -> tuple[object, object]:
    """As the contract takes them: addresses and signatures as lists. In ascending order they come already."""
    opening = (guardians.needed, list(guardians.addresses), guardians.salt)
    return opening, [astuple(each) for each in signatures]


def set_guardians(twin: int, guardians: Digest, recovery_delay: int) -> Call:
    """`guardians` is the digest of a `Guardians`, or zero for none, with no delay (seconds)."""
    return _call("setGuardians", twin, guardians, recovery_delay)


def set_guardians_signed(
    twin: int, guardians: Digest, recovery_delay: int, counter: int, deadline: int, signature: bytes
) -> Call:
    return _call("setGuardiansSigned", twin, guardians, recovery_delay, counter, deadline, signature)


def freeze(twin: int, counter: int, deadline: int, guardians: Guardians, signatures: Signatures) -> Call:
    return _call("freeze", twin, counter, deadline, *_carried(guardians, signatures))


def unfreeze(twin: int, counter: int, deadline: int, guardians: Guardians, signatures: Signatures) -> Call:
    return _call("unfreeze", twin, counter, deadline, *_carried(guardians, signatures))


def announce_move(
    twin: int,
    to: Address,
    counter: int,
    deadline: int,
    guardians: Guardians,
    signatures: Signatures,
    recipient: bytes,
) -> Call:
    """`recipient` is the signature of `to` over the same message; empty if it sends the call itself."""
    return _call("announceMove", twin, to, counter, deadline, *_carried(guardians, signatures), recipient)


def complete_move(twin: int) -> Call:
    return _call("completeMove", twin)


def veto_move(twin: int) -> Call:
    return _call("vetoMove", twin)


def veto_move_signed(twin: int, counter: int, deadline: int, signature: bytes) -> Call:
    return _call("vetoMoveSigned", twin, counter, deadline, signature)


def rescue_twin(twin: int, counter: int, deadline: int, guardians: Guardians, signatures: Signatures) -> Call:
    return _call("rescueTwin", twin, counter, deadline, *_carried(guardians, signatures))
