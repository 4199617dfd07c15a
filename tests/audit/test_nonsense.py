"""A file that makes no sense is refused, and says nothing good of itself; it costs neither time nor a stack trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import rlp

from dtledger import encoding
from dtledger.audit import Asked, Bundle, Claim, Denied, Question, Verdict, bundle, verify
from dtledger.audit.claims import checked
from dtledger.encoding import keccak, sha256
from dtledger.errors import IntegrityError
from dtledger.store import MAX_BLOCK_BYTES
from dtledger.types import Digest
from tests.audit.forged import FIRST, GENESIS, READER, TWIN, Forged, account, header

Body = dict[str, Any]

QUESTION = Question(twin=TWIN, denied=(Denied(READER, 1),), whole=True)


def told(change: Callable[[Body], object]) -> list[Claim]:
    """What is found in a file of which something was changed, with the sum over it."""
    body = encoding.decode(Forged.granted().bundle(QUESTION).encode()[:-32])
    change(body)
    data = encoding.encode(body)
    made = Bundle.decode(data + sha256(data))
    head = keccak(made.headers[max(made.headers)])
    return verify(made, Asked(made.question, made.given, made.deployment, Digest(head)))


def head(**said: int) -> Callable[[Body], object]:
    """Another head: `block` and `at`."""
    state = rlp.decode(Forged.granted().head)[3]
    made = header(said.get("block", 1), GENESIS, state, said.get("at", 1000))
    return lambda body: body.update(headers=[[0, FIRST], [min(said.get("block", 1), 2**64 - 1), made]])


def asked(**cells: Any) -> Callable[[Body], object]:
    """Another question."""
    places = {"twin": 0, "snapshot": 1, "model": 2, "denied": 3, "whole": 4}
    return lambda body: [body["question"].__setitem__(places[name], value) for name, value in cells.items()]


NONSENSE: dict[str, Callable[[Body], object]] = {
    "a head after more blocks than anybody can make": head(block=2**63),
    "a head whose number has no end": head(block=10**5000),
    "a time that has no end": head(at=2**60),
    "no header": lambda body: body.update(headers=[]),
    "a header that is text": lambda body: body.update(headers=[[0, "first"]]),
    "a twin before the first": asked(twin=-1),
    "a model before the first": asked(model=-1),
    "a snapshot of four bytes": asked(snapshot=b"abcd"),
    "a block that is text": asked(denied=[[READER, "now"]]),
    "a block before the first": asked(denied=[[READER, -1]]),
    "nobody who had no permit": asked(denied=[[account(0), 1]]),
    "code that is text": lambda body: body.update(codes=dict.fromkeys(body["codes"], "code")),
    "no such contract": lambda body: body["deployment"][3].pop("ModelLedger"),
    "a contract too many": lambda body: body["deployment"][3].update(Another=account(77)),
    "code of no contract": lambda body: body["deployment"][2].update(Another=bytes(32)),
    "a genesis of no bytes": lambda body: body["deployment"].__setitem__(1, b""),
    "a block that no store takes": lambda body: body.update(raw=[bytes(MAX_BLOCK_BYTES + 1)]),
    "a memory that is text": lambda body: body.update(memories=[[1, "old"]]),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_a_file_that_makes_no_sense_is_refused_or_found_out(name: str) -> None:
    try:
        found = told(NONSENSE[name])
    except IntegrityError:
        pass
    else:
        assert found[0].verdict is Verdict.FAIL
    assert told(lambda body: None)[0].verdict is Verdict.PASS


def test_a_file_of_more_values_than_any_has_is_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MOST_VALUES", 1000)
    with pytest.raises(IntegrityError, match="values are in it"):
        told(lambda body: body.update(absent=[[]] * 1000))
    with pytest.raises(IntegrityError, match="malformed"):
        told(lambda body: body.update(absent=[[]]))


def test_evidence_that_makes_no_sense_is_no_pass_and_does_not_end_the_audit() -> None:
    def nonsense() -> str:
        raise OverflowError

    assert checked("stream", "a writer", nonsense).verdict is Verdict.CANNOT_CHECK
    assert checked("stream", "a writer", lambda: "whole").verdict is Verdict.PASS
