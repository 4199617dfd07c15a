"""What goes by file between an owner and its guardians: who they are, and what several of them sign.

    {"schema": "dtledger/guardians/1", "deployment", "twin", "needed", "guardians": [address …], "salt"}
    {"schema": "dtledger/guardian-act/1", the same, "act", "counter", "deadline", "to", "signatures", "recipient",
     "key", "key_signature", "shares": {guardian: {"package", "number", "sealed", "signature"}}}

Shares are sealed to the new key alone. Nobody need keep the first secret from the guardians; whoever else has it knows
who they are.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from ...errors import InputError
from ..app import App
from .documents import document_bytes, hex_bytes, read_document

if TYPE_CHECKING:
    from ...client import GuardianAct, GuardianShare
    from ...ledger.guardians import Guardians
    from ...types import Address

OPENING, ACT = "dtledger/guardians/1", "dtledger/guardian-act/1"


def opening_bytes(app: App, twin: int, guardians: Guardians) -> bytes:
    """What an owner gives to each of its guardians."""
    return document_bytes(OPENING, **_opening(app, twin, guardians))


def act_bytes(app: App, act: GuardianAct) -> bytes:
    """What goes from one guardian to the next."""
    return document_bytes(
        ACT,
        **_opening(app, act.twin, act.guardians),
        act=act.kind,
        counter=act.counter,
        deadline=act.deadline,
        to=act.to,
        signatures={each.guardian: "0x" + each.signature.hex() for each in act.signatures},
        recipient="0x" + act.recipient.hex(),
        key=base64.b64encode(act.key).decode(),
        key_signature="0x" + act.key_signature.hex(),
        shares={each.guardian: _share_fields(each) for each in act.shares},
    )


def read_opening(app: App, path: Path) -> tuple[int, Guardians]:
    """Twin and guardians of an owner's file.

    Raises:
        InputError: it cannot be read, is none, or is for another deployment.
    """

    def parse(document: Any) -> tuple[int, Guardians]:
        return _number(document["twin"]), _guardians(document)

    none = InputError(
        f"{path} is no file of guardians.", hint="The owner writes one: dtledger twin guardians show --out FILE"
    )
    return read_document(path, OPENING, app.client.context.deployment.origin, parse, none)


def read_act(app: App, path: Path) -> GuardianAct:
    """What guardians are about to do. Raises as `read_opening`."""
    from ...client import GuardianAct
    from ...client.guardian_acts import Kind
    from ...encoding import address
    from ...ledger.guardians import GuardianSignature

    def parse(document: Any) -> GuardianAct:
        if document["act"] not in get_args(Kind) or (document["to"] is None) is (document["act"] == "AnnounceMove"):
            raise ValueError("no act of guardians")
        signed = [GuardianSignature(address(who), hex_bytes(text)) for who, text in document["signatures"].items()]
        return GuardianAct(
            kind=document["act"],
            twin=_number(document["twin"]),
            counter=_number(document["counter"]),
            deadline=_number(document["deadline"]),
            guardians=_guardians(document),
            to=None if document["to"] is None else address(document["to"]),
            signatures=tuple(sorted(signed, key=lambda each: int(each.guardian, 16))),
            recipient=hex_bytes(document["recipient"]),
            key=base64.b64decode(document["key"], validate=True),
            key_signature=hex_bytes(document["key_signature"]),
            shares=tuple(_share(document, address(who), fields) for who, fields in document["shares"].items()),
        )

    none = InputError(f"{path} is nothing that guardians sign.", hint="The first of them begins it: --guardians FILE")
    return read_document(path, ACT, app.client.context.deployment.origin, parse, none)


def _share_fields(share: GuardianShare) -> dict[str, Any]:
    return {
        "package": "0x" + share.package.hex(),
        "number": share.number,
        "sealed": base64.b64encode(share.sealed).decode(),
        "signature": "0x" + share.signature.hex(),
    }


def _share(document: Any, guardian: Address, fields: Any) -> GuardianShare:
    from ...client import GuardianShare
    from ...encoding import address
    from ...types import Digest

    return GuardianShare(
        _number(document["twin"]),
        Digest(hex_bytes(fields["package"])),
        guardian,
        address(document["to"]),
        _number(fields["number"]),
        base64.b64decode(fields["sealed"], validate=True),
        hex_bytes(fields["signature"]),
    )


def _opening(app: App, twin: int, guardians: Guardians) -> dict[str, Any]:
    return {
        "deployment": app.client.context.deployment.origin,
        "twin": twin,
        "needed": guardians.needed,
        "guardians": list(guardians.addresses),
        "salt": "0x" + guardians.salt.hex(),
    }


def _guardians(document: Any) -> Guardians:
    from ...encoding import address
    from ...ledger.guardians import Guardians

    salt = hex_bytes(document["salt"])
    if len(salt) != 32:
        raise ValueError("a salt has 32 bytes")
    return Guardians.of(_number(document["needed"]), [address(each) for each in document["guardians"]], salt)


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**256:
        raise ValueError("not a number")
    return value
