"""Terms of research: the GA4GH Data Use Ontology (DUO, http://purl.obolibrary.org/obo/duo.owl), and what keeps each.

A few are kept by what refuses: the rule, or the question before a grant is signed. The others nobody can see from here;
they are obligations, which whoever trains on the data takes on with it, and hands on with what was made.

>>> str(use_term("NPUNCU")), str(use_term("DUO:0000007=MONDO:0005148"))
('DUO:0000018', 'DUO:0000007=MONDO:0005148')
>>> use_term("DS")
Traceback (most recent call last):
ValueError: DUO:0000007 (DS) says which disease: DUO:0000007=VALUE
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_VALUE = 120


@dataclass(frozen=True, slots=True)
class DuoTerm:
    """One row: `takes` is what its value says ("" if it has none), `kept` by what it is enforced ("" if it is an
    obligation), `allows` whether it permits uses, which the others narrow."""

    code: str
    short: str
    text: str
    takes: str = ""
    kept: str = ""
    allows: bool = False

    @property
    def obliges(self) -> bool:
        """Whether whoever uses the data has to see to it themselves."""
        return not self.kept and self.short != "NRES"


_ENDS = "the grant ends, and nothing is permitted after that"
_GRANTEE = "the rule permits the grantee and its members, nobody else"
_CARE = "the grant names a purpose of care, and purposes match exactly"

DUO = (
    DuoTerm("DUO:0000004", "NRES", "no restriction", allows=True),
    DuoTerm("DUO:0000042", "GRU", "any research", allows=True),
    DuoTerm("DUO:0000006", "HMB", "health, medical or biomedical research, not of ancestry", allows=True),
    DuoTerm("DUO:0000007", "DS", "research of one disease", takes="which disease", allows=True),
    DuoTerm("DUO:0000011", "POA", "research of origins or ancestry alone", allows=True),
    DuoTerm("DUO:0000043", "CC", "clinical care", kept=_CARE, allows=True),
    DuoTerm("DUO:0000012", "RS", "research of one kind", takes="which kind"),
    DuoTerm("DUO:0000015", "NMDS", "no development of methods in general"),
    DuoTerm("DUO:0000016", "GSO", "genetic studies alone"),
    DuoTerm("DUO:0000018", "NPUNCU", "not-for-profit organisations alone, for no commerce"),
    DuoTerm("DUO:0000019", "PUB", "results are published"),
    DuoTerm("DUO:0000020", "COL", "together with whom the data are from"),
    DuoTerm("DUO:0000021", "IRB", "an ethics committee has approved it"),
    DuoTerm("DUO:0000022", "GS", "in one region alone", takes="which region"),
    DuoTerm("DUO:0000024", "MOR", "nothing is published before a day", takes="which day"),
    DuoTerm("DUO:0000025", "TS", "for a time", kept=_ENDS),
    DuoTerm("DUO:0000026", "US", "one person alone", kept=_GRANTEE),
    DuoTerm("DUO:0000027", "PS", "one project alone", takes="which project"),
    DuoTerm("DUO:0000028", "IS", "one institution alone", kept=_GRANTEE),
    DuoTerm("DUO:0000029", "RTN", "what was derived is given back"),
    DuoTerm("DUO:0000044", "NPOA", "no research of origins or ancestry"),
    DuoTerm("DUO:0000045", "NPU", "not-for-profit organisations alone"),
    DuoTerm("DUO:0000046", "NCU", "for no commerce"),
)

_BY_NAME = {name: each for each in DUO for name in (each.code, each.short)}


@dataclass(frozen=True, slots=True, order=True)
class UseTerm:
    """A term as a grant has it: its code, and its value where it takes one."""

    code: str
    value: str = ""

    def __str__(self) -> str:
        return f"{self.code}={self.value}" if self.value else self.code

    @property
    def row(self) -> DuoTerm:
        return _BY_NAME[self.code]

    @property
    def text(self) -> str:
        """In words: `research of one disease: MONDO:0005148`."""
        return f"{self.row.text}: {self.value}" if self.value else self.row.text


def use_term(text: str) -> UseTerm:
    """The term that a code or its short form names, with its value behind an equals sign.

    Raises:
        ValueError: there is none, or it has a value too many or too few.
    """
    name, _, value = text.partition("=")
    row = _BY_NAME.get(name.strip().upper().replace("DUO_", "DUO:"))
    if row is None:
        raise ValueError(f"unknown term of research {name!r}: known are {', '.join(each.short for each in DUO)}")
    value = value.strip()
    if bool(value) is not bool(row.takes):
        wants = f"says {row.takes}: {row.code}=VALUE" if row.takes else "takes no value"
        raise ValueError(f"{row.code} ({row.short}) {wants}")
    if not value.isprintable() or len(value) > LONGEST_VALUE:
        raise ValueError(f"the value of {row.code} is printable and at most {LONGEST_VALUE} characters long")
    return UseTerm(row.code, value)


def known_term(text: str) -> UseTerm | None:
    """As `use_term`; None for one that this version does not know."""
    try:
        return use_term(text)
    except ValueError:
        return None
