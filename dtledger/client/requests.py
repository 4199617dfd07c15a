"""Asking for consent, and answering: letters between a member and the owner of a twin, kept by the twin's custodians.

A request reaches as far as a read does. It costs no gas, nor does a refusal; nothing of either is on the ledger or in
the block store. Custodians are believed nothing: each letter is checked for its writer's signature, and opened, here.
Of several answers to one request the newest counts, whichever custodian has it.

A yes is first a letter that names the slot, then an ordinary grant in that slot. Whoever breaks off between the two
answers again; what was granted is only ever what the ledger says.

>>> from dtledger.client import Ask
>>> from dtledger.testing import World
>>> from dtledger.vocabulary import Action, Purpose
>>> with World() as world:
...     ask = Ask(("sleep",), (Purpose.TREAT,), (Action.READ,), 30 * 86_400, "To see how you sleep.")
...     _ = world.clinician.consents.request(world.twin, ask)
...     (request,) = world.patient.consents.pending(world.twin)
...     print(request.ask.reason)
...     _ = world.patient.consents.respond(request, request.ask.terms(world.clock()))
...     world.clinician.explain(world.twin, "sleep", "TREAT").permits
To see how you sleep.
True

Warning: a request is forgotten with the custodians that keep it, at the latest after 30 days; it is no evidence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..custody import KEPT_SECONDS, MOST_REQUESTS, Letter, refusal
from ..errors import AccessDeniedError, DtledgerError, InputError, IntegrityError
from ..ledger import GrantRecord, Receipt, Slot, View
from ..types import ZERO_DIGEST, Address, Digest
from .asks import Ask, ConsentAnswer, ConsentRequest, RequestState, check_reason, read_answer, read_request
from .context import Context
from .post import Delivery, Post
from .terms import GrantState, Terms

LASTS_SECONDS = 14 * 86_400
"""How long a request can be answered, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests, the newest first. `faults` has the custodian whose letters are not to be had or not to be believed, and
    the member or owner whose letter cannot be read."""

    requests: tuple[ConsentRequest, ...]
    faults: Mapping[Address, DtledgerError]

    def the(self, id_: str) -> ConsentRequest:
        """The request of that name.

        Raises:
            InputError: there is none (any more).
        """
        for each in self.requests:
            if each.id == id_.lower():
                return each
        raise InputError(
            f"There is no request {id_}.", hint="Look with `dtledger consent list --pending`, and write its name whole."
        )


@dataclass(frozen=True, slots=True)
class Response:
    """What became of an answer: a yes has the slot and the receipt of the grant."""

    request: ConsentRequest
    delivery: Delivery
    slot: Slot | None = None
    receipt: Receipt | None = None


class Asking(ABC):
    """The part of `Consents` that goes by letter."""

    _context: Context

    @property
    def _post(self) -> Post:
        return Post(self._context)

    @abstractmethod
    def grant(self, twin: int, grantee: Address, terms: Terms, number: int | None = None) -> tuple[Slot, Receipt]: ...

    @abstractmethod
    def slot(self, twin: int, grantee: Address, number: int | None = None) -> Slot: ...

    @abstractmethod
    def state(self, record: GrantRecord, view: View | None = None) -> GrantState: ...

    # as a member ---------------------------------------------------------------------------------------------

    def request(self, twin: int, ask: Ask, lasts: int = LASTS_SECONDS) -> tuple[ConsentRequest, Delivery]:
        """Ask the owner of a twin for consent; it can be answered for `lasts` seconds.

        Raises:
            AccessDeniedError: this key may not ask, or has asked too often.
            InputError: the twin has no card yet or is this key's own, or `lasts` is longer than letters are kept.
            UnreachableError: none of the twin's custodians answers.
        """
        draft = self.draft(twin, ask, lasts)
        letter = self._post.write(draft.letter, ask.content(draft.expires_at))
        return ConsentRequest(letter, ask, draft.expires_at), self._post.deliver(letter)

    def draft(self, twin: int, ask: Ask, lasts: int = LASTS_SECONDS) -> ConsentRequest:
        """What `request` would ask, neither sealed nor signed. Raises as `request`."""
        context = self._context
        view, now = context.view(), context.clock()
        if not 0 < lasts <= KEPT_SECONDS:
            raise InputError("A request can be answered for at most 30 days.")
        reason = refusal(view, twin, context.key.address, now)
        if reason is not None:
            raise AccessDeniedError(f"Nothing can be asked on twin {twin}: {reason.text}.", reason=reason)
        owner = view.owner(twin)
        assert owner is not None, "the rule knows the twin"
        if owner == context.key.address:
            raise InputError("An owner needs to ask nobody.", hint="Read your own data for the purpose PATRQT.")
        ask.terms(now)
        letter = Letter("ConsentRequest", twin, owner, context.key.address, ZERO_DIGEST, now)
        return ConsentRequest(letter, ask, now + lasts)

    def asked(self) -> Requests:
        """What this key asked in the last 30 days, with the answers. Raises as `addressed`."""
        me = self._context.key.address
        letters, faults = self._post.collect()
        own = [each for each in letters if each.kind == "ConsentRequest" and each.member == me]
        return self._read(own, letters, faults)

    # as an owner ---------------------------------------------------------------------------------------------

    def addressed(self, twin: int) -> Requests:
        """What was asked on a twin of this key's in the last 30 days, answered or not, by members who are enrolled and
        neither suspended nor blocked; the newest three of each.

        Raises:
            AccessDeniedError: this key does not own the twin.
            UnreachableError: no custodian answers.
        """
        context = self._context
        view, now = context.view(), context.clock()
        context.require_owner(twin, view)
        letters, faults = self._post.collect()
        mine = [each for each in letters if (each.twin, each.owner) == (twin, context.key.address)]
        requests: dict[Address, list[Letter]] = {}
        for each in sorted(mine, key=_age, reverse=True):
            if each.kind == "ConsentRequest" and refusal(view, twin, each.member, now) is None:
                requests.setdefault(each.member, []).append(each)
        newest = [each for of_one in requests.values() for each in of_one[:MOST_REQUESTS]]
        return self._read(newest, letters, faults)

    def pending(self, twin: int) -> list[ConsentRequest]:
        """Those of `addressed` that wait for an answer, or for the grant that was agreed to. Raises as `addressed`."""
        return [each for each in self.addressed(twin).requests if self.waits(each)]

    def respond(
        self, request: ConsentRequest, terms: Terms | None = None, reason: str = "", number: int | None = None
    ) -> Response:
        """Answer a request: with terms grant them (in the slot of that number, else the first free one), without deny
        it. What was denied can be granted later, while the request is kept.

        Raises:
            AccessDeniedError: this key does not own the twin, or the member may not ask any more.
            InputError: the terms are more than was asked for, the request has expired, or its grant is in force.
            UnreachableError: no custodian takes the answer; nothing was granted.
        """
        context = self._context
        context.require_owner(request.twin)
        if request.owner != context.key.address:
            raise AccessDeniedError("The request is to another owner of the twin.")
        request.letter.verify(context.deployment)
        check_reason(reason)
        if terms is None:
            return self._answer(request, ConsentAnswer(yes=False, reason=reason))
        slot = self.slot_for(request, terms, number)
        record = context.view().record(slot)
        revision = record.grant.revision if record else 0
        agreed = self._answer(request, ConsentAnswer(True, slot.number, revision, reason))
        _, receipt = self.grant(request.twin, request.member, terms, slot.number)
        return Response(agreed.request, agreed.delivery, slot, receipt)

    def slot_for(self, request: ConsentRequest, terms: Terms, number: int | None) -> Slot:
        """Where a yes with these terms would be granted, the same as asked or less. Raises as `respond`."""
        view, now = self._context.view(), self._context.clock()
        reason = refusal(view, request.twin, request.member, now)
        if reason is not None:
            raise AccessDeniedError(f"Nothing can be granted on this request: {reason.text}.", reason=reason)
        if now >= request.expires_at:
            raise InputError("The request has expired.", hint="`dtledger consent grant` gives the same.")
        request.ask.require_within(terms, min(now, terms.not_before_at))
        record = self.granted_on(request)
        if record and self.state(record) in (GrantState.LIVE, GrantState.SLEEPING):
            raise InputError("The request was granted, and the grant is in force.", hint="Revoke or renew the grant.")
        return self.slot(request.twin, request.member, number)

    # how a request stands ------------------------------------------------------------------------------------

    def request_state(self, request: ConsentRequest) -> RequestState:
        """How a request stands now, by its newest answer, the clock and the ledger."""
        answer = request.answer
        if answer is None:
            return RequestState.EXPIRED if self._context.clock() >= request.expires_at else RequestState.PENDING
        if not answer.yes:
            return RequestState.DENIED
        return RequestState.GRANTED if self.granted_on(request) else RequestState.AGREED

    def waits(self, request: ConsentRequest) -> bool:
        """Whether it waits for an answer, or for the grant that was agreed to."""
        return self.request_state(request) in (RequestState.PENDING, RequestState.AGREED)

    def granted_on(self, request: ConsentRequest) -> GrantRecord | None:
        """The slot that a yes named, if something was granted in it since."""
        answer = request.answer
        if answer is None or not answer.yes:
            return None
        record = self._context.view().record(Slot(request.owner, request.twin, request.member, answer.number))
        return record if record and record.grant.revision > answer.revision else None

    # reading and writing them --------------------------------------------------------------------------------

    def _answer(self, request: ConsentRequest, answer: ConsentAnswer) -> Response:
        """Newer than the answer before it, whatever the clock says: else it would not count."""
        before = request.answer.at if request.answer else 0
        at = max(self._context.clock(), before + 1)
        letter = Letter("ConsentAnswer", request.twin, request.owner, request.member, request.letter.digest, at)
        letter = self._post.write(letter, answer.content())
        return Response(request.answered(read_answer(letter, answer.content())), self._post.deliver(letter))

    def _read(
        self, chosen: Sequence[Letter], letters: Sequence[Letter], faults: dict[Address, DtledgerError]
    ) -> Requests:
        """The requests in these letters, each with the newest answer among `letters`."""
        answers = {each.about: each for each in sorted(letters, key=_age) if each.kind == "ConsentAnswer"}
        requests = []
        for letter in sorted(chosen, key=_age, reverse=True):
            try:
                requests.append(self._open(letter, answers.get(letter.digest)))
            except IntegrityError as error:
                faults[Address(error.party)] = error
        return Requests(tuple(requests), faults)

    def _open(self, letter: Letter, answer: Letter | None) -> ConsentRequest:
        request = read_request(letter, self._post.open(letter))
        if answer is None or (answer.twin, answer.owner, answer.member) != (letter.twin, letter.owner, letter.member):
            return request
        return request.answered(read_answer(answer, self._post.open(answer)))


def _age(letter: Letter) -> tuple[int, Digest]:
    """Sorts letters by when they were written."""
    return letter.at, letter.digest
