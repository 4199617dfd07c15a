"""A custodian over HTTP: `CustodianPort` by requests to `dtledger custodian serve`, and who is at which address.

Nothing that it answers is believed for being its answer: keys, receipts, releases and letters are signed, and whoever
asks checks them. An answer that cannot be read is the custodian's fault, and an `IntegrityError` that names it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..custody import (
    AccessReceipt,
    CustodianIdentity,
    Destruction,
    Letter,
    LettersRequest,
    OwnerRequest,
    Probe,
    ProbeReply,
    ReadRequest,
    ReceiptProof,
    Release,
    RetireOrder,
    SealedShare,
    TwinKey,
    wire,
)
from ..custody.identity import NONCE_BYTES
from ..errors import IntegrityError
from ..ledger import Deployment
from ..types import Address, Digest
from .http_link import HttpLink, in_time

__all__ = ["HttpCustodian", "identify"]

T = TypeVar("T")


def identify(url: str, deployment: Deployment, timeout: float = 10.0) -> CustodianIdentity:
    """Who answers at `url`, as it signs for a number drawn now.

    Raises:
        UnreachableError: nobody answers.
        IntegrityError: it is no custodian, one of another deployment, or signed by nobody.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    link = HttpLink(url, "A custodian", timeout)
    try:
        return wire.decode_identity(link.get(f"/v1/identity/{nonce.hex()}")).verify(deployment, nonce)
    finally:
        link.close()


class HttpCustodian:
    """The custodian of that address, at that URL. `timeout` is in seconds, for each wait for it."""

    distant = True

    def __init__(self, url: str, address: Address, timeout: float = 10.0) -> None:
        self._address = address
        self._who = f"The custodian {address}"
        self._link = HttpLink(url, self._who, timeout)

    def __repr__(self) -> str:
        return f"HttpCustodian({self._address})"

    @property
    def address(self) -> Address:
        return self._address

    def close(self) -> None:
        self._link.close()

    def twin_key(self, request: OwnerRequest) -> TwinKey:
        return self._ask("/v1/twin-key", wire.encode_owner_request(request), wire.decode_twin_key)

    def open(self, request: ReadRequest, shares: Sequence[SealedShare]) -> Release:
        return self._read(self._link.post("/v1/open", wire.encode_read(request, shares)), wire.decode_release)

    def open_recovery(self, request: ReadRequest, share: SealedShare) -> Release:
        return self._ask("/v1/recovery", wire.encode_read(request, [share]), wire.decode_release)

    def receipts(self, request: OwnerRequest) -> list[AccessReceipt]:
        return self._each("/v1/receipts", request, lambda data: wire.decode_list(data, AccessReceipt.decode))

    def digests(self, request: OwnerRequest) -> list[tuple[Digest, ...]]:
        return self._each("/v1/digests", request, wire.decode_digests)

    def probe(self, probe: Probe) -> ProbeReply:
        return self._ask("/v1/probe", wire.encode_probe(probe), ProbeReply.decode)

    def destroy(self, request: OwnerRequest) -> Destruction:
        return self._ask("/v1/destroy", wire.encode_owner_request(request), Destruction.decode)

    def retire(self, order: RetireOrder) -> Destruction:
        return self._ask("/v1/retire", wire.encode_retire_order(order), Destruction.decode)

    def receipt_proof(self, request: OwnerRequest) -> ReceiptProof | None:
        body = wire.encode_owner_request(request)
        proofs = self._ask("/v1/receipt-proof", body, lambda data: wire.decode_list(data, ReceiptProof.decode))
        return proofs[0] if proofs else None

    def leave(self, letter: Letter) -> None:
        in_time(lambda: self._link.post("/v1/letters/leave", letter.encode()), self._who)

    def letters(self, request: LettersRequest) -> list[Letter]:
        body = wire.encode_letters_request(request)
        return self._ask("/v1/letters", body, lambda data: wire.decode_list(data, Letter.decode))

    def _each(self, path: str, request: OwnerRequest, decode: Callable[[bytes], list[T]]) -> list[T]:
        """What there is beside each receipt, from the first on."""
        found: list[T] = []
        body = wire.encode_owner_request(request)
        while True:
            some = self._ask(f"{path}/{len(found)}", body, decode)
            found += some
            if len(some) < wire.RECEIPTS:
                return found

    def _ask(self, path: str, body: bytes, decode: Callable[[bytes], T]) -> T:
        """In time: who asks one custodian after the other, as owners do, must not wait for ever for one of them."""
        return self._read(in_time(lambda: self._link.post(path, body), self._who), decode)

    def _read(self, answer: bytes, decode: Callable[[bytes], T]) -> T:
        try:
            return decode(answer)
        except IntegrityError as error:
            error.party = self._address
            raise
