"""The endpoints of a custodian: one each of what `CustodianPort` can do. Bodies are canonical CBOR (`custody.wire`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Response

from ...custodian import Custodian
from ...custody import Letter, wire
from ...encoding import require_few
from ...errors import InputError, IntegrityError
from ..app import MOST_VALUES, Body, answer, cbor

__all__ = ["custodian_router"]

T = TypeVar("T")

_TAGS: dict[str, Any] = {"tags": ["custodian"]}


def custodian_router(custodian: Custodian) -> APIRouter:
    """The endpoints, over one custodian."""
    router = APIRouter()

    @router.get("/v1/identity/{nonce}", **_TAGS, **cbor("Who it is, signed for that number.", body=False))
    def identity(nonce: str) -> Response:
        return answer(wire.encode_identity(custodian.identify(_nonce(nonce))))

    @router.post("/v1/open", **_TAGS, **cbor("Open shares under consent.", "A receipt is written first."))
    def open_shares(body: Body) -> Response:
        request, shares = _read(wire.decode_read, body)
        return answer(wire.encode_release(custodian.open(request, shares)))

    @router.post("/v1/recovery", **_TAGS, **cbor("Open a share of a recovery package, for a twin's present owner."))
    def open_recovery(body: Body) -> Response:
        request, shares = _read(wire.decode_read, body)
        if len(shares) != 1:
            raise InputError("A recovery package has one share for each custodian.")
        return answer(wire.encode_release(custodian.open_recovery(request, shares[0])))

    @router.post("/v1/twin-key", **_TAGS, **cbor("A key to seal to, for a twin's owner."))
    def twin_key(body: Body) -> Response:
        return answer(wire.encode_twin_key(custodian.twin_key(_read(wire.decode_owner_request, body))))

    @router.post("/v1/receipts/{first}", **_TAGS, **cbor("A twin's receipts from that number on, for its owner."))
    def receipts(first: str, body: Body) -> Response:
        request, start = _read(wire.decode_owner_request, body), _number(first)
        return answer(wire.encode_list(custodian.receipts(request, start, wire.RECEIPTS)))

    @router.post("/v1/digests/{first}", **_TAGS, **cbor("What receipts from that number on are for, for the owner."))
    def digests(first: str, body: Body) -> Response:
        request, start = _read(wire.decode_owner_request, body), _number(first)
        return answer(wire.encode_digests(custodian.digests(request, start, wire.RECEIPTS)))

    @router.post("/v1/probe", **_TAGS, **cbor("How it would answer under a grant, for who gave it."))
    def probe(body: Body) -> Response:
        return answer(custodian.probe(_read(wire.decode_probe, body)).encode())

    @router.post("/v1/destroy", **_TAGS, **cbor("Destroy the key pairs of a twin whose retirement is final."))
    def destroy(body: Body) -> Response:
        return answer(custodian.destroy(_read(wire.decode_owner_request, body)).encode())

    @router.post("/v1/retire", **_TAGS, **cbor("Destroy key pairs that a twin's roster does not name any more."))
    def retire(body: Body) -> Response:
        return answer(custodian.retire(_read(wire.decode_retire_order, body)).encode())

    @router.post("/v1/receipt-proof", **_TAGS, **cbor("What its newest anchor says of a twin: a list of one, or none."))
    def receipt_proof(body: Body) -> Response:
        proof = custodian.receipt_proof(_read(wire.decode_owner_request, body))
        return answer(wire.encode_list([] if proof is None else [proof]))

    @router.post("/v1/letters", **_TAGS, **cbor("Letters, for who is a party to them."))
    def letters(body: Body) -> Response:
        return answer(wire.encode_list(custodian.letters(_read(wire.decode_letters_request, body))))

    @router.post("/v1/letters/leave", **_TAGS, **cbor("Leave a letter for its parties."))
    def leave(body: Body) -> Response:
        custodian.leave(_read(Letter.decode, body))
        return answer(b"\xf6")

    return router


def _read(decode: Callable[[bytes], T], body: bytes) -> T:
    """What a body says.

    Raises:
        InputError: nothing that this endpoint takes.
    """
    try:
        require_few(body, MOST_VALUES)
        return decode(body)
    except IntegrityError as error:
        raise InputError(f"The body is not what this endpoint takes: {error.message}.") from None


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise InputError("A receipt's number is a whole number.")
    return int(text)


def _nonce(text: str) -> bytes:
    try:
        nonce = bytes.fromhex(text)
    except ValueError:
        nonce = b""
    if len(nonce) != 32 or nonce.hex() != text:
        raise InputError("A number to sign is 32 bytes in hex.")
    return nonce
