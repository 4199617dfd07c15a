"""A consent receipt for people: what was allowed, in plain words, as text, as one HTML page, and as JSON.

Every word is from one catalogue a language (`receipt.en.toml`); nothing here has a sentence of its own. JSON has the
names of Kantara's Consent Receipt 1.1 where they fit, and of ISO/IEC TS 27560 beside them (`event`).

>>> languages()
('en',)
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

from ...vocabulary import Action, Purpose, category
from ..app import App, rfc3339
from ..times import minutes
from ..words import CATEGORY_NAMES
from .research import for_programs, in_words

if TYPE_CHECKING:
    from ...ledger import GrantRecord
    from ...policy import Grant

VERSION = "KI-CR-v1.1.0"
_PREFIX, _SUFFIX = "receipt.", ".toml"


@cache
def languages() -> tuple[str, ...]:
    """Those that there is a catalogue of."""
    names = (each.name for each in resources.files(__package__).iterdir())
    return tuple(sorted(name[len(_PREFIX) : -len(_SUFFIX)] for name in names
                        if name.startswith(_PREFIX) and name.endswith(_SUFFIX)))  # fmt: skip


@cache
def catalogue(language: str) -> dict[str, Any]:
    """The words of a language, by name."""
    return tomllib.loads(resources.files(__package__).joinpath(f"{_PREFIX}{language}{_SUFFIX}").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a grant says, to be told in a language.

    Args:
        given: the slot as its newest grant wrote it; `record` is how it stands.
        name: how the grant is written: 7/cardiology/0.
        research: the terms under which it lets train; None if this key cannot read them.
    """

    app: App
    record: GrantRecord
    given: GrantRecord
    name: str
    state: str
    categories: tuple[str, ...]
    research: tuple[str, ...] | None = ()
    language: str = "en"

    @property
    def grant(self) -> Grant:
        return self.given.grant

    @property
    def _words(self) -> dict[str, Any]:
        return catalogue(self.language)

    def lines(self) -> list[tuple[str, str]]:
        """Each heading with what stands under it."""
        words, app, slot, grant = self._words, self.app, self.record.slot, self.grant
        view = app.client.context.view()
        who = app.people.described(slot.grantee)
        if any(one.organisation == slot.grantee for each in view.members() if (one := view.member(each))):
            who = words["organisation"].format(name=who)
        purposes = [words["purposes"][each.name] for each in Purpose if grant.purposes & each.mask]
        sensitive = self._sensitive()
        period = words["period"].format(start=app.time(grant.not_before_at), end=app.time(grant.expires_at))
        end = app.time(grant.data.end * 60)
        data = words["minutes" if grant.data.start else "first"].format(start=app.time(grant.data.start * 60), end=end)
        return [
            (words["now"], words["state"][self.state]),
            (words["who"], words["given_by"].format(owner=app.people.name(slot.owner), twin=slot.twin)),
            (words["to"], who),
            (words["may"], self._listed([words["actions"][each.name] for each in self._actions()])),
            (words["what"], self._listed([words["categories"].get(each, each) for each in self.categories])),
            (words["why"], self._listed(purposes, "or") if purposes else words["no_purpose"]),
            (words["when"], period),
            (words["data"], data),
            *([(words["research"], in_words(words, self.research))] if Action.TRAIN in self._actions() else []),
            (words["sensitive"], words["sensitive_yes"].format(names=self._listed(sensitive)) if sensitive
             else words["sensitive_no"]),
            (words["recorded"], words["place"].format(
                block=self.record.block, deployment=app.client.context.deployment.id, at=app.time(self.record.at),
                revision=self.record.grant.revision)),
            (words["withdraw"], words["withdraw_words"].format(command=words["command"].format(grant=self.name))),
            (words["after"], words["after_words"]),
            (words["seen"], words["seen_words"].format(twin=slot.twin)),
            (words["controller"], words["controller_words"]),
        ]  # fmt: skip

    def text(self) -> list[str]:
        """As lines for a terminal."""
        words = self._words
        lines = [f"{words['title']} {self.name}", words["intro"], ""]
        for heading, body in self.lines():
            lines += [heading, f"  {body}"]
        return lines

    def html(self) -> str:
        """As one page: no script, nothing from elsewhere, readable when printed and when read aloud."""
        words = self._words
        rows = "\n".join(f"<dt>{escape(heading)}</dt>\n<dd>{escape(body)}</dd>" for heading, body in self.lines())
        title = escape(f"{words['title']} {self.name}")
        return (
            f'<!doctype html>\n<html lang="{escape(words["language"])}">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n<style>{_STYLE}</style>\n'
            f"</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{escape(words['intro'])}</p>\n<dl>\n{rows}\n</dl>\n"
            "</main>\n</body>\n</html>"
        )

    def plain(self) -> dict[str, Any]:
        """For programs. What Kantara asks for and no ledger knows (jurisdiction, policy) is said to be not said."""
        slot, grant, words = self.record.slot, self.grant, self._words
        deployment = self.app.client.context.deployment
        purposes = [each for each in Purpose if grant.purposes & each.mask]
        grantee = self.app.people.plain(slot.grantee)
        number = self.record.grant.revision
        return {
            "version": VERSION,
            "jurisdiction": words["none"],
            "consentTimestamp": self.given.at,
            "collectionMethod": words["collected"],
            "consentReceiptID": f"{deployment.id}/{slot.twin}/{slot.grantee}/{slot.number}/{number}",
            "language": words["language"],
            "piiPrincipalId": slot.owner,
            "piiControllers": [{"piiController": grantee["name"] or slot.grantee, "contact": slot.grantee}],
            "policyUrl": words["none"],
            "services": [
                {
                    "service": ", ".join(each.name for each in self._actions()),
                    "purposes": [
                        {
                            "purpose": words["purposes"][each.name],
                            "purposeCategory": [each.name],
                            "consentType": "EXPLICIT",
                            "piiCategory": list(self.categories),
                            "primaryPurpose": True,
                            "termination": rfc3339(grant.expires_at),
                            "thirdPartyDisclosure": False,
                        }
                        for each in purposes
                    ],
                }
            ],
            "sensitive": bool(self._sensitive()),
            "spiCat": self._sensitive(),
            "event": {
                "event_time": rfc3339(self.given.at),
                "event_type": "explicit",
                "event_state": self.state,
                "validity_duration": {"from": rfc3339(grant.not_before_at), "until": rfc3339(grant.expires_at)},
            },
            "grant": self.name,
            "twin": slot.twin,
            "data": minutes(grant.data),
            "research": for_programs(self.research),
            "block": self.record.block,
            "revision": number,
            "withdrawal": words["command"].format(grant=self.name),
            "lines": [{"heading": heading, "text": body} for heading, body in self.lines()],
        }

    def _actions(self) -> list[Action]:
        return [each for each in Action if self.grant.actions & each.mask]

    def _sensitive(self) -> list[str]:
        return [each for each in self.categories if each in CATEGORY_NAMES and category(each).sensitive]

    def _listed(self, parts: list[str], last: str = "and") -> str:
        *before, final = parts or [self._words["none"]]
        return f"{', '.join(before)} {self._words[last]} {final}" if before else final


_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;color:#111;background:#fff;margin:0}"
    "main{max-width:42rem;margin:0 auto;padding:1.5rem}h1{font-size:1.5rem;overflow-wrap:anywhere}"
    "dt{font-weight:bold;margin-top:1rem}dd{margin:0;overflow-wrap:anywhere}"
    "@media print{main{max-width:none;padding:0}dt{break-after:avoid}dd{break-inside:avoid}}"
)
