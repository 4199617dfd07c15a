"""Blocks through a gateway over HTTP: who puts them, who removes them, how many and how large."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger._backend.http_store import HttpStore
from dtledger.encoding import CID, block_cid, encode
from dtledger.errors import AccessDeniedError, InputError
from dtledger.gateway import blocks
from dtledger.ledger import messages
from dtledger.store import BlockMissingError
from dtledger.testing.memory_key import MemoryKey
from tests.gateway.conftest import Served


class TestBlocks:
    def store(self, served: Served, key: Any) -> HttpStore:
        return HttpStore(served.url, served.world.ledger.deployment, key, served.world.clock)

    def test_are_put_by_members_and_owners_alone(self, served: Served) -> None:
        for who in (served.world.patient, served.world.clinician):
            with self.store(served, who.context.key) as store:
                assert store.get(store.put(who.address.encode(), "raw")) == who.address.encode()
        with self.store(served, MemoryKey("stranger")) as store, pytest.raises(AccessDeniedError, match="nobody else"):
            store.put(b"a stranger's", "raw")
        assert not served.world.store.has(block_cid(b"a stranger's", "raw"))
        with self.store(served, None) as store, pytest.raises(InputError, match="by a key"):
            store.put(b"nobody's", "raw")

    def test_of_another_s_signature_or_time_are_refused(self, served: Served) -> None:
        deployment, patient, at = served.world.ledger.deployment, served.world.patient, served.world.clock.at
        cid = block_cid(b"forged", "raw")
        rows = [["raw", b"forged"]]

        def put(sender: str, at: int, signature: bytes, verb: str = "put") -> int:
            body = encode([sender, at, signature, rows])
            return served.session.put(f"{served.url}/v1/blocks", data=body, timeout=30).status_code

        def signed(key: Any, at: int, verb: str = "put") -> bytes:
            made: bytes = key.sign_digest(messages.blocks_request(deployment, patient.address, verb, [cid], at))
            return made

        thief = MemoryKey("thief")
        assert put(patient.address, at, signed(thief, at)) == 403
        assert put(patient.address, at, b"no signature") == 403
        assert put(patient.address, at, signed(patient.context.key, at, "remove")) == 403
        assert put(patient.address, at - 301, signed(patient.context.key, at - 301)) == 400
        assert not served.world.store.has(cid)
        assert put(patient.address, at, signed(patient.context.key, at)) == 204
        assert served.world.store.has(cid)

    def test_are_removed_by_who_alone_put_them(self, served: Served) -> None:
        world = served.world
        (anchored, _), *_ = world.store.export([CID(world.ledger.view().batches(world.gateway.address)[0].index)])
        with (
            self.store(served, world.patient.context.key) as mine,
            self.store(served, world.clinician.context.key) as theirs,
        ):
            shared, own = mine.put(b"shared", "raw"), mine.put(b"own", "raw")
            theirs.put(b"shared", "raw")
            theirs.remove([own, shared])
            assert [mine.has(each) for each in (own, shared)] == [True, True]
            mine.put(world.store.get(anchored), anchored.codec)
            mine.remove([own, shared, anchored])
            assert [mine.has(each) for each in (own, shared)] == [False, False]
            assert world.store.has(anchored)

    def test_are_so_much_a_day(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(served.gateway.blocks, "_daily_bytes", 0)
        with self.store(served, served.world.patient.context.key) as store:
            with pytest.raises(AccessDeniedError, match="a day"):
                store.put(b"one too many", "raw")
            monkeypatch.undo()
            store.put(b"one too many", "raw")

    def test_of_nobody_are_not_looked_into(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        """A megabyte of empty maps takes a minute to look through."""
        looked: list[int] = []
        monkeypatch.setattr(blocks, "name_block", lambda data, codec: looked.append(len(data)))
        with self.store(served, MemoryKey("stranger")) as store, pytest.raises(AccessDeniedError):
            store.put(encode([{}]), "dag-cbor")
        assert looked == []
        with self.store(served, served.world.patient.context.key) as store:
            store.put(encode([{}]), "dag-cbor")
        assert looked == [2]

    def test_and_requests_of_very_many_values_are_refused(self, served: Served) -> None:
        maps = b"\x9a\x00\x02\x00\x00" + b"\xa0" * 2**17
        answer = served.session.put(f"{served.url}/v1/blocks", data=maps, timeout=30)
        assert (answer.status_code, "values" in answer.json()["text"]) == (400, True)
        with self.store(served, served.world.patient.context.key) as store:
            with pytest.raises(InputError, match="values"):
                store._put({block_cid(maps): maps})
            store.put(encode([{}] * 1000), "dag-cbor")

    def test_that_are_not_there_are_missing(self, served: Served) -> None:
        with self.store(served, None) as store, pytest.raises(BlockMissingError):
            store.get(block_cid(b"never put", "raw"))
