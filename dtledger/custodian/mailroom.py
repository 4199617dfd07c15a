"""How a custodian keeps letters between the owner of a twin and those who ask for consent.

It keeps a letter for a twin that it holds a key pair for, from a writer who signed it just now: a request if the rule
finds nothing against its member before it looks for a grant, and neither that member nor all members together have too
many on the twin already; an answer if it is the present owner's, to a request that is kept, and newer than the answer
before it. It hands letters to their parties and to nobody else. It cannot read them.
"""

from __future__ import annotations

from collections.abc import Callable

from ..custody import KEPT_SECONDS, MOST_REQUESTS, Letter, LettersRequest, refusal
from ..custody.letters import MOST_ON_TWIN
from ..errors import AccessDeniedError, IntegrityError
from ..ledger import Ledger, messages
from ..types import Address
from ..vocabulary import Reason
from .letters import Letters
from .now import FRESHNESS
from .twin_keys import TwinKeys


class Mailroom:
    """The letters of one custodian, whose address is `address`. `clock` gives unix seconds. `pace` is told of each
    member for whom the letters of all twins are gone through, and may refuse it."""

    def __init__(
        self,
        address: Address,
        ledger: Ledger,
        twin_keys: TwinKeys,
        letters: Letters,
        clock: Callable[[], int],
        pace: Callable[[Address], None] = lambda member: None,
    ) -> None:
        self._address = address
        self._ledger = ledger
        self._twin_keys = twin_keys
        self._letters = letters
        self._clock = clock
        self._pace = pace

    def leave(self, letter: Letter) -> None:
        """See `CustodianPort.leave`."""
        try:
            letter.verify(self._ledger.deployment)
        except (IntegrityError, ValueError, TypeError):
            raise _refused("it is malformed, or not signed by its writer") from None
        self._require_fresh(letter.at)
        if not self._twin_keys.all_of(letter.twin):
            raise _refused(f"it holds nothing of twin {letter.twin}")
        if self._ledger.view().owner(letter.twin) != letter.owner:
            raise _refused(f"twin {letter.twin} has another owner")
        if letter.kind == "ConsentRequest":
            self._letters.change(letter.twin, lambda kept: self._with_request(self._young(kept), letter))
        else:
            self._letters.change(letter.twin, lambda kept: self._with_answer(self._young(kept), letter))

    def letters(self, request: LettersRequest) -> list[Letter]:
        """See `CustodianPort.letters`."""
        try:
            digest = messages.letters_request(self._ledger.deployment, request.reader, self._address, request.at)
            signer = messages.signer(digest, request.signature)
        except (IntegrityError, ValueError, OverflowError):
            raise _refused("the request for letters is malformed") from None
        if signer != request.reader:
            raise _refused("the request for letters is not its reader's")
        self._require_fresh(request.at)
        view = self._ledger.view()
        own = view.twins_of(signer)
        received = [letter for twin in own for letter in self._letters.of_twin(twin) if letter.owner == signer]
        written: list[Letter] = []
        if view.member(signer) is not None:  # nobody else has written any
            self._pace(signer)
            written += (letter for letter in self._letters.of_member(signer) if letter.owner != signer)
        return self._young([*received, *written])

    def _with_request(self, kept: list[Letter], letter: Letter) -> list[Letter]:
        if any(each.digest == letter.digest for each in kept):
            return kept
        reason = refusal(self._ledger.view(), letter.twin, letter.member, self._clock())
        if reason is not None:
            raise _refused(reason.text, reason)
        requests = [each for each in kept if each.kind == "ConsentRequest" and each.owner == letter.owner]
        if sum(each.member == letter.member for each in requests) >= MOST_REQUESTS:
            raise _refused(f"{letter.member} has asked {MOST_REQUESTS} times on this twin in the last 30 days")
        if len(requests) >= MOST_ON_TWIN:
            raise _refused("too much was asked on this twin in the last 30 days")
        return [*kept, letter]

    def _with_answer(self, kept: list[Letter], letter: Letter) -> list[Letter]:
        if any(each.digest == letter.digest for each in kept):
            return kept
        if not any(each.digest == letter.about and each.member == letter.member for each in kept):
            raise _refused("it answers no request that is kept here")
        before = [each for each in kept if each.about == letter.about]
        if any(each.at >= letter.at for each in before):
            raise _refused("there is a newer answer")
        return [*(each for each in kept if each not in before), letter]

    def _young(self, letters: list[Letter]) -> list[Letter]:
        """Those that are still kept."""
        return [each for each in letters if each.at > self._clock() - KEPT_SECONDS]

    def _require_fresh(self, at: int) -> None:
        if abs(self._clock() - at) > FRESHNESS:
            raise _refused("it is stale, or one of the clocks is wrong")


def _refused(why: str, reason: Reason | None = None) -> AccessDeniedError:
    return AccessDeniedError(f"A custodian takes no such letter: {why}.", reason=reason)
