"""What one custodian decides in a second: the rule alone, and whole requests with their signatures."""

from __future__ import annotations

from collections.abc import Callable

from dtledger.crypto import seal
from dtledger.custody import RELEASE_CONTEXT, SHARE_CONTEXT, ReadRequest
from dtledger.ledger import messages
from dtledger.policy import Request, check
from dtledger.readings import Reading
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose

from .asking import Asker, shares
from .bench import Bench
from .figures import Rival, Row, at_least
from .timing import rate

_SIGNED_AHEAD = 20


def decisions(bench: Bench) -> Row:
    """The full rule, permitted, for the rows of a year; the state is folded from the chain's events."""
    world = bench.world()
    slot, end, now = world.twin(), world.now // 60, world.now
    context = world.clinician.context
    view, bit = context.view(), Asker.of(world.clinician, slot).keys.bits.bit_of("glucose")
    periods = [Period(end - hour * 60 - 59, end - hour * 60) for hour in range(bench.sizes.year)]

    def question(period: Period) -> Request:
        requester = world.clinician.address
        return Request(slot.twin, requester, slot.grantee, slot.number, Action.READ, Purpose.TREAT, bit, period)

    def ours() -> int:
        permitted = sum(check(view, question(period), now, now).permits for period in periods)
        assert permitted == len(periods), "the rule refused what was granted"
        return permitted

    def contract() -> int:
        assert context.ledger.check(question(periods[0]), now, now).permits
        return 1

    return Row(
        "access decisions of one custodian on one core: the full rule for one snapshot",
        rate(ours, bench.sizes.lasting),
        "/s",
        (at_least(10_000, "/s"),),
        (Rival("asking the contract (eth_call)", rate(contract, bench.sizes.lasting)),),
    )


def requests(bench: Bench) -> Row:
    """Signed requests for one snapshot: signature, head, share, rule, receipt on the disk, seal."""
    world = bench.world()
    consent = world.twin()
    start = world.now // 3600 * 3600 - 3600
    world.gateway.writer.put(consent.twin, "glucose", [Reading(start + i * 300, 5.4, "mmol/L") for i in range(12)])
    asker = Asker.of(world.clinician, consent)
    found, one_use = asker.find("glucose"), seal.SealKey.generate()
    custodian = world.clinician.context.custodians[found[0].custody.shares[0].custodian]
    sealed = shares(found, 0)
    ahead: list[ReadRequest] = []

    def sign_ahead() -> None:
        ahead[:] = [asker.request(found, one_use) for _ in range(_SIGNED_AHEAD)]

    def ours() -> int:
        for request in ahead:
            assert not custodian.open(request, sealed).refused, "a custodian refused what was granted"
        return len(ahead)

    sign_ahead()
    return Row(
        "signed requests for one snapshot: one custodian over HTTP, asked one after another",
        rate(ours, bench.sizes.lasting, sign_ahead),
        "/s",
        rivals=(Rival("their cryptography alone", rate(_cryptography(asker, ahead[0]), bench.sizes.lasting)),),
        beside="each asks Anvil for the head and the contract for its word, and syncs a receipt to the disk",
    )


def _cryptography(asker: Asker, request: ReadRequest) -> Callable[[], int]:
    """What no custodian can do without: one signature checked, one share opened, one receipt signed, one seal."""
    context, pair = asker.client.context, seal.SealKey.generate()
    share = seal.seal(pair.public, bytes(300), SHARE_CONTEXT)

    def work() -> int:
        digest = request.to_sign(context.deployment)
        messages.signer(digest, request.signature)
        opened = seal.open_(pair, share, SHARE_CONTEXT)
        context.key.sign_digest(digest)
        seal.seal_once(request.key, opened, RELEASE_CONTEXT)
        return 1

    return work


ROWS = {"decisions": decisions, "requests": requests}
