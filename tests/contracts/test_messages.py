"""What people sign is what another implementation of EIP-712 makes of it: `TypedData.t.sol` says so of the contracts,
and this of `dtledger.ledger.messages`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dtledger.encoding import address
from dtledger.ledger import calls, guardians, messages, signed
from dtledger.ledger.events import Card
from dtledger.ledger.port import CONTRACTS, Deployment
from dtledger.policy import Grant
from dtledger.types import Digest, Period
from tests import vectors
from tests.contracts.vectors import FUNCTIONS

FILE = vectors.load("eip712.json")
HERE = Deployment(
    chain_id=FILE["chainId"],
    genesis=Digest(bytes.fromhex(FILE["genesis"][2:])),
    contracts=dict.fromkeys(CONTRACTS, address(FILE["contract"])),
)


def plain(value: Any) -> Any:
    """A message's values as Python's: bytes, addresses, and terms as a `Grant`."""
    if isinstance(value, list):
        return tuple(plain(each) for each in value)
    if isinstance(value, dict):
        return terms(value) if "dataFrom" in value else {name: plain(each) for name, each in value.items()}
    if isinstance(value, str):
        return address(value) if len(value) == 42 else Digest(bytes.fromhex(value[2:]))
    return value


def terms(message: dict[str, int]) -> Grant:
    return Grant(
        categories=message["categories"],
        purposes=message["purposes"],
        not_before_at=message["notBeforeAt"],
        expires_at=message["expiresAt"],
        data=Period(message["dataFrom"], message["dataUntil"]),
        actions=message["actions"],
    )


def rows(make: type[Any], values: tuple[dict[str, Any], ...]) -> tuple[Any, ...]:
    return tuple(make(**value) for value in values)


def carried(row: dict[str, Any]) -> signed.CarriedGrant:
    return signed.CarriedGrant(**{**row, "grant": Grant.unpack(row["grant"])})


MAKERS: dict[str, Callable[[dict[str, Any]], Digest]] = {
    "MemberCard": lambda m: messages.member_card(HERE, calls.MemberCard(**m)),
    "Agreement": lambda m: messages.agreement(HERE, *m.values()),
    "Keyring": lambda m: messages.keyring(HERE, *m.values()),
    "AnchorBatch": lambda m: messages.anchor_batch(HERE, *m.values()),
    "Mint": lambda m: messages.mint(HERE, *m.values()),
    "SetCard": lambda m: messages.set_card(HERE, m["twin"], m["previous"], Card(*m["card"].values()), m["deadline"]),
    "Move": lambda m: messages.move(HERE, *m.values()),
    "AnnounceRetirement": lambda m: messages.announce_retirement(HERE, *m.values()),
    "CancelRetirement": lambda m: messages.cancel_retirement(HERE, *m.values()),
    "Guardians": lambda m: messages.typed_digest(HERE, "TwinRegistry", guardians.Guardians(**m).digest),
    "SetGuardians": lambda m: guardians.set_guardians(HERE, *m.values()),
    "Freeze": lambda m: guardians.counted(HERE, "Freeze", *m.values()),
    "Unfreeze": lambda m: guardians.counted(HERE, "Unfreeze", *m.values()),
    "AnnounceMove": lambda m: guardians.announce_move(HERE, *m.values()),
    "VetoMove": lambda m: guardians.counted(HERE, "VetoMove", *m.values()),
    "RescueTwin": lambda m: guardians.counted(HERE, "RescueTwin", *m.values()),
    "Depart": lambda m: messages.depart(
        HERE, m["twin"], m["successor"], messages.carried(map(carried, m["grants"])), m["counter"], m["deadline"]
    ),
    "Grant": lambda m: messages.grant(HERE, signed.SignedGrant(**m)),
    "GrantMany": lambda m: messages.grant_many(
        HERE, signed.SignedGrantMany(**{**m, "recipients": rows(signed.SignedRecipient, m["recipients"])})
    ),
    "Revoke": lambda m: messages.revoke(HERE, signed.SignedRevoke(**m)),
    "RevokeMany": lambda m: messages.revoke_many(
        HERE, signed.SignedRevokeMany(**{**m, "slots": rows(signed.SignedSlot, m["slots"])})
    ),
    "RevokeAll": lambda m: messages.revoke_all(
        HERE, signed.SignedRevokeAll(**{**m, "keep": rows(calls.Regrant, m["keep"])})
    ),
    "Block": lambda m: messages.block(HERE, *m.values()),
    "Unblock": lambda m: messages.unblock(HERE, *m.values()),
}


def test_every_message_has_its_vectors() -> None:
    assert {row["primaryType"] for row in FILE["messages"]} == MAKERS.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize("row", FILE["messages"], ids=lambda row: row["primaryType"])
def test_a_message_has_the_same_digest_everywhere(row: dict[str, Any]) -> None:
    assert MAKERS[row["primaryType"]](plain(row["message"])).hex() == row["digest"][2:]
