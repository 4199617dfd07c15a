"""A Consent of FHIR R4 as rules: who, what for, what, when, which data, and what of it dtledger cannot judge.

Read are R4 as it is (a base policy `OPTIN` or `OPTOUT`, a root without a type) and IHE's Privacy Consent on FHIR (PCF:
a root with a type and no base policy).

Sources: FHIR R4 4.0.1, Consent; IHE ITI PCF 1.1, consentBasic and consentIntermediate.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..vocabulary import Action, Purpose
from .codes import (
    ACT_CODE,
    CONSENT_SCOPE,
    PARTICIPATION,
    Code,
    Named,
    actions_of,
    categories_of,
    codes_in,
    purposes_of,
)
from .element import Element
from .loss import Loss
from .moments import UNLIMITED, Moment, Spell, spell
from .strict import refuse

STATUSES = ("draft", "proposed", "active", "rejected", "inactive", "entered-in-error")

MOST_RULES = 200
"""What one rule leaves of a request the next may cut anew: of thousands that lie across each other nobody sees the end.
Consents have a dozen."""

_RECIPIENTS = frozenset({"IRCP", "PRCP"})
"""Roles of v3-ParticipationType that receive information: what a permit must name."""


@dataclass(frozen=True, slots=True)
class Who:
    """The recipients that a provision names: those surely meant, by their references, and those possibly meant.
    `unknown` is whether it names somebody that no reference stands for."""

    sure: frozenset[str]
    possible: frozenset[str]
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Provision:
    """One rule. `permits` is None where it has no type; of its limits None is no limit. `unjudged` are paths of limits
    that dtledger has no word for."""

    path: str
    permits: bool | None
    who: Who | None = None
    actions: Named[Action] | None = None
    purposes: Named[Purpose] | None = None
    categories: Named[str] | None = None
    held: Spell = UNLIMITED
    data: Spell = UNLIMITED
    unjudged: tuple[str, ...] = ()
    inner: tuple[Provision, ...] = ()

    @property
    def permitting(self) -> list[Provision]:
        return [each for each in self.inner if each.permits]

    @property
    def denying(self) -> list[Provision]:
        return [each for each in self.inner if not each.permits]


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent: `base` is whether its base policy permits, None where it has none. `shut` says why it permits nothing
    whatever its rules say; empty if it may."""

    base: bool | None
    root: Provision | None
    status: str
    shut: str = ""
    given: Moment | None = None
    references: frozenset[str] = frozenset()
    """Everybody whom its rules name."""
    losses: tuple[Loss, ...] = field(default=(), compare=False)


def read_consent(value: Any) -> Consent:
    """A Consent resource.

    Raises:
        InputError: it is none, is of another scope than privacy, or an element has the wrong form;
            `.evidence["path"]` says which.
    """
    resource = Element.root(value)
    if resource.path != "Consent":
        refuse(f"{resource.path}.resourceType", "it is no Consent")
    return _Reading(resource).consent()


class _Reading:
    """The reading of one Consent; losses gather on the way."""

    def __init__(self, resource: Element) -> None:
        self._resource = resource
        self._losses: list[Loss] = []
        self._references: set[str] = set()
        self._rules = 0

    def consent(self) -> Consent:
        resource = self._resource
        status = resource.needed("status")
        if status not in STATUSES:
            refuse(resource.at("status"), "it is no status of a consent")
        self._require_privacy()
        given = resource.text("dateTime")
        base, shut = self._base()
        if status != "active":
            shut = f"its status is {status}, not active"
        shut = self._modified() or shut
        element = resource.element("provision")
        root = self._provision(element, root=True) if element else None
        if root is None and base is None:
            shut = shut or "it has neither a base policy nor a provision"
        if root is not None and base is None and root.permits is None:
            shut = shut or "it has no base policy, and its root provision no type"
        if root is not None and base is False and root.permits:
            shut = shut or "its base policy denies and its root provision permits"
        if shut:
            self._losses.append(Loss("Consent", f"nothing is permitted: {shut}", denies=True))
        resource.skip("category", "patient", "performer", "organization", "identifier", "language")
        resource.skip("sourceAttachment", "sourceReference", "contained", "extension")
        for name in ("sourceAttachment", "sourceReference"):
            if resource.has(name):
                self._losses.append(Loss(resource.at(name), "the words that were signed are not read"))
        self._losses += [Loss(path, "it is not carried over") for path in resource.unread()]
        return Consent(
            base,
            root,
            status,
            shut,
            Moment.of(given, resource.at("dateTime")) if given else None,
            frozenset(self._references),
            tuple(self._losses),
        )

    def _require_privacy(self) -> None:
        scope = self._resource.element("scope")
        codes = codes_in(scope) if scope else []
        if Code(CONSENT_SCOPE, "patient-privacy") not in codes:
            refuse(
                self._resource.at("scope"),
                "it is no consent to the use of data (patient-privacy)",
                hint="Consents to treatment, to research as such or advance directives are none that a ledger of data "
                "can carry out.",
            )

    def _modified(self) -> str:
        """Whether something says that the consent means something else than it seems to."""
        for name in ("implicitRules", "modifierExtension"):
            if self._resource.has(name):
                self._resource.skip(name, f"_{name}")
                return f"it has rules that are not known ({self._resource.at(name)})"
        return ""

    def _base(self) -> tuple[bool | None, str]:
        """The base policy, and why none is believed."""
        for policy in self._resource.elements("policy"):
            policy.skip("authority", "uri")
            self._losses.append(Loss(policy.path, "the policy's text is not read: it may deny what is permitted here"))
        rule = self._resource.element("policyRule")
        if rule is None:
            if self._resource.has("policyRule"):
                return None, "its base policy has no code"
            return None, ""
        codes = codes_in(rule)
        if codes == [Code(ACT_CODE, "OPTIN")]:
            return True, ""
        if codes == [Code(ACT_CODE, "OPTOUT")]:
            return False, ""
        return None, f"its base policy is none that is known ({', '.join(map(str, codes))})"

    def _provision(self, element: Element, *, root: bool = False) -> Provision:
        self._rules += 1
        if self._rules > MOST_RULES:
            refuse(element.path, f"a consent of more than {MOST_RULES} rules")
        kind = element.text("type")
        if kind not in {"permit", "deny", None}:
            refuse(element.at("type"), "it is neither permit nor deny")
        if kind is None and not root:
            refuse(element.at("type"), "a provision in a provision needs a type")
        unjudged = []
        for name, words in (
            ("securityLabel", "labels of data are not known here"),
            ("data", "a snapshot is no resource that a consent can name"),
        ):
            if element.has(name):
                element.skip(name, f"_{name}")
                unjudged.append(element.at(name))
                self._losses.append(Loss(element.at(name), words, denies=True))
        held, data = spell(element.element("period")), spell(element.element("dataPeriod"))
        for spelled, name in ((held, "period"), (data, "dataPeriod")):
            if spelled.loose:
                self._losses.append(
                    Loss(
                        element.at(name), "a day has no zone: permitted is what lies in it in all of them", denies=True
                    )
                )
        read = Provision(
            element.path,
            None if kind is None else kind == "permit",
            self._who(element),
            self._codes(element, "action", actions_of),
            self._codes(element, "purpose", purposes_of),
            self._categories(element),
            held,
            data,
            inner=tuple(self._provision(each) for each in element.elements("provision")),
        )
        return replace(read, unjudged=(*unjudged, *self._strange(element)))

    def _strange(self, element: Element) -> list[str]:
        """What of an element nobody here knows: it may be a limit, or say that the rest means something else."""
        strange = element.strange()
        self._losses += [Loss(element.at(each), "rules that are not known", denies=True) for each in strange]
        element.skip(*strange)
        return [element.at(each) for each in strange]

    def _categories(self, element: Element) -> Named[str] | None:
        """What data: with a class and a code what is of both (FHIR R4, `code`: "if this code is found in an instance").
        A denial reaches what is of either."""
        classes = [Code.of(each) for each in element.elements("class")]
        codes = [code for each in element.elements("code") for code in codes_in(each)]
        named = [
            self._told(element, name, categories_of(found))
            for name, found in (("class", classes), ("code", codes))
            if found
        ]
        if not named:
            return None
        return Named(
            frozenset.intersection(*(each.sure for each in named)),
            frozenset.union(*(each.possible for each in named)),
        )

    def _codes(self, element: Element, name: str, meaning: Any) -> Any:
        """The meaning of an element's codes; None where it has none."""
        if name not in element.value:
            return None
        if name == "purpose":
            codes = [Code.of(each) for each in element.elements(name)]
        else:
            codes = [code for each in element.elements(name) for code in codes_in(each)]
        return self._told(element, name, meaning(codes))

    def _told(self, element: Element, name: str, named: Named[Any]) -> Named[Any]:
        for code in named.unknown:
            self._losses.append(
                Loss(element.at(name), f"{code} is not known: it permits nothing, and denies everything", denies=True)
            )
        return named

    def _who(self, element: Element) -> Who | None:
        actors = element.elements("actor")
        if not actors:
            return None
        sure, possible, unknown = set(), set(), False
        for actor in actors:
            reference, role = actor.element("reference"), actor.element("role")
            name = reference.text("reference") if reference else None
            if reference is not None:
                reference.skip("display", "type")
            if name is None:
                unknown = True
                self._losses.append(Loss(actor.at("reference"), "it names nobody by a reference", denies=True))
                continue
            self._references.add(name)
            possible.add(name)
            codes = codes_in(role) if role else []
            if self._strange(actor):
                unknown = True
            elif any(code.system == PARTICIPATION and code.code in _RECIPIENTS for code in codes):
                sure.add(name)
        return Who(frozenset(sure), frozenset(possible), unknown)
