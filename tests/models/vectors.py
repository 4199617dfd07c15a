"""The fixed vectors of `dtledger.models`, made by the naive implementation."""

from __future__ import annotations

from typing import Any

from tests.crypto.vectors import some_bytes
from tests.models import naive

DEPLOYMENT = "31337-0123456789abcdef-89abcdef"
SITE = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
ORGANISATION = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"


def consents() -> dict[str, Any]:
    """One site's round: twins under grants of the site and of its organisation, of two generations."""
    rows = [(7, 0, SITE), (8, 0, SITE), (9, 1, SITE), (2**32, 0, ORGANISATION), (2**64 - 1, 2**32 - 1, ORGANISATION)]
    twins = []
    for twin, generation, grantee in rows:
        secret = some_bytes(f"twin secret {twin}")
        link = naive.link_key(secret, generation, twin, grantee)
        made = naive.leaf(link, DEPLOYMENT, 3, 2, SITE, twin)
        fields = {"twin": twin, "generation": generation, "grantee": grantee}
        twins.append({**fields, "secret": secret.hex(), "link": link.hex(), "leaf": made.hex()})
    leaves = [bytes.fromhex(each["leaf"]) for each in twins]
    salt = some_bytes("salt")
    return {
        "deployment": DEPLOYMENT,
        "model": 3,
        "round": 2,
        "site": SITE,
        "twins": twins,
        "roots": [naive.root(leaves[:count]).hex() for count in range(1, len(leaves) + 1)],
        "block": naive.block(leaves).hex(),
        "salt": salt.hex(),
        "updates": [
            {"length": length, "commitment": naive.commitment(salt, some_bytes("update", length)).hex()}
            for length in (0, 1, 64, 100_000)
        ],
    }


FILES = {"consents.json": consents}
