"""`twin guardians`, `twin freeze` and `twin recover`: a file that goes from one guardian to the next."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result

from dtledger.client.devnet import OPERATOR
from dtledger.ledger import calls
from tests.cli.twins import address_of, complaint, new_key, said

if TYPE_CHECKING:
    from tests.cli.conftest import DevnetHome

pytestmark = pytest.mark.anvil

Run = Callable[..., Result]


@dataclass(frozen=True)
class Circle:
    """Ann's twin, whose guardians are two of bea, cem and dot."""

    run: Run
    home: DevnetHome
    folder: Path
    twin: int
    ann: str
    friends: tuple[str, ...]

    @property
    def opening(self) -> Path:
        return self.folder / "ann.guardians.json"

    def named(self, count: int = 3) -> list[str | Path]:
        """The first of the friends, by the cards that they gave to Ann."""
        words: list[str | Path] = []
        for name in self.friends[:count]:
            card = self.folder / f"{name}.card.json"
            said(self.run("member", "card", name, "--out", card, "--replace", "--key", name, "--json"))
            words += ["--guardian", card]
        return words

    def act(self, *words: str | Path, by: str) -> Result:
        return self.run("twin", *words, "--key", by, "--yes", "--json")

    def shown(self) -> dict[str, Any]:
        return said(self.run("twin", "show", self.twin, "--key", self.ann, "--json"))

    def freeze(self) -> None:
        file = self.folder / "freeze.json"
        for friend in self.friends[:2]:
            said(self.act("freeze", file, "--guardians", self.opening, by=friend))


@pytest.fixture(scope="module")
def people(devnet_home: DevnetHome) -> tuple[str, str, str, str]:
    """An owner and three friends; each test has a twin of its own."""
    ann, bea, cem, dot = (new_key(devnet_home) for _ in range(4))
    return ann, bea, cem, dot


@pytest.fixture
def circle(dtledger: Run, devnet_home: DevnetHome, people: tuple[str, str, str, str], tmp_path: Path) -> Circle:
    ann, *friends = people
    with devnet_home.client(ann) as owner, devnet_home.client(OPERATOR) as operator:
        twin, _ = operator.twins.mint(owner.twins.request_mint())
        owner.twins.set_up(twin, list(owner.context.custodians), 2)
    made = Circle(dtledger, devnet_home, tmp_path, twin, ann, tuple(friends))
    told = said(made.act("guardians", "set", str(twin), *made.named(), "--out", made.opening, by=ann))
    assert (told["needed"], len(told["guardians"]), told["delay_seconds"]) == (2, 3, 7 * 86_400)
    assert (len(told["sent"]), told["recovery"]["guardians"]) == (2, {"needed": 2, "count": 3})
    return made


class TestGuardians:
    def test_are_known_to_the_owner_and_to_whom_it_gives_the_file(self, circle: Circle) -> None:
        copy = circle.folder / "copy.json"
        told = said(circle.run("twin", "guardians", "show", circle.twin, "--out", copy, "--key", circle.ann, "--json"))
        assert {each["address"] for each in told["guardians"]} == {
            address_of(circle.home, name) for name in circle.friends
        }
        assert json.loads(copy.read_text()) == json.loads(circle.opening.read_text())
        stranger = circle.run("twin", "guardians", "show", circle.twin, "--key", "gateway", "--json")
        assert "does not know" in complaint(stranger, 5)["message"]
        assert circle.shown()["guarded"]
        assert "no guardians" not in circle.run("twin", "show", circle.twin, "--key", circle.ann).stderr

    def test_are_chosen_by_the_owner_alone_and_not_by_a_dry_run(self, circle: Circle) -> None:
        words = ("guardians", "set", str(circle.twin), *circle.named(1), "--out", circle.folder / "new.json")
        assert complaint(circle.act(*words, by="gateway"), 3)["error"] == "AccessDeniedError"
        assert said(circle.act(*words, "--dry-run", by=circle.ann))["sent"] is None
        assert not (circle.folder / "new.json").exists()
        assert said(circle.act(*words, by=circle.ann))["needed"] == 1

    def test_no_file_is_written_over_unasked(self, circle: Circle) -> None:
        before = circle.opening.read_text()
        words = ("guardians", "set", str(circle.twin), *circle.named(1), "--out", circle.opening)
        assert "There is a file" in complaint(circle.act(*words, by=circle.ann), 2)["message"]
        assert circle.opening.read_text() == before
        said(circle.act(*words, "--replace", by=circle.ann))

    def test_again_sends_nothing_again(self, circle: Circle) -> None:
        words = ("guardians", "set", str(circle.twin), *circle.named(), "--out", circle.opening, "--replace")
        before = circle.opening.read_text()
        assert said(circle.act(*words, by=circle.ann))["sent"] == []
        assert circle.opening.read_text() == before

    def test_give_their_cards_or_it_is_said_that_they_recover_nothing(self, circle: Circle) -> None:
        friend = address_of(circle.home, circle.friends[0])
        words = ("guardians", "set", str(circle.twin), "--guardian", friend, "--out", circle.folder / "new.json")
        refused = complaint(circle.act(*words, by=circle.ann), 2)
        assert f"no card of {friend}" in refused["message"]
        assert "--without-recovery" in refused["hint"]
        assert circle.shown()["recovery"] is not None
        assert "bring back nothing" not in circle.run("twin", "show", circle.twin, "--key", circle.ann).stdout
        told = said(circle.act(*words, "--without-recovery", by=circle.ann))
        assert (told["recovery"], len(told["sent"])) == (None, 2)
        shown = circle.run("twin", "show", circle.twin, "--key", circle.ann)
        assert "bring back nothing" in shown.stdout
        assert "but not what was read with this one" in shown.stderr

    def test_are_warned_about_while_their_package_is_behind(self, circle: Circle) -> None:
        assert "warning" not in circle.run("twin", "show", circle.twin, "--key", circle.ann).stderr
        with circle.home.client(circle.ann) as owner:
            owner.guardians.choose(circle.twin, 1, [owner.address])
        shown = circle.run("twin", "show", circle.twin, "--key", circle.ann)
        assert "BEHIND: the guardians have changed" in shown.stdout
        assert "do not bring back all of it" in shown.stderr

    def test_may_be_none(self, circle: Circle) -> None:
        assert circle.act("guardians", "set", str(circle.twin), by=circle.ann).exit_code == 2
        assert said(circle.act("guardians", "set", str(circle.twin), "--none", by=circle.ann))["guardians"] == []
        assert not circle.shown()["guarded"]


class TestAFreeze:
    def test_goes_by_file_from_one_to_the_next_and_the_second_sends_it(self, circle: Circle) -> None:
        file = circle.folder / "freeze.json"
        bea, cem, _ = circle.friends
        look = circle.run("twin", "freeze", file, "--guardians", circle.opening, "--key", bea, "--dry-run")
        assert (look.exit_code, file.exists()) == (0, False)
        first = said(circle.act("freeze", file, "--guardians", circle.opening, by=bea))
        assert (len(first["signed"]), len(first["waiting"]), first["sent"]) == (1, 2, None)
        assert circle.shown()["frozen_until"] is None
        again = said(circle.act("freeze", file, by=bea))
        assert again["signed"] == first["signed"]
        done = said(circle.act("freeze", file, by=cem))
        assert done["sent"]["gas"] > 0
        assert circle.shown()["frozen_until"] is not None
        assert "FROZEN" in circle.run("twin", "show", circle.twin, "--key", circle.ann).stdout
        rows = said(circle.run("twin", "list", "--key", circle.ann, "--json"))["twins"]
        assert {row["twin"]: row["state"] for row in rows}[circle.twin] == "frozen"
        refused = circle.act("guardians", "set", str(circle.twin), "--none", by=circle.ann)
        assert complaint(refused, 1)["error"] == "FrozenError"

    def test_is_ended_the_same_way_by_others(self, circle: Circle) -> None:
        circle.freeze()
        file = circle.folder / "unfreeze.json"
        for friend in circle.friends[1:]:
            said(circle.act("unfreeze", file, "--guardians", circle.opening, by=friend))
        assert circle.shown()["frozen_until"] is None

    def test_waits_for_all_if_asked_to(self, circle: Circle) -> None:
        file = circle.folder / "freeze.json"
        told = [
            said(circle.act("freeze", file, "--guardians", circle.opening, "--all", by=each)) for each in circle.friends
        ]
        assert [each["sent"] is None for each in told] == [True, True, False]

    def test_is_no_strangers(self, circle: Circle) -> None:
        file = circle.folder / "freeze.json"
        refused = circle.act("freeze", file, "--guardians", circle.opening, by="gateway")
        assert "no guardian" in complaint(refused, 2)["message"]
        assert not file.exists()
        said(circle.act("freeze", file, "--guardians", circle.opening, by=circle.friends[0]))

    @pytest.mark.parametrize(
        ("change", "exit_code", "words"),
        [
            ({"schema": "dtledger/other/1"}, 2, "nothing that guardians sign"),
            ({"needed": 0}, 2, "nothing that guardians sign"),
            ({"act": "Burn"}, 2, "nothing that guardians sign"),
            ({"act": "Unfreeze"}, 2, "something else"),
            ({"deployment": "1-00-00"}, 2, "for the deployment"),
            ({"salt": "0x" + "00" * 32}, 2, "not the guardians"),
            ({"counter": 9}, 4, "did not sign"),
            ({"deadline": 1}, 4, "did not sign"),
        ],
    )
    def test_whose_file_was_changed_is_refused(
        self, circle: Circle, change: dict[str, object], exit_code: int, words: str
    ) -> None:
        file = circle.folder / "freeze.json"
        said(circle.act("freeze", file, "--guardians", circle.opening, by=circle.friends[0]))
        whole = file.read_text()
        file.write_text(json.dumps(json.loads(whole) | change))
        assert words in complaint(circle.act("freeze", file, by=circle.friends[1]), exit_code)["message"]
        file.write_text(whole)
        assert said(circle.act("freeze", file, by=circle.friends[1]))["sent"]


class TestARecovery:
    def begin(self, circle: Circle, new: str, *signers: str, everyone: bool = False) -> dict[str, Any]:
        file = circle.folder / "move.json"
        words = ("recover", "begin", file, "--guardians", circle.opening, *(("--all",) if everyone else ()))
        told = said(circle.act(*words, by=new))
        for each in signers:
            told = said(circle.act(*words, by=each))
        return told

    def test_is_announced_with_the_new_key_and_completed_in_time_alone(self, circle: Circle) -> None:
        new = new_key(circle.home)
        told = self.begin(circle, new, *circle.friends[:2])
        assert told["to"]["address"] == address_of(circle.home, new)
        assert told["sent"] is not None
        assert {each["address"] for each in told["shares"]} == {
            address_of(circle.home, name) for name in circle.friends[:2]
        }
        more = said(circle.act("recover", "begin", circle.folder / "move.json", by=circle.friends[2]))
        assert (len(more["shares"]), more["sent"], len(more["signed"])) == (3, None, 2)
        move = circle.shown()["move"]
        assert (move["to"]["address"], move["binding"]) == (told["to"]["address"], False)
        early = circle.run("twin", "recover", "complete", circle.twin, "--key", new, "--json")
        assert complaint(early, 1)["error"] == "MoveNotReadyError"
        assert said(circle.run("twin", "recover", "complete", circle.twin, "--key", new, "--dry-run", "--json"))

    def test_is_vetoed_by_the_owner_and_by_nobody_else(self, circle: Circle) -> None:
        assert "no move" in complaint(circle.run("twin", "recover", "veto", circle.twin, "--json"), 2)["message"]
        self.begin(circle, new_key(circle.home), *circle.friends[:2])
        words = ("twin", "recover", "veto", circle.twin, "--json")
        assert complaint(circle.run(*words, "--key", circle.friends[0]), 3)["error"] == "AccessDeniedError"
        assert said(circle.run(*words, "--key", circle.ann))["sent"]["gas"] > 0
        assert circle.shown()["move"] is None

    def test_by_all_on_a_frozen_twin_is_not_vetoed(self, circle: Circle) -> None:
        circle.freeze()
        self.begin(circle, new_key(circle.home), *circle.friends, everyone=True)
        assert circle.shown()["move"]["binding"]
        refused = circle.run("twin", "recover", "veto", circle.twin, "--key", circle.ann, "--json")
        assert complaint(refused, 1)["error"] == "MoveBindingError"

    def test_by_a_guardian_says_where_to(self, circle: Circle) -> None:
        file = circle.folder / "move.json"
        words = ("recover", "begin", file, "--guardians", circle.opening)
        assert circle.act(*words, by=circle.friends[0]).exit_code == 2
        new = new_key(circle.home)
        told = said(circle.act(*words, "--to", address_of(circle.home, new), by=circle.friends[0]))
        assert (len(told["signed"]), told["recipient_signed"]) == (1, False)


def test_guardians_rescue_a_twin_that_is_to_be_retired(circle: Circle) -> None:
    with circle.home.client(circle.ann) as owner:
        owner.context.ledger.send(calls.announce_retirement(circle.twin), owner.context.key)
    for friend in circle.friends[:2]:
        said(circle.act("rescue", circle.folder / "rescue.json", "--guardians", circle.opening, by=friend))
    assert circle.shown()["retire_at"] is None
