"""The page: whole without anything from elsewhere, the worst first, and no verdict told by a colour alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from dtledger.audit import Claim, Verdict
from dtledger.report import Access, Edge, Event, Node, Report, html

CLAIMS = (
    Claim("card", "the model", Verdict.PASS, "cgm-forecast, of ann"),
    Claim("cohort", "round 1, north", Verdict.FAIL, "3 twins are claimed, there are 2 leaves"),
    Claim("update", "round 1, south", Verdict.CANNOT_CHECK, "the file is not at hand"),
    Claim("weights", "round 1", Verdict.CANNOT_CHECK, "the file is not at hand"),
)
REPORT = Report(
    "Audit of the model cgm-forecast",
    (("Coordinator", "ann"),),
    CLAIMS,
    (Event("2026-01-01T12:00:00Z", 7, "round 1 was opened"),),
    (Access("north", "twin 4, round 1", "4/north/0", "the site opened it"),),
    (
        Node("start", 0, "first weights"),
        Node("a", 1, "north, round 1", "3 twins, ε 0.5", Verdict.FAIL),
        Node("b", 1, "south, round 1", "2 twins, ε 0.5", Verdict.CANNOT_CHECK),
        Node("c", 2, "aggregate of round 1", "0xab…", Verdict.PASS),
    ),
    (Edge("start", "a"), Edge("start", "b"), Edge("a", "c"), Edge("b", "c")),
    ("Keep it confidential.",),
    "dtledger audit report cgm-forecast",
)
VOID = {"meta"}


class Page(HTMLParser):
    """The tags of a page in order, each closed where it should be, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def test_it_loads_nothing_and_runs_nothing() -> None:
    text = html(REPORT)
    page = Page(text)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "form"})
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert not any(name in {"src", "srcset", "data"} for _, attrs in page.tags for name in attrs)
    assert all((each.get("href") or "").startswith("#") for each in page.named("a"))
    assert re.findall(r"(?:url\(|@import|https?://)[^\"' ]*", text) == ["http://www.w3.org/2000/svg"]
    (policy,) = (each for each in page.named("meta") if each.get("http-equiv"))
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_verdicts_come_first_and_the_worst_of_them_before_the_others() -> None:
    page = Page(html(REPORT))
    order = [page.text.index(each) for each in ("Something is wrong", "Verdicts", "What could not be checked",
                                                "What happened", "4/north/0", "The same in words")]  # fmt: skip
    assert order[0] < order[3] < order[4] < order[5]
    assert [each.verdict for each in REPORT.ordered] == [
        Verdict.FAIL,
        Verdict.CANNOT_CHECK,
        Verdict.CANNOT_CHECK,
        Verdict.PASS,
    ]


@pytest.mark.parametrize(
    ("claims", "verdict", "words"),
    [
        (CLAIMS[:1], Verdict.PASS, "Every claim was checked and holds."),
        (CLAIMS[:2], Verdict.FAIL, "at least one claim fails"),
        (CLAIMS[::2], Verdict.CANNOT_CHECK, "not every claim could be checked"),
        ((), Verdict.CANNOT_CHECK, "not every claim could be checked"),
    ],
    ids=["all pass", "one fails", "one cannot be checked", "nothing was checked"],
)
def test_the_whole_is_as_bad_as_its_worst_claim(claims: tuple[Claim, ...], verdict: Verdict, words: str) -> None:
    made = Report("x", (), claims)
    assert made.verdict is verdict
    assert words in Page(html(made)).text


def test_what_could_not_be_checked_says_why_once() -> None:
    page = html(REPORT)
    section = page[page.index('id="unchecked"') : page.index('id="timeline"')]
    assert section.count("the file is not at hand") == 1
    assert "update (round 1, south), weights (round 1)" in section
    assert "Everything that is claimed could be checked." in html(Report("x", (), CLAIMS[:1]))


def test_a_verdict_is_a_word_and_a_sign_wherever_it_has_a_colour() -> None:
    text = html(REPORT)
    for inner in re.findall(r'<span class="verdict \w+">(.*?)</span></?t?d?', text):
        assert re.search(r"(pass|fail|cannot check)", inner)
    for words in re.findall(r'class="verdict \w+">([^<]*)</text>', text):
        assert words in {"✓ pass", "✗ fail", "? cannot check", "not audited"}


def test_a_screen_reader_has_a_language_headings_captions_and_the_picture_in_words() -> None:
    page = Page(html(REPORT))
    assert page.named("html")[0]["lang"] == "en"
    assert len(page.named("h1")) == 1
    assert len(page.named("main")) == 1
    assert len(page.named("caption")) == len(page.named("table")) > 2
    assert {each["scope"] for each in page.named("th")} == {"col"}
    ids = {attrs["id"] for _, attrs in page.tags if attrs.get("id")}
    named = [word for _, attrs in page.tags for word in (attrs.get("aria-labelledby") or "").split()]
    assert set(named) <= ids
    assert [each["role"] for each in page.named("svg")] == ["img"]
    for node in REPORT.nodes:
        assert page.text.count(node.title) >= 2


def test_the_picture_is_well_formed_and_each_box_lies_in_it_and_on_no_other() -> None:
    nodes = tuple(Node(f"{row}-{n}", row, f"node {row} {n}") for row in range(4) for n in range(1 + 5 * (row % 2)))
    edges = tuple(Edge(a.name, b.name) for a in nodes for b in nodes if b.row == a.row + 1)
    text = html(Report("x", (), CLAIMS, nodes=nodes, edges=edges))
    svg = ElementTree.fromstring(re.findall(r"<svg.*?</svg>", text, re.DOTALL)[0])
    _, _, width, height = map(int, svg.attrib["viewBox"].split())
    space = "{http://www.w3.org/2000/svg}"
    boxes = [
        tuple(int(each.attrib[name]) for name in ("x", "y", "width", "height")) for each in svg.iter(f"{space}rect")
    ]
    assert len(boxes) == len(nodes) == len(set(boxes))
    for x, y, w, h in boxes:
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
    for number, (x, y, w, h) in enumerate(boxes):
        assert not [
            1 for ox, oy, ow, oh in boxes[number + 1 :] if x < ox + ow and ox < x + w and y < oy + oh and oy < y + h
        ]


HOSTILE = "<script>alert(1)</script>\"'&"


def test_what_a_name_hides_is_shown_and_does_nothing() -> None:
    made = Report(
        HOSTILE, ((HOSTILE, HOSTILE),), (Claim(HOSTILE, HOSTILE, Verdict.CANNOT_CHECK, HOSTILE),),
        (Event(HOSTILE, 1, HOSTILE),),
        (Access(HOSTILE, HOSTILE, HOSTILE, HOSTILE),), (Node("a", 0, HOSTILE, HOSTILE),), (), (HOSTILE,), HOSTILE,
    )  # fmt: skip
    page = Page(html(made))
    assert page.named("script") == []
    assert page.text.count(HOSTILE) > 10


def test_json_says_the_same() -> None:
    told = json.loads(json.dumps(REPORT.plain()))
    assert (told["verdict"], told["counts"]) == ("fail", {"fail": 1, "cannot_check": 2, "pass": 1})
    assert [each["verdict"] for each in told["claims"]] == ["fail", "cannot check", "cannot check", "pass"]
    assert told["lineage"]["edges"][0] == {"source": "start", "target": "a"}
    assert told["command"] == REPORT.command


def test_on_a_narrow_screen_each_cell_stands_after_its_heading_and_is_still_a_cell() -> None:
    """A table that is laid out as a list is none to a browser any more, unless each part says what it is."""
    page = Page(html(REPORT))
    cells = page.named("td")
    assert {each["role"] for each in cells} == {"cell"}
    assert {each["role"] for each in page.named("tr")} == {"row"}
    assert {each["role"] for each in page.named("table")} == {"table"}
    headings = ["Verdict", "Claim", "About", "Evidence"]
    assert [each["data-heading"] for each in cells[: 4 * len(CLAIMS)]] == headings * len(CLAIMS)


def test_without_its_style_the_picture_is_black_on_white() -> None:
    page = Page(html(REPORT))
    assert {(each["fill"], each["stroke"]) for each in page.named("rect")} == {("white", "black")}
    assert {each["fill"] for each in page.named("path") if each["class"] == "edge"} == {"none"}


def test_of_an_address_that_is_too_long_for_its_box_both_ends_are_shown() -> None:
    nodes = [Node(f"n{end}", 0, "0x7E5F4552091A69125d5DfCb7b8C2659029395" + end) for end in ("Bdf", "abc")]
    text = html(replace(REPORT, nodes=tuple(nodes), edges=()))
    assert "0x7E5F45520…395Bdf" in text
    assert "0x7E5F45520…395abc" in text


def test_a_reason_that_ends_with_a_stop_ends_with_one_sign() -> None:
    claim = Claim("category", "a stream", Verdict.CANNOT_CHECK, "Nobody showed it.")
    assert "Nobody showed it: category (a stream)" in html(replace(REPORT, claims=(claim,)))
