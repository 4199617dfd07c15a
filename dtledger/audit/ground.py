"""The claims that every other one stands on:

- **chain**: the head is the one that the auditor pinned or, on a chain that is looked at whole, a line of parents leads
  from it to the deployment's genesis; and the contracts carry that genesis in their code.
- **code**: of each contract, the code on the chain is that of this package's sources, so that its storage lies where
  the layout says.
- **bundle**: what an audit is made from, if from a file, has nothing in it that no claim needs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache, partial

from .._backend.sources import Runtime, shipped
from ..encoding import keccak
from ..errors import CannotCheckError, IntegrityError
from ..ledger import CONTRACTS, Deployment
from ..types import Digest
from .chain import Chain
from .claims import Claim, checked

_SALTED = ("MemberRegistry", "TwinRegistry", "ConsentRegistry")
"""The contracts whose code has the genesis hash in it, as the salt of what people sign."""


class Ground:
    """Args:
    expected: each contract's runtime; by default as this package ships it.
    """

    def __init__(self, chain: Chain, deployment: Deployment, expected: Mapping[str, Runtime] | None = None) -> None:
        self._chain = chain
        self._deployment = deployment
        self._expected = expected or shipped()

    def claims(self) -> Iterator[Claim]:
        yield checked("chain", "the chain", self._identity)
        for contract in CONTRACTS:
            yield checked("code", contract, partial(self._code, contract))

    def _identity(self) -> str:
        chain, genesis = self._chain, self._deployment.genesis
        for contract in _SALTED:
            if chain.code(contract).find(genesis) < 0:
                raise IntegrityError(f"{contract} was made for another chain than that of genesis 0x{genesis.hex()}")
        if chain.is_whole and chain.header(0).hash != genesis:
            raise IntegrityError(
                f"the chain begins with 0x{chain.header(0).hash.hex()}, not with 0x{genesis.hex()}",
                block=genesis.hex(),
            )
        if not chain.is_pinned and not chain.is_whole:
            raise CannotCheckError("Nobody has pinned the head, and the chain is too long to be looked at whole.")
        how = "pinned by you" if chain.is_pinned else "as its node has it"
        length = ", every block back to the genesis linked" if chain.is_whole else ""
        return f"head {chain.head.number}, 0x{chain.head.hash.hex()}, {how}{length}"

    def _code(self, contract: str) -> str:
        code, account = self._chain.code(contract), self._chain.account(contract)
        if keccak(code) != account.code_hash:
            raise IntegrityError("the code that is shown is not the account's")
        if self._deployment.code.get(contract, account.code_hash) != account.code_hash:
            raise IntegrityError("the code is not what the deployment's record says")
        if not self._expected[contract].matches(code):
            raise IntegrityError("the code is not that of the sources")
        return f"{len(code):,} bytes at {self._deployment.contracts[contract]}, as the sources make them"


@cache
def source_digests() -> dict[str, Digest]:
    """Contract → SHA-256 of its runtime code, immutables blank, as this package ships it: which sources a bundle was
    made by."""
    return {name: Digest(hashlib.sha256(runtime.code).digest()) for name, runtime in shipped().items()}
