"""kubo keeps what was put, is spoken to through ipfshttpclient alone, and is believed in nothing."""

from __future__ import annotations

import io
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ipfshttpclient.client import Client
from ipfshttpclient.http import ClientSync

from dtledger._backend import kubo_store as module
from dtledger._backend.car import write_car
from dtledger._backend.kubo_node import LocalKubo
from dtledger._backend.kubo_store import KuboStore
from dtledger.encoding import CID, block_cid, encode
from dtledger.errors import DtledgerError, InputError, IntegrityError, UnreachableError
from dtledger.store import MAX_BLOCK_BYTES, BlockMissingError, Codec
from dtledger.testing.memory_store import MemoryStore
from tests.store.conftest import FakeKubo

LEAVES = [b"one", b"two"]
LINKS = [block_cid(leaf, "raw") for leaf in LEAVES]
PAGE = encode({"rows": LINKS})
ROOT = block_cid(PAGE)
TREE = [(ROOT, PAGE), *zip(LINKS, LEAVES, strict=True)]
CAR = b"".join(write_car(ROOT, TREE))


def collect_garbage(store: KuboStore) -> list[Any]:
    answer: list[Any] = store._client.repo.gc()
    return answer


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every CAR that is sent to kubo from now on."""
    cars: list[bytes] = []
    imprt = Client.dag.imprt

    def spy(self: Any, data: io.BytesIO, **options: Any) -> Any:
        cars.append(data.getvalue())
        return imprt(self, data, **options)

    monkeypatch.setattr(Client.dag, "imprt", spy)
    return cars


class TestARealKubo:
    pytestmark = pytest.mark.kubo

    def test_says_what_it_is(self, kubo_store: KuboStore, kubo: LocalKubo) -> None:
        version = kubo_store._client.version()["Version"]
        assert kubo_store.describe() == f"kubo {version} at {kubo.address}"

    @pytest.mark.parametrize("codec", ["raw", "dag-cbor"])
    def test_gives_a_block_the_name_that_we_give_it(self, kubo_store: KuboStore, codec: Codec) -> None:
        data = encode({"twin": 7, "salt": os.urandom(8)})
        answer = kubo_store._client.block.put(io.BytesIO(data), opts={"cid-codec": codec})
        assert answer["Key"] == str(block_cid(data, codec))
        assert kubo_store.get(CID.decode(answer["Key"])) == data

    def test_keeps_every_block_through_its_collection_of_garbage(self, kubo_store: KuboStore) -> None:
        elsewhere = block_cid(os.urandom(16))
        blocks: list[tuple[bytes, Codec]] = [(os.urandom(50), "raw"), (encode([elsewhere]), "dag-cbor")]
        cids = kubo_store.put_many(blocks)
        stray = CID.decode(kubo_store._client.block.put(io.BytesIO(os.urandom(50)))["Key"])
        collected = {entry["Key"]["/"] for entry in collect_garbage(kubo_store)}
        assert str(stray) in collected
        assert [data for _, data in kubo_store.get_many(cids)] == [data for data, _ in blocks]

    def test_collects_garbage_after_a_removal_and_keeps_the_rest(self, kubo_store: KuboStore) -> None:
        leaf, beside = os.urandom(50), os.urandom(50)
        cids = kubo_store.put_many([(leaf, "raw"), (beside, "raw")])
        page = kubo_store.put(encode(cids), "dag-cbor")
        kubo_store.remove(cids[:1])
        collect_garbage(kubo_store)
        assert [kubo_store.has(cid) for cid in (*cids, page)] == [False, True, True]
        kubo_store.remove([page])
        collect_garbage(kubo_store)
        assert kubo_store.get(cids[1]) == beside

    def test_says_when_somebody_else_pinned_what_is_to_be_removed(self, kubo_store: KuboStore) -> None:
        page = kubo_store.put(encode([os.urandom(8)]), "dag-cbor")
        kubo_store._client.pin.add(str(page))
        with pytest.raises(DtledgerError, match=r"pinned.*ipfs pin rm"):
            kubo_store.remove([page])
        kubo_store._client.pin.rm(str(page))
        kubo_store.remove([page])
        assert not kubo_store.has(page)

    def test_takes_a_batch_larger_than_one_import(
        self, kubo_store: KuboStore, monkeypatch: pytest.MonkeyPatch, imported: list[bytes]
    ) -> None:
        monkeypatch.setattr(module, "IMPORT_BLOCKS", 7)
        monkeypatch.setattr(module, "IMPORT_BYTES", 500)
        blocks: list[tuple[bytes, Codec]] = [(os.urandom(size), "raw") for size in [10] * 20 + [200] * 5 + [900] * 2]
        cids = kubo_store.put_many(blocks)
        assert len(imported) == 7
        assert max(map(len, imported)) < 1200
        collect_garbage(kubo_store)
        assert [data for _, data in kubo_store.get_many(cids)] == [data for data, _ in blocks]


class TestAKuboThatIsNotBelieved:
    def test_a_whole_export_is_read(self, fake: FakeKubo) -> None:
        fake.commands["dag/export"] = lambda _: CAR
        with KuboStore(fake.address) as store:
            assert list(store.export([ROOT])) == TREE

    def test_a_wrong_block_is_named(self, fake: FakeKubo) -> None:
        fake.commands["block/get"] = lambda _: b"two"
        with KuboStore(fake.address) as store:
            with pytest.raises(IntegrityError) as caught:
                store.get(LINKS[0])
            assert caught.value.block == str(LINKS[0])
            assert store.get(LINKS[1]) == b"two"

    def test_a_wrong_block_in_an_export_is_named(self, fake: FakeKubo) -> None:
        fake.commands["dag/export"] = lambda _: CAR.replace(b"two", b"twa")
        with KuboStore(fake.address) as store:
            blocks = store.export([ROOT])
            assert [next(blocks), next(blocks)] == TREE[:2]
            with pytest.raises(IntegrityError) as caught:
                next(blocks)
            assert caught.value.block == str(LINKS[1])

    @pytest.mark.parametrize("cut", [10, len(CAR) - 45, len(CAR) - 2])
    def test_an_export_that_breaks_off_within_a_block_is_an_error(self, fake: FakeKubo, cut: int) -> None:
        fake.commands["dag/export"] = lambda _: CAR[:cut]
        with KuboStore(fake.address) as store, pytest.raises(UnreachableError, match="broke off"):
            list(store.export([ROOT]))

    def test_an_export_that_leaves_a_block_out_names_it(self, fake: FakeKubo) -> None:
        fake.commands["dag/export"] = lambda _: b"".join(write_car(ROOT, TREE[:2]))
        fake.commands["block/get"] = lambda _: b"two"
        with KuboStore(fake.address) as store:
            with pytest.raises(BlockMissingError) as caught:
                list(store.export([ROOT]))
            assert caught.value.block == str(LINKS[1])
            fake.commands["block/get"] = lambda _: b"damaged"
            with pytest.raises(IntegrityError) as damaged:
                list(store.export([ROOT]))
            assert damaged.value.block == str(LINKS[1])

    def test_an_export_that_brings_a_block_too_many_is_refused(self, fake: FakeKubo) -> None:
        stray = (block_cid(b"stray", "raw"), b"stray")
        fake.commands["dag/export"] = lambda _: b"".join(write_car(ROOT, [*TREE, stray]))
        with KuboStore(fake.address) as store, pytest.raises(IntegrityError, match="without a link"):
            list(store.export([ROOT]))

    def test_a_block_without_an_end_is_not_waited_for(self, fake: FakeKubo) -> None:
        fake.commands["block/get"] = lambda _: bytes(4 * MAX_BLOCK_BYTES)
        with KuboStore(fake.address) as store, pytest.raises(IntegrityError, match="is over"):
            store.get(LINKS[0])

    def test_blocks_without_a_pin_are_not_kept(self, fake: FakeKubo) -> None:
        trouble = "pinning: context canceled"
        fake.commands["dag/import"] = lambda _: json.dumps({"Root": {"PinErrorMsg": trouble}}).encode()
        with KuboStore(fake.address) as store:
            with pytest.raises(DtledgerError, match="does not keep them: pinning"):
                store.put(b"one", "raw")
            trouble = ""
            assert store.put(b"one", "raw") == LINKS[0]


class TestAKuboThatDoesNotAnswer:
    def test_a_program_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UnreachableError, match="/nowhere/ipfs") as refused:
            LocalKubo(tmp_path, "/nowhere/ipfs").start()
        assert "DTLEDGER_IPFS" in refused.value.hint

    def test_nobody_there_is_said_with_a_hint(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"/ip4/127.0.0.1/tcp/{free.getsockname()[1]}"
        with pytest.raises(UnreachableError, match=r"Nothing answers at kubo.*ipfs daemon") as caught:
            KuboStore(address)
        assert address in str(caught.value)

    def test_an_address_that_is_none_is_refused(self) -> None:
        for address in ("localhost:5001", "/ip4/127.0.0.1", "/ip4/127.0.0.1/udp/5001", ""):
            with pytest.raises(InputError, match=r"Write it as /ip4/127\.0\.0\.1/tcp/5001"):
                KuboStore(address)

    @pytest.mark.parametrize(
        ("command", "use"),
        [
            ("block/get", lambda store: store.get(ROOT)),
            ("dag/export", lambda store: list(store.export([ROOT]))),
            ("block/stat", lambda store: store.has(ROOT)),
            ("dag/import", lambda store: store.put(b"", "raw")),
        ],
    )
    def test_silence_is_an_error_in_the_end(
        self, fake: FakeKubo, monkeypatch: pytest.MonkeyPatch, command: str, use: Callable[[KuboStore], object]
    ) -> None:
        monkeypatch.setattr(module, "GRACE_SECONDS", 0.0)
        fake.commands[command] = lambda _: None
        with KuboStore(fake.address, timeout=0.2) as store, pytest.raises(UnreachableError, match=r"within 0\.2 s"):
            use(store)

    def test_a_block_that_no_node_had_in_time_is_missing(self, fake: FakeKubo) -> None:
        fake.commands["block/get"] = lambda _: b'{"Message": "context deadline exceeded"}'
        with KuboStore(fake.address) as store, pytest.raises(BlockMissingError, match="No node had it in time"):
            store.get(ROOT)

    def test_a_refusal_is_passed_on(self, fake: FakeKubo) -> None:
        fake.commands["dag/import"] = lambda _: b'{"Message": "write /x: no space left on device"}'
        with KuboStore(fake.address) as store, pytest.raises(DtledgerError, match=r"no space left.*Free some space"):
            store.put(b"", "raw")
        fake.commands["block/stat"] = lambda _: b'{"Message": "forbidden"}'
        with KuboStore(fake.address) as store, pytest.raises(DtledgerError, match="refuses: forbidden"):
            store.has(ROOT)

    @pytest.mark.parametrize("answer", [b"", b"<html>", b"{}", b"[]", b'{"Version": "best"}', b'{"Version": "0.8.0"}'])
    def test_what_is_no_kubo_or_too_old_a_one_is_refused_at_once(self, fake: FakeKubo, answer: bytes) -> None:
        fake.commands["version"] = lambda _: answer
        with pytest.raises(UnreachableError, match="no kubo"):
            KuboStore(fake.address)
        fake.commands["version"] = lambda _: b'{"Version": "0.43.0-rc1"}'
        KuboStore(fake.address).close()


class TestTheWayToKubo:
    def test_every_request_is_carried_by_ipfshttpclient(self, fake: FakeKubo, monkeypatch: pytest.MonkeyPatch) -> None:
        carried: list[str] = []
        request = ClientSync.request

        def spy(self: ClientSync, path: str, *arguments: Any, **options: Any) -> Any:
            carried.append(path.strip("/"))
            return request(self, path, *arguments, **options)

        monkeypatch.setattr(ClientSync, "request", spy)
        store_behind = MemoryStore()
        store_behind.put_many([(leaf, "raw") for leaf in LEAVES])
        fake.commands |= {
            "dag/import": lambda _: b'{"Root": {"PinErrorMsg": ""}}',
            "block/get": lambda cid: store_behind.get(CID.decode(cid)),
            "block/stat": lambda _: b'{"Key": "", "Size": 3}',
            "block/rm": lambda _: b'{"Hash": ""}',
            "dag/export": lambda _: CAR,
        }
        with KuboStore(fake.address) as store:
            store.put(b"one", "raw")
            store.put_many([(leaf, "raw") for leaf in LEAVES])
            store.get(LINKS[0])
            list(store.get_many(LINKS))
            list(store.export([ROOT]))
            store.has(ROOT)
            store.remove([ROOT])
            assert isinstance(store._client, Client)
        assert sorted(carried) == sorted(fake.asked)
        assert set(carried) == {"version", *fake.commands}

    def test_only_a_reading_asks_other_nodes_and_a_root_is_exported_once(self, fake: FakeKubo) -> None:
        fake.commands["block/stat"] = lambda _: b'{"Key": "", "Size": 3}'
        fake.commands["dag/export"] = lambda _: CAR
        with KuboStore(fake.address) as store:
            assert store.has(ROOT)
            assert "offline=true" in fake.queries[-1]
            list(store.export([ROOT, ROOT]))
        assert fake.asked.count("dag/export") == 1
        assert "offline" not in fake.queries[-1]

    def test_an_export_left_early_leaves_no_stream_open(self, fake: FakeKubo, monkeypatch: pytest.MonkeyPatch) -> None:
        opened: list[Any] = []
        export = Client.dag.export

        def spy(self: Any, cid: str, **options: Any) -> Any:
            opened.append(export(self, cid, **options))
            return opened[-1]

        monkeypatch.setattr(Client.dag, "export", spy)
        pages = [encode([number]) for number in range(10)]
        cars = {str(block_cid(page)): [(block_cid(page), page)] for page in pages}
        fake.commands["dag/export"] = lambda cid: b"".join(write_car(cars[cid][0][0], cars[cid]))
        with KuboStore(fake.address) as store:
            blocks = store.export([block_cid(page) for page in pages])
            assert next(blocks) == (block_cid(pages[0]), pages[0])
            del blocks
        assert 1 < len(opened) < len(pages)
        assert all(stream._response_iter is None for stream in opened)

    def test_no_proxy_of_the_environment_sees_a_block(self, fake: FakeKubo, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        fake.commands["block/get"] = lambda _: b"one"
        with KuboStore(fake.address) as store:
            assert store.get(LINKS[0]) == b"one"

    def test_a_keep_names_the_blocks_under_the_codec_that_kubo_does_not_follow(
        self, fake: FakeKubo, imported: list[bytes]
    ) -> None:
        fake.commands["dag/import"] = lambda _: b'{"Root": {"PinErrorMsg": ""}}'
        with KuboStore(fake.address) as store:
            store.put(PAGE, "dag-cbor")
        keep = encode({"keeps": [CID(ROOT.digest, "raw")]})
        assert imported == [b"".join(write_car(block_cid(keep), [(block_cid(keep), keep), (ROOT, PAGE)]))]
