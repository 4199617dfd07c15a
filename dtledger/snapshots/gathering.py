"""Gathering: a request to each custodian of a roster, and what all of them gave and refused.

Whatever ails one custodian is kept beside what the others gave. One whose node is late is asked again where it is
needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from ..crypto import merkle, seal
from ..custody import (
    RELEASE_CONTEXT,
    AccessReceipt,
    CustodianPort,
    ReadRequest,
    Release,
    SealedShare,
    ShareHeader,
    decode_release,
    is_distant,
)
from ..custody.lateness import Patience, is_late
from ..errors import AccessDeniedError, DtledgerError, IntegrityError, UnreachableError
from ..ledger import Deployment
from ..types import Address, Digest
from ..vocabulary import Reason
from .asking import Asking, check_answer, check_receipt, signed_request
from .at_once import at_once
from .blame import blaming
from .finder import Found


@dataclass(slots=True)
class Opened:
    """What a request brought. `refused` are snapshots that so many custodians refused that the others are too few;
    `faults` are custodians that answered wrongly or not at all, with what they did."""

    plaintexts: dict[Digest, bytes] = field(default_factory=dict, repr=False)
    refused: dict[Digest, Reason] = field(default_factory=dict)
    receipts: list[AccessReceipt] = field(default_factory=list)
    faults: dict[Address, DtledgerError] = field(default_factory=dict)
    asked: int = 0

    @property
    def answered(self) -> int:
        return self.asked - len(self.faults)


Shares = dict[Digest, dict[int, bytes]]
"""Manifest digest → share number → share, each with the hash that its custody block promised."""


def collect(
    deployment: Deployment,
    custodians: Mapping[Address, CustodianPort],
    asking: Asking,
    snapshots: Sequence[Found],
    bit: int,
    opened: Opened,
) -> Shares:
    """Ask every custodian of the snapshots' one roster; receipts, refusals and faults go into `opened`.

    Raises:
        AccessDeniedError: so many custodians take the asker for a stranger that the others are too few.
    """
    roster = [share.custodian for share in snapshots[0].custody.shares]
    ask = partial(_ask_all, deployment, custodians, asking, snapshots, bit, opened.receipts)
    heard = ask(roster)
    patience = Patience()
    while (late := _late(heard, snapshots, asking.block)) and patience.pause():
        heard |= ask(late)
    opened.asked += len(roster)
    denials = {who: said for who, said in heard.items() if isinstance(said, AccessDeniedError)}
    if len(denials) > len(roster) - max(each.custody.threshold for each in snapshots):
        raise _denial(next(iter(denials.values())), asking.block)
    # With them those who know no consent where enough others do: a clock may be wrong, or worse.
    opened.faults.update({who: said for who, said in heard.items() if isinstance(said, DtledgerError)})
    for each in snapshots:
        refusals = [said.refused[each.digest] for said in _answers(heard) if each.digest in said.refused]
        if refusals and len(refusals) + len(denials) > len(roster) - each.custody.threshold:
            opened.refused[each.digest] = refusals[-1]
    return _shares(heard, snapshots)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one custodian gave and refused, as of which block; checked."""

    shares: Sequence[tuple[ShareHeader, bytes]]
    refused: Mapping[Digest, Reason]
    as_of: int


_Heard = Mapping[Address, "_Answer | DtledgerError"]


def _answers(heard: _Heard) -> list[_Answer]:
    return [said for said in heard.values() if isinstance(said, _Answer)]


def _shares(heard: _Heard, snapshots: Sequence[Found]) -> Shares:
    shares: Shares = {each.digest: {} for each in snapshots}
    for said in _answers(heard):
        for header, share in said.shares:
            shares[header.digest][header.number] = share
    return shares


def _late(heard: _Heard, snapshots: Sequence[Found], block: int) -> list[Address]:
    """Those that refuse as of an earlier block, if something stays shut for that."""
    shares = _shares(heard, snapshots)
    if all(len(shares[each.digest]) >= each.custody.threshold for each in snapshots):
        return []
    refuses = {
        who: said.as_of
        for who, said in heard.items()
        if isinstance(said, AccessDeniedError) or (isinstance(said, _Answer) and said.refused)
    }
    return [who for who, as_of in refuses.items() if is_late(as_of, block)]


def _denial(denial: AccessDeniedError, block: int) -> AccessDeniedError:
    if is_late(denial.as_of, block):
        denial.hint = (
            f"The custodian's node is at block {denial.as_of}, and yours at {block}, by which consent permits it: try "
            "again in a moment, or tell the custodian's operator."
        )
    return denial


def _ask_all(
    deployment: Deployment,
    custodians: Mapping[Address, CustodianPort],
    asking: Asking,
    snapshots: Sequence[Found],
    bit: int,
    receipts: list[AccessReceipt],
    asked: Sequence[Address],
) -> dict[Address, _Answer | DtledgerError]:
    """What each of these said to one request, or what ails it: that must not stop the others. Those on the network are
    asked at once, and nobody waits long for one of them when enough of the others have answered."""
    one_use = seal.SealKey.generate()
    request = signed_request(deployment, asking, snapshots, one_use.public)
    root = merkle.root(request.digests)
    places = {share.custodian: place for place, share in enumerate(snapshots[0].custody.shares)}
    calls: dict[Address, Callable[[], Release]] = {}
    distant = False
    for address in asked:
        try:
            port = custodians.get(address)
        except DtledgerError as error:  # one that cannot be opened here is one that does not answer
            calls[address] = partial(_fail, error)
            continue
        distant = distant or (port is not None and is_distant(port))
        calls[address] = partial(_ask, port, address, request, _sealed(snapshots, places[address]))
    if distant:
        calls = at_once(calls, enough=max(each.custody.threshold for each in snapshots))
    heard: dict[Address, _Answer | DtledgerError] = {}
    for address, call in calls.items():
        try:
            with _complaining(snapshots):
                release = call()
            with blaming(address):
                check_receipt(deployment, address, asking, request, root, release)
                receipts.append(release.receipt)
                shares = decode_release(seal.open_(one_use, release.sealed, RELEASE_CONTEXT))
                check_answer(deployment, snapshots, places[address], bit, release, shares)
        except DtledgerError as error:
            heard[address] = error
        else:
            heard[address] = _Answer(shares, dict(release.refused), release.receipt.block)
    return heard


def _sealed(snapshots: Sequence[Found], place: int) -> list[SealedShare]:
    """The shares of the custodian at that place of the roster."""
    promised = [(each.digest, each.custody.shares[place]) for each in snapshots]
    return [SealedShare(digest, share.sealed, share.hash) for digest, share in promised]


def _ask(port: CustodianPort | None, address: Address, request: ReadRequest, sealed: Sequence[SealedShare]) -> Release:
    if port is None:
        raise UnreachableError(f"the custodian {address} does not answer, or is not known to this profile")
    return port.open(request, sealed)


def _fail(error: DtledgerError) -> Release:
    raise error


@contextmanager
def _complaining(snapshots: Sequence[Found]) -> Iterator[None]:
    """Whose share a custodian complains of is whoever signed the custody block: the name in the seal is only what was
    put there."""
    try:
        yield
    except IntegrityError as error:
        if error.party:
            error.party = next((each.sealed_by for each in snapshots if each.digest.hex() == error.block), "")
        raise
