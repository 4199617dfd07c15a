"""A signature is its signer's, for one message on one deployment. (That a message's digest is what EIP-712 says:
tests/contracts/test_messages.py, from vectors that forge reads too.)"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger.errors import IntegrityError
from dtledger.ledger import CONTRACTS, Deployment, messages
from dtledger.types import Digest
from tests.ledger.bench import digest, who

DEPLOYMENT = Deployment(31337, digest("a genesis block"), dict.fromkeys(CONTRACTS, who("carrier").address))


@pytest.mark.parametrize("changed", ["chain id", "genesis", "contract"])
def test_a_message_for_one_deployment_is_none_for_another(changed: str) -> None:
    other = Deployment(
        DEPLOYMENT.chain_id + (changed == "chain id"),
        digest("another genesis") if changed == "genesis" else DEPLOYMENT.genesis,
        dict.fromkeys(CONTRACTS, who("bob").address if changed == "contract" else DEPLOYMENT.contracts["TwinRegistry"]),
    )
    fields = (who("ann").address, 0, 10**9)
    assert messages.mint(other, *fields) != messages.mint(DEPLOYMENT, *fields)
    assert messages.mint(DEPLOYMENT, *fields) == messages.mint(DEPLOYMENT, *fields)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=65, max_size=65) | st.binary(max_size=80))
def test_a_signature_is_recovered_or_refused_whatever_its_bytes(text: bytes, signature: bytes) -> None:
    with suppress(IntegrityError):
        messages.signer(Digest(text), signature)
    assert messages.signer(Digest(text), who("ann").sign_digest(text)) == who("ann").address
