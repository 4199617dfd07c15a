"""The site's part as a Flower mod.

    mod = ProvenanceMod(lambda context: site)
    app = ClientApp()

    @app.train(mods=[mod])
    def train(message, context):
        for twin, readings in current_cohort().items(): ...

Round the training function it checks the round, reads the cohort, blurs the update if the site does, commits to it, and
attaches the record. What it refuses it answers with an error whose reason is the error's name: what else it says stays
in the site's own log, for it may name twins.

A mod that masks updates goes before this one in the list (`masked=True`): it masks what was committed to.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar

from flwr.app import Context, Error, Message
from flwr.clientapp.typing import ClientAppCallable

from ..errors import DtledgerError
from ..models.update import digest_of
from .arrays import canonical, encode_arrays
from .messages import arrays_in, asked_round, metrics_of, reply_with, the_arrays
from .privacy import UpdateNoise
from .site import Answer, Cohort, Site

log = logging.getLogger(__name__)

REFUSED = 200
"""The code of the error that answers a round which a site refuses; Flower's own are below it."""

_COHORT: ContextVar[Cohort] = ContextVar("dtledger_cohort")


def current_cohort() -> Cohort:
    """What was read for the message that is being answered.

    Raises:
        LookupError: the function was not called through a `ProvenanceMod`.
    """
    return _COHORT.get()


class ProvenanceMod:
    """A mod for functions that train. `site_of` gives the site of a node."""

    def __init__(self, site_of: Callable[[Context], Site], *, masked: bool = False) -> None:
        self._site_of = site_of
        self._masked = masked

    def __call__(self, message: Message, context: Context, call_next: ClientAppCallable) -> Message:
        try:
            site = self._site_of(context)
            with site.held():
                return self._answer(site, message, context, call_next)
        except DtledgerError as error:
            log.warning("a round is refused: %s", error)
            return Message(Error(REFUSED, f"refused: {type(error).__name__}"), reply_to=message)

    def _answer(self, site: Site, message: Message, context: Context, call_next: ClientAppCallable) -> Message:
        key, record = the_arrays(message.content)
        start = canonical(arrays_in(record))
        turn = site.turn(asked_round(message.content), digest_of(encode_arrays(start)))
        if isinstance(turn, Answer):
            return reply_with(turn, message, key, masked=self._masked)
        plan, cohort = site.cohort(turn)
        token = _COHORT.set(cohort)
        try:
            reply = call_next(message, context)
        finally:
            _COHORT.reset(token)
        if reply.has_error():
            return reply
        key, record = the_arrays(reply.content)
        update = canonical(arrays_in(record))
        if isinstance(site.privacy, UpdateNoise):
            update = canonical(site.privacy.applied(update, start))
        answer = site.commit(turn, plan, update, metrics_of(reply.content))
        return reply_with(answer, message, key, masked=self._masked)
