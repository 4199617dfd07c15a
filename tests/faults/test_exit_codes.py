"""What goes wrong most: one sentence, what to do next, and an exit code that a script can tell apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dtledger._backend import foundry
from dtledger._cli import main
from dtledger.client.devnet import PROFILE, Devnet
from dtledger.config import set_value
from dtledger.errors import KeyFileError
from dtledger.home import Home
from tests.crash.scene import TWIN, Scene
from tests.faults.conftest import READ, assert_read, refusal

pytestmark = pytest.mark.anvil

Command = Callable[..., Result]


class TestAKey:
    def test_with_a_wrong_password_does_not_open(self, scene: Scene, dtledger: Command, tmp_path: Path) -> None:
        wrong = tmp_path / "wrong"
        wrong.write_text("correct horse battery staple\n")
        wrong.chmod(0o600)
        right = scene.devnet.password_file
        set_value(scene.home, "password_file", str(wrong), profile=PROFILE)
        said = refusal(dtledger(*READ, "PATRQT"))
        assert (said.code, said.error) == (5, "KeyFileError")
        assert "password is wrong" in said.message
        assert "horse" not in said.message
        with pytest.raises(KeyFileError):
            scene.client("patient")
        set_value(scene.home, "password_file", str(right), profile=PROFILE)
        assert_read(dtledger(*READ, "PATRQT"))

    def test_that_is_missing_is_named(self, dtledger: Command) -> None:
        said = refusal(dtledger(*READ, "PATRQT", key="patiend"))
        assert (said.code, said.error) == (5, "KeyFileError")

    def test_whose_file_is_damaged_is_refused(self, scene: Scene, dtledger: Command) -> None:
        file = scene.home.keys / "patient.json"
        whole = file.read_bytes()
        file.write_bytes(whole[:-20])
        said = refusal(dtledger(*READ, "PATRQT"))
        assert (said.code, said.error) == (5, "KeyFileError")
        assert "damaged" in said.message
        file.write_bytes(whole)
        assert_read(dtledger(*READ, "PATRQT"))

    def test_that_others_could_change_is_refused(self, scene: Scene, dtledger: Command) -> None:
        file = scene.home.keys / "patient.json"
        file.chmod(0o666)
        said = refusal(dtledger(*READ, "PATRQT"))
        assert (said.code, said.error) == (5, "KeyFileError")
        file.chmod(0o600)
        assert_read(dtledger(*READ, "PATRQT"))


class TestAnvil:
    @pytest.fixture
    def devnet(self, tmp_path: Path) -> Iterator[Devnet]:
        devnet = Devnet(Home(tmp_path / "home", "test"))
        yield devnet
        devnet.down()

    def up(self, devnet: Devnet) -> Result:
        words = ["devnet", "up", "--json", "--home", str(devnet.home.root)]
        return CliRunner().invoke(main, words, catch_exceptions=False)

    def test_that_is_not_on_this_machine_and_cannot_be_fetched_is_unreachable(
        self, devnet: Devnet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as bare:
            bare.delenv("DTLEDGER_ANVIL", raising=False)
            bare.setattr(foundry, "_candidates", lambda tool: iter(()))
            bare.setattr(foundry, "_installed", lambda: devnet.home.root.with_name("cache") / "anvil")
            bare.setattr(foundry.shutil, "which", lambda name: None)
            bare.setattr(foundry.importlib.util, "find_spec", lambda name: None)
            said = refusal(self.up(devnet))
        assert (said.code, said.error) == (6, "UnreachableError")
        assert "no Anvil on this machine" in said.message
        assert_read(self.up(devnet))

    def test_that_the_environment_names_wrongly_is_an_input_error(
        self, devnet: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as wrong:
            wrong.setenv("DTLEDGER_ANVIL", str(tmp_path / "no-anvil"))
            said = refusal(self.up(devnet))
        assert (said.code, said.error) == (2, "InputError")
        assert_read(self.up(devnet))

    def test_that_is_stopped_leaves_every_command_unreachable_until_it_is_up_again(self, devnet: Devnet) -> None:
        assert_read(self.up(devnet))
        devnet.down()
        words = ["member", "list", "--profile", PROFILE, "--json", "--home", str(devnet.home.root)]
        said = refusal(CliRunner().invoke(main, words, catch_exceptions=False))
        assert (said.code, said.error) == (6, "UnreachableError")
        assert_read(self.up(devnet))
        assert_read(CliRunner().invoke(main, words, catch_exceptions=False))


class TestTheOtherEnds:
    def test_a_refusal_is_3(self, scene: Scene, dtledger: Command) -> None:
        said = refusal(dtledger(*READ, "HRESCH", key="cardiology"))
        assert (said.code, said.error) == (3, "AccessDeniedError")
        assert_read(dtledger(*READ, "TREAT", key="cardiology"))

    def test_a_wrong_word_is_2(self, dtledger: Command) -> None:
        said = refusal(dtledger("twin", "read", str(TWIN), "--category", "gluccose", "--purpose", "PATRQT"))
        assert said.code == 2

    def test_a_damaged_block_is_4(self, scene: Scene, dtledger: Command) -> None:
        for block in (scene.devnet.blocks / "blocks").rglob("*"):
            if block.is_file():
                kept = block.read_bytes()
                block.write_bytes(bytes([kept[0] ^ 1]) + kept[1:])
        said = refusal(dtledger(*READ, "PATRQT"))
        assert (said.code, said.error) == (4, "IntegrityError")
