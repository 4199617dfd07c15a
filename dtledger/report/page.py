"""A report as one HTML page: no script, nothing from elsewhere, readable in any browser, printed, and read aloud."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources

from ..audit import Verdict
from .document import ORDER, Report
from .graph import SIGNS, drawn

_HEADLINES = {
    Verdict.PASS: "Every claim was checked and holds.",
    Verdict.FAIL: "Something is wrong: at least one claim fails.",
    Verdict.CANNOT_CHECK: "No claim fails, and not every claim could be checked.",
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load for the page: nothing but the style that stands in it."""


_SHORT = 20
"""Characters of a cell that stays one line: a time, a block, a claim's name."""


def html(report: Report) -> str:
    """The page."""
    title = escape(report.title)
    style = resources.files(__package__).joinpath("page.css").read_text("utf-8")
    sections = [
        ("verdicts", "Verdicts", _verdicts(report)),
        ("unchecked", "What could not be checked", _unchecked(report)),
        ("timeline", "Timeline", _timeline(report)),
        ("access", "Who used what, under which consent", _access(report)),
        ("lineage", "Lineage", _lineage(report)),
        ("again", "Run it again", _again(report)),
    ]
    links = "".join(f'<li><a href="#{name}">{heading}</a></li>' for name, heading, _ in sections)
    bodies = "\n".join(
        f'<section id="{name}" aria-labelledby="{name}-heading">\n<h2 id="{name}-heading">{heading}</h2>\n{body}\n'
        "</section>"
        for name, heading, body in sections
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{title}</h1>\n{_headline(report)}\n"
        f"{_facts(report)}\n{_notes(report)}\n</header>\n"
        f'<nav aria-label="Sections"><ol>{links}</ol></nav>\n{bodies}\n</main>\n</body>\n</html>\n'
    )


def _headline(report: Report) -> str:
    kind = report.verdict.name.lower()
    counts = ", ".join(f"{count} {each.value}" for each, count in report.counts.items())
    return (
        f'<p class="headline {kind}"><span class="sign" aria-hidden="true">{SIGNS[report.verdict]}</span> '
        f"<strong>{_HEADLINES[report.verdict]}</strong> {len(report.claims)} claims: {counts}.</p>"
    )


def _facts(report: Report) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in report.facts)
    return f"<dl>{rows}</dl>" if rows else ""


def _notes(report: Report) -> str:
    return "".join(f'<p class="note">{escape(each)}</p>' for each in report.notes)


def _verdicts(report: Report) -> str:
    present = [each for each in ORDER if report.counts[each]]
    words = "" if len(present) == 1 else "<p>The worst first.</p>"
    rows = (
        [_verdict(each.verdict), escape(each.name), escape(each.about), escape(each.evidence)]
        for each in report.ordered
    )
    return words + _table("Every claim with its verdict", ("Verdict", "Claim", "About", "Evidence"), rows)


def _unchecked(report: Report) -> str:
    lacking = [each for each in report.claims if each.verdict is Verdict.CANNOT_CHECK]
    if not lacking:
        return "<p>Everything that is claimed could be checked.</p>"
    reasons: dict[str, list[str]] = {}
    for each in lacking:
        reasons.setdefault(each.evidence, []).append(f"{each.name} ({each.about})")
    items = "".join(
        f"<li>{escape(why.removesuffix('.'))}: {escape(', '.join(what))}</li>" for why, what in reasons.items()
    )
    return f"<p>What cannot be checked is no pass: nobody can say from this whether it holds.</p><ul>{items}</ul>"


def _timeline(report: Report) -> str:
    if not report.events:
        return "<p>The ledger tells of nothing.</p>"
    rows = ([escape(each.at), f"{each.block:,}", escape(each.what)] for each in report.events)
    return _table("What the ledger tells, in its order", ("Time", "Block", "What happened"), rows)


def _access(report: Report) -> str:
    if not report.accesses:
        return "<p>Nothing that was shown to the auditor names whose data was used.</p>"
    rows = ([escape(text) for text in (each.who, each.what, each.consent, each.note)] for each in report.accesses)
    return _table("Data that was used, and the consent for it", ("Who", "What", "Consent", "How it is known"), rows)


def _lineage(report: Report) -> str:
    if not report.nodes:
        return "<p>Nothing was made yet.</p>"
    titles = {each.name: each for each in report.nodes}
    sources: dict[str, list[str]] = {}
    for edge in report.edges:
        sources.setdefault(edge.target, []).append(titles[edge.source].title)
    rows = (
        [escape(each.title), escape(each.detail or "-"), escape(", ".join(sources.get(each.name, [])) or "-"),
         _verdict(each.verdict) if each.verdict else "not audited"]
        for each in report.nodes
    )  # fmt: skip
    table = _table("The same in words", ("What", "Detail", "From", "Verdict"), rows)
    picture = drawn(report.nodes, report.edges)
    return f'<figure role="group" aria-label="The lineage as a picture" tabindex="0">{picture}</figure>{table}'


def _again(report: Report) -> str:
    return (
        "<p>Whoever has the same key, ledger, store and files gets the same verdicts:</p>"
        f"<pre><code>{escape(report.command)}</code></pre>"
    )


def _verdict(verdict: Verdict) -> str:
    kind = verdict.name.lower()
    return f'<span class="verdict {kind}"><span aria-hidden="true">{SIGNS[verdict]}</span> {verdict.value}</span>'


def _table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; on a narrow screen a list of its rows, each cell after its heading. Its parts say what they are all the
    same, for there a browser would not."""
    head = "".join(f'<th scope="col" role="columnheader">{each}</th>' for each in headings)
    body = "\n".join(
        f'<tr role="row">{"".join(_cell(heading, text) for heading, text in zip(headings, row, strict=True))}</tr>'
        for row in rows
    )
    return (
        f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0"><table role="table">'
        f'<caption>{escape(caption)}</caption><thead role="rowgroup"><tr role="row">{head}</tr></thead>\n'
        f'<tbody role="rowgroup">\n{body}\n</tbody></table></div>'
    )


def _cell(heading: str, text: str) -> str:
    """A cell; a short one is not broken into lines."""
    short = ' class="short"' if len(text) <= _SHORT or text.startswith("<span") else ""
    return f'<td role="cell" data-heading="{heading}"{short}>{text}</td>'
