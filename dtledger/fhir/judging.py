"""What a consent permits, cut out of what somebody wants: boxes of people, actions, purposes, categories and times.

A box is a set of requests, every combination of what its sides hold. What a consent permits of a box is a list of
boxes; each becomes a grant. A permit counts only where it surely applies, a denial wherever it possibly does:

- base policy OPTIN, root without a type or permitting: what lies in the root, less what an inner denial reaches. A
  permit in it is read as "only this", for it can say nothing else that is not permitted already; of several one is
  enough, and a denial in any of them counts.
- base policy OPTIN, root denying: all but what the root reaches. A permit in it is not carried over.
- OPTOUT, or no base policy and a denying root: only what an inner permit lets through, within the root, less what a
  denial beside it reaches.
- A limit that is not known makes a permit permit nothing, and leaves a denial as wide as its other limits.

So nothing is permitted that the consent denies; the reverse is not promised, and the losses tell it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..types import Period
from ..vocabulary import Action, Purpose
from .codes import Named
from .moments import ALWAYS, UNLIMITED, Window, minutes_within, seconds_of
from .provisions import Consent, Provision


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who may be granted something: `own` are the references that stand for it, `near` those of its
    organisation and its members, whom a denial reaches too."""

    name: str
    own: frozenset[str] = frozenset()
    near: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Box:
    """Requests: of one of `who`, for any of these, at a time in `held`, of data of minutes in `data` (in seconds)."""

    who: frozenset[Party]
    actions: frozenset[Action]
    purposes: frozenset[Purpose]
    categories: frozenset[str]
    held: Window = ALWAYS
    data: Window = ALWAYS

    def __bool__(self) -> bool:
        return all((self.who, self.actions, self.purposes, self.categories, self.held, self.data))

    def __and__(self, other: Box) -> Box:
        return Box(
            self.who & other.who,
            self.actions & other.actions,
            self.purposes & other.purposes,
            self.categories & other.categories,
            self.held & other.held,
            self.data & other.data,
        )

    @property
    def period(self) -> Period | None:
        """The whole minutes of its data."""
        return minutes_within(self.data)


def permitted(consent: Consent, wanted: Box, known: frozenset[str] = frozenset()) -> list[Box]:
    """What the consent permits of what is wanted, in boxes that do not overlap. `known` are references of people who
    are somebody else, beside those of the people wanted: a denial of anybody not known may mean each of them."""
    if consent.shut or not wanted:
        return []
    known |= _references(wanted)
    root = consent.root
    if root is None:
        return [wanted] if consent.base else []
    if root.permits or (root.permits is None and consent.base):
        return [each for each in _let_through(root, [wanted], known) if each.period]
    if consent.base:
        return [each for each in _without(root, [wanted], known) if each.period]
    return [each for each in _let_through(root, [wanted], known) if each.period] if root.permitting else []


def denied(consent: Consent, box: Box, known: frozenset[str] = frozenset()) -> bool:
    """Whether the consent denies some of a box in so many words: not merely by permitting nothing of it."""
    if consent.status != "active" or not box:
        return False
    known |= _references(box)
    return any(_without(each, [box], known) != [box] for each in _denials(consent))


def shut_out(consent: Consent) -> frozenset[str]:
    """Those whom an active consent denies everything, at all times, by their references."""
    if consent.status != "active":
        return frozenset()
    whole = (each for each in _denials(consent) if each.who and not each.who.unknown and _is_whole(each))
    return frozenset(name for each in whole if each.who for name in each.who.possible)


def _is_whole(denial: Provision) -> bool:
    limits = (denial.purposes, denial.categories)
    reads = denial.actions is None or Action.READ in denial.actions.possible
    return reads and limits == (None, None) and denial.held == denial.data == UNLIMITED and not denial.unjudged


def _references(box: Box) -> frozenset[str]:
    return frozenset(each for party in box.who for each in party.own | party.near)


def _denials(consent: Consent) -> Iterator[Provision]:
    if consent.base is False:
        yield Provision("Consent.policyRule", permits=False)
    if consent.root is not None:
        yield from _denying(consent.root)


def _denying(provision: Provision) -> Iterator[Provision]:
    if provision.permits is False:
        yield provision
    for each in provision.inner:
        yield from _denying(each)


def _let_through(permit: Provision, boxes: Sequence[Box], known: frozenset[str]) -> list[Box]:
    """What a permitting provision permits of these."""
    within = _within(permit, boxes)
    if permit.permitting:
        within = _through_any(permit, within, known)
    for inner in permit.denying:
        within = _without(inner, within, known)
    return within


def _through_any(provision: Provision, boxes: Sequence[Box], known: frozenset[str]) -> list[Box]:
    """What one or another of the permits in a provision permits, and no denial in any of them reaches."""
    through = list(_apart(each for inner in provision.permitting for each in _let_through(inner, boxes, known)))
    for inner in provision.permitting:
        through = [part for each in through for part in _less(each, list(_denied_in(inner, each, known)))]
    return through


def _denied_in(permit: Provision, box: Box, known: frozenset[str]) -> Iterator[Box]:
    """The parts of a box that the denials in a permit possibly reach, each as far as the permit possibly goes."""
    scope = _reached(permit, box, known)
    if scope:
        yield from (_reached(each, scope, known) for each in permit.denying)
        for each in permit.permitting:
            yield from _denied_in(each, scope, known)


def _less(box: Box, parts: Iterable[Box]) -> list[Box]:
    """A box less some others."""
    rest = [box]
    for part in parts:
        rest = [piece for each in rest for piece in _outside(each, each & part)]
    return rest


def _within(provision: Provision, boxes: Iterable[Box]) -> list[Box]:
    """The part of the boxes that surely lies in the provision."""
    if provision.unjudged:
        return []
    found = []
    for box in boxes:
        who = provision.who
        cut = Box(
            box.who if who is None else frozenset(each for each in box.who if each.own & who.sure),
            _sure(box.actions, provision.actions),
            _sure(box.purposes, provision.purposes),
            _sure(box.categories, provision.categories),
            box.held & provision.held.sure,
            box.data & provision.data.sure,
        )
        if cut:
            found.append(cut)
    return found


def _sure(side: frozenset, named: Named | None) -> frozenset:  # type: ignore[type-arg]
    return side if named is None else side & named.sure


def _without(denial: Provision, boxes: Iterable[Box], known: frozenset[str]) -> list[Box]:
    """The boxes less all that the denial possibly reaches: side by side, what it does not reach stays."""
    return [part for box in boxes for part in _outside(box, _reached(denial, box, known))]


def _outside(box: Box, inside: Box) -> list[Box]:
    """A box less a part of it, in boxes that do not overlap: side by side, what lies outside is cut off."""
    if not inside:
        return [box]
    parts = []
    for name in ("who", "actions", "purposes", "categories"):
        side = getattr(inside, name)
        parts.append(replace(box, **{name: getattr(box, name) - side}))
        box = replace(box, **{name: side})
    for name in ("held", "data"):
        side = getattr(inside, name)
        parts += [replace(box, **{name: each}) for each in getattr(box, name) - side]
        box = replace(box, **{name: side})
    return [each for each in parts if each]


def _reached(rule: Provision, box: Box, known: frozenset[str]) -> Box:
    """The part of a box that a provision possibly reaches."""
    who = rule.who
    anybody = who is None or who.unknown or not who.possible <= known
    return Box(
        box.who
        if anybody or who is None
        else frozenset(each for each in box.who if (each.own | each.near) & who.possible),
        box.actions if rule.actions is None else box.actions & rule.actions.possible,
        box.purposes if rule.purposes is None else box.purposes & rule.purposes.possible,
        box.categories if rule.categories is None else box.categories & rule.categories.possible,
        box.held & rule.held.possible,
        box.data & _whole_minutes(rule.data.possible),
    )


def _whole_minutes(window: Window) -> Window:
    """The minutes that a window touches: data is kept in whole ones."""
    return Window(window.start // 60 * 60, -(-window.end // 60) * 60)


def _apart(boxes: Iterable[Box]) -> Iterator[Box]:
    """Boxes of which none overlaps one before it."""
    seen: list[Box] = []
    for box in boxes:
        yield from _less(box, seen)
        seen.append(box)


def decides(consent: Consent, party: Party, purpose: Purpose, category: str, at: int, data: Period,
            action: Action = Action.READ) -> bool:  # fmt: skip
    """Whether the consent, as it is carried over, permits one request at a time (unix seconds)."""
    asked = Box(
        frozenset({party}),
        frozenset({action}),
        frozenset({purpose}),
        frozenset({category}),
        Window(at, at + 1),
        seconds_of(data),
    )
    return permitted(consent, asked) == [asked]
