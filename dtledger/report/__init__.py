"""An audit for people: one page that needs nothing but itself, and the same as JSON.

Whoever makes one hands over claims with their verdicts, what happened when, who opened what under which consent, and
what was made of what. The page says verdicts first, and what could not be checked in a section of its own.

>>> from dtledger.audit import Claim, Verdict
>>> page = Report("Audit of a model", (), (Claim("card", "the model", Verdict.PASS, "signed"),), command="dtledger …")
>>> page.verdict.value, html(page)[:15]
('pass', '<!doctype html>')
"""

from __future__ import annotations

from .document import Access, Edge, Event, Node, Report
from .page import html

__all__ = ["Access", "Edge", "Event", "Node", "Report", "html"]
