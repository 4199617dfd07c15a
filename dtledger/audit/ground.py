"""The claims that every other one stands on:

- **chain**: the head is the one that the auditor pinned or, on a chain that is looked at whole, the one that their node
  has, from which a line of parents leads to the deployment's genesis; and the contracts carry that genesis in their
  code. Whoever makes a file can make a chain too, from the true genesis on: a head that the file alone names is none.
- **deployment**: the contracts are those that the auditor knows. It is made where what is audited says itself which
  they are, as a file does: anybody can put the same code on the same chain, and nothing was ever consented to there.
- **code**: of each contract, the code on the chain is that of this package's sources, so that its storage lies where
  the layout says, and what was built into it are this genesis, this chain and the others of these contracts.
- **bundle**: what an audit is made from, if from a file, has nothing in it that no claim needs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache, partial

from .._backend.runtimes import Runtime, shipped
from ..encoding import keccak
from ..errors import CannotCheckError, IntegrityError
from ..ledger import CONTRACTS, Deployment
from ..ledger.messages import domain, word
from ..types import Address, Digest
from .chain import Chain
from .claims import Claim, checked

_SALTED = ("MemberRegistry", "TwinRegistry", "ConsentRegistry", "SnapshotLedger")
"""The contracts whose code has the genesis hash in it, as the salt of what people sign."""

_ASKED = {"ConsentRegistry": ("MemberRegistry", "TwinRegistry"), "ModelLedger": ("MemberRegistry",)}
"""Which contracts one asks, whose addresses are in its code."""

_LONGEST = 2**40
"""What else is in code are spans of time, each shorter than so many seconds."""


class Ground:
    """Args:
    expected: each contract's runtime, as its sources compile; by default as this package ships it.
    known: the deployment as the auditor knows it, if not from what is audited.
    """

    def __init__(
        self,
        chain: Chain,
        deployment: Deployment,
        expected: Mapping[str, Runtime] | None = None,
        known: Deployment | None = None,
    ) -> None:
        self._chain = chain
        self._deployment = deployment
        self._expected = expected or shipped()
        self._whose = "the sources make them" if expected else "this package ships them"
        self._known = known

    def claims(self) -> Iterator[Claim]:
        yield checked("chain", "the chain", self._identity)
        if self._known is not None or not self._chain.is_own:
            yield checked("deployment", "the contracts", self._is_known)
        for contract in CONTRACTS:
            yield checked("code", contract, partial(self._code, contract))

    def _identity(self) -> str:
        chain, genesis = self._chain, self._deployment.genesis
        for contract in filter(self._is_salted, CONTRACTS):
            if chain.code(contract).find(genesis) < 0:
                raise IntegrityError(f"{contract} was made for another chain than that of genesis 0x{genesis.hex()}")
        if chain.is_whole and chain.header(0).hash != genesis:
            raise IntegrityError(
                f"the chain begins with 0x{chain.header(0).hash.hex()}, not with 0x{genesis.hex()}",
                block=genesis.hex(),
            )
        if not chain.is_named:
            raise CannotCheckError(
                "Nobody pinned the head, and a file can be made of any chain: see at a node that you trust whether "
                f"block {chain.head.number} is 0x{chain.head.hash.hex()}, and give that hash with --head, or let the "
                "profile's node say it with --online."
            )
        if not chain.is_pinned and not chain.is_whole:
            raise CannotCheckError("Nobody has pinned the head, and not every block back to the genesis is looked at.")
        how = "pinned" if chain.is_pinned else "as its node has it"
        length = ", every block back to the genesis linked" if chain.is_whole else ""
        return f"head {chain.head.number}, 0x{chain.head.hash.hex()}, {how}{length}"

    def _is_salted(self, contract: str) -> bool:
        """The SnapshotLedger of old sources takes nothing signed, and has nothing built in."""
        return contract in _SALTED and bool(self._expected[contract].immutables)

    def _is_known(self) -> str:
        said, known = self._deployment, self._known
        if known is None:
            raise CannotCheckError(
                f"Nobody said which contracts are the right ones: name yours with --deployment FILE. These are "
                f"{said.id}, with the ConsentRegistry {said.contracts['ConsentRegistry']}."
            )
        if (known.chain_id, known.genesis) != (said.chain_id, said.genesis):
            raise CannotCheckError(f"It is of {said.id}, and you know {known.id}, which is on another chain.")
        other = [name for name in CONTRACTS if known.contracts.get(name) != said.contracts[name]]
        if other:
            raise IntegrityError(f"it has another {', '.join(other)} than the deployment that you know, {known.id}")
        if _before(known) != _before(said):
            raise IntegrityError(f"it comes after other deployments than the one that you know, {known.id}")
        return f"those of {known.id}, as you know it"

    def _code(self, contract: str) -> str:
        code, account = self._chain.code(contract), self._chain.account(contract)
        if keccak(code) != account.code_hash:
            raise IntegrityError("the code that is shown is not the account's")
        if self._deployment.code.get(contract, account.code_hash) != account.code_hash:
            raise IntegrityError("the code is not what the deployment's record says")
        if not self._expected[contract].matches(code):
            raise IntegrityError("the code is not that of the sources")
        self._require_built_in(contract, code)
        return f"{len(code):,} bytes at {self._deployment.contracts[contract]}, as {self._whose}"

    def _require_built_in(self, contract: str, code: bytes) -> None:
        """Pass if each immutable is one value, which is the deployment's or a span of time."""
        said, filled = self._deployment, self._expected[contract].filled(code)
        needed = {word(said.contracts[each]) for each in _ASKED.get(contract, ())}
        if said.predecessor is not None and contract == "TwinRegistry":
            needed.add(word(said.predecessor.contracts[contract]))
        if said.predecessor is not None and contract == "ConsentRegistry":
            needed.add(word(said.contracts["CarriedConsents"]))
        if self._is_salted(contract):
            needed |= {said.genesis, word(said.chain_id), domain(said, contract)}
        found = set().union(*filled)
        foreign = [each for each in found - needed if int.from_bytes(each) >= _LONGEST]
        if any(len(each) != 1 for each in filled) or foreign or needed - found:
            raise IntegrityError("what was built into the code is not of this deployment")


def _before(deployment: Deployment) -> list[list[Address]]:
    """The contracts of each deployment before one, the newest first."""
    before = deployment.predecessor
    return [[before.contracts[name] for name in CONTRACTS], *_before(before)] if before else []


@cache
def source_digests() -> dict[str, Digest]:
    """Contract → SHA-256 of its runtime code, immutables blank, as this package ships it: which sources a bundle was
    made by."""
    return {name: Digest(hashlib.sha256(runtime.code).digest()) for name, runtime in shipped().items()}
