"""Whether a twin's consent carries a round: the site asks it before it trains, the auditor afterwards, in the same
words. What a site may show is thereby what an auditor accepts, whatever a patient put into a package."""

from __future__ import annotations

from ..crypto import bits
from ..errors import CannotCheckError, IntegrityError
from ..ledger import Model, Round, View
from ..policy import MalformedRequestError, Request, check
from ..types import Address
from ..vocabulary import CATEGORIES, Action, Category, Purpose, Reason
from ..vocabulary.categories import CATEGORY_BITS
from .opening import Shown


def asked(model: Model) -> tuple[Purpose, tuple[Category, ...]]:
    """For what purpose, and of which categories, a model asks for consent.

    Raises:
        CannotCheckError: one of them is none that this version knows, so no consent to it can be judged.
    """
    known = {each.number: each for each in CATEGORIES}
    numbers = [number for number in range(CATEGORY_BITS) if model.categories >> number & 1]
    try:
        return Purpose(model.purpose), tuple(known[number] for number in numbers)
    except (KeyError, ValueError):
        raise CannotCheckError(
            f"Model {model.number} asks for a purpose or a category that this version does not know.",
            hint="Update dtledger.",
        ) from None


def lacks(view: View, model: Model, number: Round, site: Address, shown: Shown) -> str:
    """What the consent of one twin lacked at the end of the block that opened the round; "" if it was whole.

    Raises:
        CannotCheckError: as `asked`.
    """
    view, trained = view.earlier(number.block), shown.trained
    purpose, categories = asked(model)
    owner, card = view.owner(trained.twin), view.card(trained.twin)
    if owner is None or card is None:
        return Reason.TWIN_UNKNOWN.name
    proofs = {each.category: each for each in shown.bits}
    period = view.grant(owner, trained.twin, trained.grantee, trained.number).data
    for category in categories:
        proof = proofs.get(category.number)
        if proof is None:
            return f"nothing proves the bit of {category.name}"
        request = Request(
            twin=trained.twin,
            requester=site,
            grantee=trained.grantee,
            number=trained.number,
            action=Action.TRAIN,
            purpose=purpose,
            bit=proof.bit,
            period=period,
        )
        try:
            reason = check(view, request, number.at, number.at)
        except MalformedRequestError as error:  # the opening names a slot that no grant can stand in
            return str(error)
        if not reason.permits:
            return reason.name
        try:
            bits.verify(card.bits, proof)
        except IntegrityError:
            return f"the twin card does not commit to that bit of {category.name}"
    return ""
