"""How a custodian answers a probe: what the rule says of a grant as such."""

from __future__ import annotations

from ..custody import Probe, ProbeReply
from ..errors import IntegrityError
from ..ledger import Deployment, Now, View, messages
from ..policy import SLOTS, Request
from ..types import Address, Period
from ..vocabulary import Action, Purpose


def is_owners(probe: Probe, deployment: Deployment, custodian: Address) -> bool:
    """Whether the slot's owner signed it for this custodian. What it asks, the ledger shows everybody."""
    try:
        signer = messages.signer(probe.to_sign(deployment, custodian), probe.signature)
    except (IntegrityError, ValueError, OverflowError):
        return False
    return signer == probe.slot.owner and 0 <= probe.slot.number < SLOTS


def is_known(view: View, who: Address) -> bool:
    """Whether they are enrolled or own a twin."""
    return view.member(who) is not None or bool(view.twins_of(who))


def reply_to(probe: Probe, custodian: Address, now: Now) -> ProbeReply:
    """The rule's answer if the grantee itself asked to read, not yet signed. A slot of somebody who does not own the
    twin has no grant in it that counts."""
    slot = probe.slot
    asked = Request(slot.twin, slot.grantee, slot.grantee, slot.number, Action.READ, Purpose.TREAT, 0, Period(0, 0))
    head = now.tip.head
    return ProbeReply(custodian, slot, now.check(asked), now.latest, head.number, head.hash)
