"""`help`: what no single command explains, true to the vocabulary and to the commands there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dtledger import audit, errors, readings
from dtledger._cli.help import topics
from dtledger._cli.main import main
from dtledger.config import ENTRIES
from dtledger.importers import FORMATS
from dtledger.vocabulary import CATEGORIES, Action, Kind, Purpose, Reason
from dtledger.vocabulary.units import UNITS

from .bare import Run, at_terminal, runner


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(tmp_path / "home", monkeypatch)


def test_alone_it_lists_every_topic_with_its_title(run: Run) -> None:
    result = run("help")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(topics())
    listed = json.loads(run("help", "--json").stdout)
    assert listed["schema"] == "dtledger/help-topics/1"
    assert {each["name"]: each["title"] for each in listed["topics"]} == {
        name: topic.title for name, topic in topics().items()
    }


def test_a_topic_is_shown_and_is_one_object_with_json(run: Run) -> None:
    shown = run("help", "exit-codes")
    told = json.loads(run("help", "exit-codes", "--json").stdout)
    assert told["schema"] == "dtledger/help/1"
    assert (told["topic"], told["title"]) == ("exit-codes", "what a command's exit code says")
    assert shown.stdout == f"{told['title']}\n\n{told['text']}\n"


def test_a_topic_in_several_words_is_found_too(run: Run) -> None:
    assert run("help", "exit", "codes").stdout == run("help", "EXIT-CODES").stdout == run("help", "exit-codes").stdout


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("actions", [word for each in Action for word in (each.name, each.text)]),
        ("categories", [word for each in CATEGORIES for word in (each.name, each.unit, each.text)]),
        ("files", [word for each in FORMATS for word in (each.NAME, each.TEXT)]),
        ("kinds", [word for each in Kind for word in (each.name, each.text)]),
        ("purposes", [word for each in Purpose for word in (each.name, each.text)]),
        ("reasons", [word for each in Reason for word in (each.name, each.text)]),
        ("settings", [word for each in ENTRIES.values() for word in (each.name, each.text)]),
        ("units", [word for each in UNITS for word in (each.code, each.text)]),
    ],
)
def test_tables_come_from_the_vocabulary(topic: str, words: list[str]) -> None:
    text = topics()[topic].text
    assert [word for word in words if word not in text] == []
    assert not re.search(r"^\{.*\}$", text, re.MULTILINE)


def test_every_word_on_a_readings_quality_is_explained() -> None:
    words = [
        word for name, word in vars(readings).items() if name.isupper() and name != "SCHEMA" and isinstance(word, str)
    ]
    assert {"below-range", "scan", "fingerstick"} < set(words)
    assert [word for word in words if not re.search(rf"^    .*\b{word}\b", topics()["files"].text, re.MULTILINE)] == []


def test_sensitive_categories_are_marked() -> None:
    marked = {line.split()[0] for line in topics()["categories"].text.splitlines() if line.endswith("(sensitive)")}
    assert marked == {each.name for each in CATEGORIES if each.sensitive}


def test_every_exit_code_of_an_error_is_explained() -> None:
    codes = {each.exit_code for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "exit_code")}
    explained = {int(found) for found in re.findall(r"^    (\d)   ", topics()["exit-codes"].text, re.MULTILINE)}
    assert explained == codes | {0}


def commands_named() -> Iterator[list[str]]:
    for topic in topics().values():
        for words in re.findall(r"(?:^    |`)dtledger ([a-z-]+(?: [a-z-]+)?)", topic.text, re.MULTILINE):
            yield words.split()


@pytest.mark.parametrize("words", [pytest.param(each, id=" ".join(each)) for each in commands_named()])
def test_every_command_that_a_topic_names_is_there(words: list[str]) -> None:
    context = click.Context(main, info_name="dtledger")
    command = main.get_command(context, words[0])
    assert command is not None
    if isinstance(command, click.Group):
        assert len(words) == 1 or command.get_command(context, words[1]) is not None


def test_topics_fit_a_terminal_of_120_columns() -> None:
    assert [line for topic in topics().values() for line in topic.text.splitlines() if len(line) > 120] == []


def test_the_words_of_a_command_give_its_own_help(run: Run) -> None:
    assert run("help", "member", "enrol").stdout == run("member", "enrol", "--help").stdout
    assert run("help", "key").stdout == run("key", "--help").stdout
    told = json.loads(run("help", "key", "new", "--json").stdout)
    assert told["topic"] == "key new"
    assert "--keystore" in told["text"]


def test_a_topic_named_as_a_noun_points_to_the_nouns_commands(run: Run) -> None:
    assert "dtledger consent --help" in run("help", "consent").stderr
    assert "--help" not in run("help", "times").stderr


@pytest.mark.parametrize(
    ("words", "meant"),
    [(("purpose",), "purposes"), (("membr",), "member"), (("member", "enrole"), "enrol"), (("key", "new", "x"), "")],
)
def test_an_unknown_word_is_a_usage_error_that_names_the_nearest(run: Run, words: tuple[str, ...], meant: str) -> None:
    result = run("help", *words)
    assert result.exit_code == 2
    assert f"'{words[-1]}'" in result.stderr
    assert (f"Did you mean {meant}?" in result.stderr) is bool(meant)
    error = json.loads(run("help", *words, "--json").stderr)
    assert (error["schema"], error["exit_code"]) == ("dtledger/error/1", 2)


@pytest.mark.parametrize(
    "words", [("--json",), ("twn", "--json"), ("twin", "--json"), ("twin", "red", "--json"), ("key", "new", "--json")]
)
def test_a_wrong_command_line_is_one_object_with_json_wherever_it_is_wrong(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert json.loads(result.stderr)["schema"] == "dtledger/error/1"
    assert run(*words[:-1], "--jsn").stderr.startswith("Usage: ")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("emergency", "open", "7/a/0", "--cause", "FUN"), "OVRINCOMP"),
        (("emergency", "review", "1", "--finding", "FUN"), "JUSTIFIED"),
        (("consent", "explain", "--action", "FUN"), "TRAIN"),
    ],
)
def test_a_mistyped_code_is_told_the_codes_as_they_are_written(run: Run, words: tuple[str, ...], code: str) -> None:
    refused = run(*words)
    assert (refused.exit_code, code in refused.stderr) == (2, True)


@pytest.mark.slow
def test_titles_are_bold_at_a_terminal_unless_no_color_is_set(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in at_terminal(tmp_path, "help", "json", typed="")[1]
    monkeypatch.delenv("NO_COLOR")
    assert at_terminal(tmp_path, "help", "json", typed="")[1].startswith("\x1b[1moutput for programs")


def test_a_mistyped_noun_is_told_the_nearest_as_a_mistyped_verb_is(run: Run) -> None:
    for words, nearest in ((["consnt", "list"], "'consent'"), (["consent", "lst"], "'list'")):
        refused = run(*words)
        assert refused.exit_code == 2
        assert f"Did you mean {nearest}?" in refused.stderr
    assert "Did you mean" not in run("xyzzy").stderr


def test_a_list_of_commands_says_each_in_a_whole_sentence(run: Run) -> None:
    text = run("member", "--help").stdout
    assert "..." not in text.partition("Commands:")[2]


def test_each_example_stands_on_a_line_of_its_own_to_be_copied(run: Run) -> None:
    lines = run("twin", "read", "--help").stdout.partition("Examples:\n")[2].splitlines()
    assert len(lines) == 3
    assert all(line.startswith("  dtledger twin read 7 --category glucose") for line in lines)


def test_an_option_of_many_words_names_the_topic_that_tells_them_instead_of_all(run: Run) -> None:
    text = run("twin", "read", "--help").stdout
    assert "--category NAME" in text
    assert "--purpose CODE" in text
    assert "`dtledger help categories`" in text


def test_every_claim_of_an_audit_is_explained() -> None:
    claims = re.findall(r"^- \*\*(\w+)\*\*", audit.model.__doc__ or "", re.MULTILINE)
    of_a_model, _, of_a_twin = topics()["audit"].text.partition("dtledger audit twin 7")
    assert len(claims) > 10
    assert re.findall(r"^    (\w+) {3,}[a-z]", of_a_model, re.MULTILINE) == claims
    of_twins = "".join(module.__doc__ or "" for module in (audit.ground, audit.twin))
    known = set(re.findall(r"\*\*(\w+)\*\*", of_twins)) - {"bundle"}
    explained = re.findall(r"^    ([\w, ]+?) {2,}[a-z]", of_a_twin, re.MULTILINE)
    assert {name for each in explained for name in each.split(", ")} == known


def test_whoever_names_no_verb_that_there_is_hears_which_there_are(run: Run) -> None:
    result = run("fhir", "import", "bundle.json")
    assert result.exit_code == 2
    assert "No such command 'bundle.json'. There is: consent, observations." in result.output
