"""A devnet is the same chain whenever it is opened, whoever started it and however it ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from dtledger._backend.anvil import HOST, Anvil
from dtledger.errors import ChainMismatchError, DtledgerError, InputError, IntegrityError, UnreachableError
from dtledger.types import Address

pytestmark = pytest.mark.anvil

SOMEONE = Address("0x00000000000000000000000000000000000A11cE")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "devnet"
    yield folder
    Anvil(folder).stop()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def height(anvil: Anvil) -> int:
    return int(anvil.rpc("eth_blockNumber"), 16)


def kill(anvil: Anvil) -> None:
    pid = anvil.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: anvil.pid is None)


def program(path: Path, *lines: str) -> Path:
    """A stand-in for Anvil, which answers `--version` and does as the lines say otherwise."""
    path.write_text("\n".join(["#!/bin/sh", '[ "$1" = --version ] && { echo anvil 1.0.0; exit; }', *lines, ""]))
    path.chmod(0o755)
    return path


class TestAStoppedDevnet:
    def test_is_resumed_where_it_stood(self, folder: Path) -> None:
        with Anvil(folder, state_interval=3600) as anvil:
            anvil.fund(SOMEONE, 7)
            anvil.rpc("anvil_mine", hex(3))
            genesis, url = anvil.genesis, anvil.url
        assert not anvil.is_running()
        with Anvil(folder) as resumed:
            assert (resumed.genesis, resumed.url, height(resumed)) == (genesis, url, 3)
            assert int(resumed.rpc("eth_getBalance", SOMEONE, "latest"), 16) == 7 * 10**18
            assert resumed.rpc("eth_getBlockByNumber", "0x0", False)["hash"] == "0x" + genesis.hex()

    def test_takes_another_port_if_its_own_was_taken_meanwhile(self, folder: Path) -> None:
        with Anvil(folder) as anvil:
            chain = anvil.chain
        assert chain is not None
        with socket.create_server((HOST, chain.port)), anvil:
            assert anvil.chain is not None
            assert anvil.chain.port != chain.port
            assert anvil.genesis == chain.genesis

    def test_does_not_answer_and_says_how_to_start_it(self, folder: Path) -> None:
        anvil = Anvil(folder)
        with pytest.raises(UnreachableError, match="no devnet"):
            anvil.rpc("eth_chainId")
        with anvil:
            assert anvil.rpc("eth_chainId") == hex(31337)
        with pytest.raises(UnreachableError, match="devnet up"):
            anvil.rpc("eth_chainId")

    def test_leaves_alone_who_came_by_its_number(self, folder: Path) -> None:
        with Anvil(folder) as anvil:
            pass
        with subprocess.Popen(["sleep", "60"]) as innocent:
            (folder / "pid").write_text(str(innocent.pid))
            anvil.stop()
            assert innocent.poll() is None
            innocent.kill()


class TestAKilledDevnet:
    def test_is_resumed_from_the_state_it_wrote_last(self, folder: Path) -> None:
        anvil = Anvil(folder, state_interval=1).start()
        genesis = anvil.genesis
        anvil.rpc("anvil_mine", hex(3))

        def written() -> bool:
            with suppress(FileNotFoundError, ValueError):
                return int(json.loads((folder / "state.json").read_text())["block"]["number"], 16) == 3
            return False

        until(written)
        kill(anvil)
        assert not anvil.is_running()
        with anvil:
            assert (anvil.genesis, height(anvil)) == (genesis, 3)

    def test_whose_state_is_torn_is_refused_until_the_kept_copy_is_put_back(self, folder: Path) -> None:
        anvil = Anvil(folder)
        for _ in range(2):
            with anvil:
                anvil.rpc("evm_mine")
        genesis, state = anvil.genesis, folder / "state.json"
        state.write_bytes(state.read_bytes()[:-1])
        with pytest.raises(IntegrityError, match=r"torn.*state\.previous\.json") as refused:
            anvil.start()
        assert refused.value.block == "state.json"
        (folder / "state.previous.json").replace(state)
        with anvil:
            assert (anvil.genesis, height(anvil)) == (genesis, 1)

    def test_that_left_no_state_begins_a_new_chain(self, folder: Path) -> None:
        with Anvil(folder) as anvil:
            genesis = anvil.genesis
        (folder / "state.json").unlink()
        with anvil:
            assert anvil.genesis != genesis


class TestARunningDevnet:
    def test_is_found_by_whoever_starts_it_next(self, folder: Path) -> None:
        with Anvil(folder) as anvil:
            again = Anvil(folder).start()
            assert (again.pid, again.url, again.genesis) == (anvil.pid, anvil.url, anvil.genesis)

    def test_is_one_however_many_start_it_at_once(self, folder: Path) -> None:
        with ThreadPoolExecutor(4) as pool:
            pids = set(pool.map(lambda _: Anvil(folder).start().pid, range(4)))
        assert len(pids) == 1
        assert pids != {None}

    def test_outlives_its_starter(self, folder: Path) -> None:
        code = (
            "import pathlib, sys; from dtledger._backend.anvil import Anvil; Anvil(pathlib.Path(sys.argv[1])).start()"
        )
        subprocess.run([sys.executable, "-c", code, folder], check=True)
        assert Anvil(folder).is_running()

    def test_whose_starter_was_killed_before_it_answered_is_found_too(self, folder: Path) -> None:
        code = """
import os, pathlib, signal, sys
from dtledger._backend.anvil import Anvil
from dtledger._backend.detached import Detached
launch = Detached.launch
Detached.launch = lambda *arguments: (launch(*arguments), os.kill(os.getpid(), signal.SIGKILL))
Anvil(pathlib.Path(sys.argv[1])).start()
"""
        starter = subprocess.run([sys.executable, "-c", code, folder], check=False)
        assert starter.returncode == -signal.SIGKILL
        anvil = Anvil(folder)
        until(lambda: anvil.pid is not None)
        orphan = anvil.pid
        assert anvil.start().pid == orphan
        assert anvil.is_running()

    def test_does_not_write_a_line_for_each_call(self, folder: Path) -> None:
        with Anvil(folder) as anvil:
            before = (folder / "log").stat().st_size
            anvil.rpc("evm_mine")
            assert (folder / "log").stat().st_size == before

    def test_has_a_genesis_of_its_own(self, tmp_path: Path) -> None:
        folders = [tmp_path / name for name in "abc"]
        with ThreadPoolExecutor(3) as pool:
            devnets = list(pool.map(lambda folder: Anvil(folder).start(), folders))
        try:
            assert len({devnet.genesis for devnet in devnets}) == 3
        finally:
            for devnet in devnets:
                devnet.stop()

    def test_says_why_it_refuses_a_call(self, folder: Path) -> None:
        with Anvil(folder) as anvil, pytest.raises(DtledgerError, match="eth_nonsense"):
            anvil.rpc("eth_nonsense")

    def test_is_an_evm_of_cancun(self, folder: Path) -> None:
        """Blocks have a blob fee, which Cancun brought, and no hash of requests, which Prague did."""
        with Anvil(folder) as anvil:
            block = anvil.rpc("eth_getBlockByNumber", "latest", False)
        assert "excessBlobGas" in block
        assert "requestsHash" not in block


class TestStarting:
    def test_on_a_taken_port_is_refused_and_on_the_same_port_set_free_is_not(self, folder: Path) -> None:
        with socket.create_server((HOST, 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(InputError, match=f"Port {port} is taken"):
                Anvil(folder, port=port).start()
        with Anvil(folder, port=port) as anvil:
            assert anvil.url == f"http://127.0.0.1:{port}"

    def test_under_another_chain_id_than_the_folders_is_refused(self, folder: Path) -> None:
        with Anvil(folder, chain_id=7777) as anvil:
            assert anvil.rpc("eth_chainId") == hex(7777)
        with pytest.raises(InputError, match="has chain id 7777, not 31337"):
            Anvil(folder).start()
        with Anvil(folder, chain_id=7777) as anvil:
            assert anvil.is_running()

    def test_on_the_state_of_another_chain_is_refused(self, folder: Path, tmp_path: Path) -> None:
        with Anvil(folder) as anvil, Anvil(tmp_path / "other"):
            genesis = anvil.genesis
        own = (folder / "state.json").read_bytes()
        (folder / "state.json").write_bytes((tmp_path / "other" / "state.json").read_bytes())
        with pytest.raises(ChainMismatchError) as refused:
            anvil.start()
        assert refused.value.evidence["expected"] == genesis
        assert anvil.pid is None
        (folder / "state.json").write_bytes(own)
        with anvil:
            assert anvil.genesis == genesis

    def test_in_a_folder_that_cannot_be_made_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(DtledgerError, match="cannot keep its chain"):
            Anvil(tmp_path / "file" / "devnet").start()

    def test_without_anvil_on_the_machine_says_so(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as bare:
            bare.setattr("dtledger._backend.foundry._candidates", lambda _: iter(()))
            bare.delenv("DTLEDGER_ANVIL", raising=False)
            with pytest.raises(UnreachableError, match="anvil is not on this machine"):
                Anvil(folder).start()
        with Anvil(folder) as anvil:
            assert anvil.is_running()

    def test_tells_what_an_anvil_said_that_ended_at_once(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DTLEDGER_ANVIL", str(program(tmp_path / "anvil", "echo it is Tuesday >&2", "exit 1")))
        with pytest.raises(UnreachableError, match="it is Tuesday"):
            Anvil(folder).start()

    def test_gives_up_on_an_anvil_that_neither_answers_nor_ends(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deaf = program(tmp_path / "anvil", "trap '' TERM", "while :; do sleep 1; done")
        monkeypatch.setenv("DTLEDGER_ANVIL", str(deaf))
        anvil = Anvil(folder)
        with pytest.raises(UnreachableError, match="does not answer after"):
            anvil.start(timeout=0.1)
        with pytest.raises(UnreachableError, match="has not stopped within"):
            anvil.stop(timeout=0.1)
        pid = anvil.pid
        assert pid is not None
        os.killpg(os.getpgid(pid), signal.SIGKILL)
        until(lambda: anvil.pid is None)
