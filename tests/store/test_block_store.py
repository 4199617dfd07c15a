"""A block store gives back what was put or says why not, whatever keeps the blocks."""

from __future__ import annotations

import os
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtledger.encoding import CID, block_cid, decode, encode
from dtledger.errors import InputError, IntegrityError
from dtledger.store import MAX_BLOCK_BYTES, MAX_DEPTH, BlockMissingError, BlockStore, Codec
from tests.store.conftest import Subject

same_store_for_all_examples = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)


def fresh(label: bytes = b"") -> bytes:
    """Bytes that no other test has put into the kubo that all share."""
    return label + os.urandom(16)


def put_tree(store: BlockStore) -> tuple[list[CID], dict[str, CID]]:
    """Two pages that share a custody block; the first also links to a manifest with two chunks of content."""
    chunks = store.put_many([(fresh(b"one"), "raw"), (fresh(b"two"), "raw")])
    custody = store.put(encode({"shares": [fresh()]}), "dag-cbor")
    manifest = store.put(encode({"body": {"content": chunks}, "signature": b"s"}), "dag-cbor")
    first = store.put(encode({"rows": [[10, 12, manifest, custody]], "salt": fresh()}), "dag-cbor")
    second = store.put(encode({"rows": [[13, 14, custody, custody]], "salt": fresh()}), "dag-cbor")
    return [first, second], {"one": chunks[0], "two": chunks[1], "custody": custody, "manifest": manifest}


def test_a_block_has_the_name_that_ipfs_gives_it(store: BlockStore) -> None:
    assert str(store.put(b"hello", "raw")) == "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
    assert str(store.put(b"\xa1\x61a\x01", "dag-cbor")).startswith("bafyrei")


@same_store_for_all_examples
@given(
    st.lists(
        st.tuples(st.binary(max_size=300), st.just("raw"))
        | st.tuples(st.dictionaries(st.text(), st.binary()).map(encode), st.just("dag-cbor"))
    )
)
def test_what_is_put_comes_back_under_the_name_of_its_bytes(
    store: BlockStore, blocks: list[tuple[bytes, Codec]]
) -> None:
    cids = store.put_many(blocks)
    assert cids == [block_cid(data, codec) for data, codec in blocks]
    assert list(store.get_many(cids)) == [(cid, data) for cid, (data, _) in zip(cids, blocks, strict=True)]


def test_putting_a_block_again_changes_nothing(store: BlockStore) -> None:
    data = fresh()
    assert store.put(data, "raw") == store.put(data, "raw") == store.put_many([(data, "raw"), (data, "raw")])[1]
    assert store.get(block_cid(data, "raw")) == data


def test_the_largest_block_fits_and_one_byte_more_is_refused_with_all_that_came_along(store: BlockStore) -> None:
    largest, beside = os.urandom(MAX_BLOCK_BYTES), fresh()
    with pytest.raises(InputError, match="over the limit"):
        store.put_many([(beside, "raw"), (largest + b"\0", "raw")])
    assert not store.has(block_cid(beside, "raw"))
    cids = store.put_many([(beside, "raw"), (largest, "raw")])
    assert [data for _, data in store.get_many(cids)] == [beside, largest]


def test_bytes_that_are_not_dag_cbor_are_refused_as_such_and_taken_as_raw(store: BlockStore) -> None:
    with pytest.raises(InputError, match="not DAG-CBOR"):
        store.put(b"\xa1\x61", "dag-cbor")
    assert store.get(store.put(b"\xa1\x61", "raw")) == b"\xa1\x61"
    with pytest.raises(InputError, match="no codec"):
        store.put(b"", "dag-pb")  # type: ignore[arg-type]


def test_a_block_that_is_not_there_is_named_until_it_is_there(store: BlockStore) -> None:
    data = fresh()
    cid = block_cid(data, "raw")
    with pytest.raises(BlockMissingError) as caught:
        store.get(cid)
    assert caught.value.block == str(cid)
    assert store.describe() in str(caught.value)
    with pytest.raises(BlockMissingError):
        list(store.get_many([store.put(b"there", "raw"), cid]))
    with pytest.raises(BlockMissingError):
        list(store.export([cid]))
    assert not store.has(cid)
    store.put(data, "raw")
    assert store.has(cid)
    assert store.get(cid) == data


def test_a_flipped_bit_is_found_on_every_way_out(subject: Subject) -> None:
    store = subject.store
    roots, names = put_tree(store)
    whole = dict(store.export(roots))
    for name in names.values():
        subject.damage(name)
        for read in (
            store.get,
            lambda cid: list(store.get_many([roots[1], cid])),
            lambda _: list(store.export(roots)),
        ):
            with pytest.raises(IntegrityError) as caught:
                read(name)
            assert CID.decode(caught.value.block) == name
        store.remove([name])
        codec: Codec = name.codec
        store.put(whole[name], codec)
        assert store.get(name) == whole[name]
    assert dict(store.export(roots)) == whole


def test_what_is_removed_is_gone_and_nothing_else(store: BlockStore) -> None:
    gone, kept = [fresh(), encode([fresh()])], fresh()
    cids = store.put_many([(gone[0], "raw"), (gone[1], "dag-cbor"), (kept, "raw")])
    store.remove([*cids[:2], block_cid(fresh())])
    assert [store.has(cid) for cid in cids] == [False, False, True]
    with pytest.raises(BlockMissingError):
        store.get(cids[0])
    assert store.get(cids[2]) == kept
    store.put(gone[0], "raw")
    assert store.get(cids[0]) == gone[0]


def test_an_export_is_everything_that_links_reach_once_and_a_block_before_what_it_links_to(store: BlockStore) -> None:
    roots, names = put_tree(store)
    order = [cid for cid, _ in store.export([*roots, roots[0]])]
    assert order == [roots[0], names["manifest"], names["one"], names["two"], names["custody"], roots[1]]
    assert all(block_cid(data, "raw").digest == cid.digest for cid, data in store.export(roots))
    assert [cid for cid, _ in store.export([names["one"]])] == [names["one"]]
    assert list(store.export([])) == []


def test_a_link_read_back_from_a_block_finds_its_block(store: BlockStore) -> None:
    _, names = put_tree(store)
    link = decode(store.get(names["manifest"]))["body"]["content"][0]
    assert store.get(link).startswith(b"one")
    assert store.has(link)


def test_an_export_that_lacks_a_block_names_it_and_is_whole_with_it(store: BlockStore) -> None:
    roots, names = put_tree(store)
    lost = store.get(names["two"])
    store.remove([names["two"]])
    with pytest.raises(BlockMissingError) as caught:
        list(store.export(roots))
    assert caught.value.block == str(names["two"])
    store.put(lost, "raw")
    assert len(list(store.export(roots))) == 6


def test_an_export_of_many_roots_keeps_their_order_and_may_be_left_early(store: BlockStore) -> None:
    chunks = store.put_many([(fresh(), "raw") for _ in range(40)])
    roots = store.put_many([(encode({"page": chunk}), "dag-cbor") for chunk in chunks])
    expected = [cid for pair in zip(roots, chunks, strict=True) for cid in pair]
    assert [cid for cid, _ in store.export(roots)] == expected
    early = store.export(iter(roots))
    assert next(early)[0] == roots[0]
    del early
    assert [cid for cid, _ in store.get_many(expected)] == expected


@pytest.mark.slow
def test_an_export_does_not_hold_what_it_has_given(store: BlockStore) -> None:
    pages = [store.put_many([(os.urandom(2**17), "raw") for _ in range(64)]) for _ in range(4)]
    roots = store.put_many([(encode(chunks), "dag-cbor") for chunks in pages])
    tracemalloc.start()
    try:
        total = sum(len(data) for _, data in store.export(roots))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total > 32 * 2**20
    assert peak < 8 * 2**20


def test_a_chain_of_links_is_followed_so_deep_and_no_deeper(store: BlockStore) -> None:
    chain = [store.put(encode([fresh()]), "dag-cbor")]
    while len(chain) <= MAX_DEPTH + 1:
        chain.append(store.put(encode([chain[-1]]), "dag-cbor"))
    with pytest.raises(IntegrityError, match="links deep"):
        list(store.export(chain[-1:]))
    assert len(list(store.export(chain[-2:-1]))) == MAX_DEPTH + 1


def test_a_link_in_a_foreign_form_is_not_taken(store: BlockStore) -> None:
    ours = encode([block_cid(fresh())])
    foreign = ours.replace(b"\x12\x20", b"\x16\x20", 1)  # sha3-256
    with pytest.raises(InputError, match="DAG-CBOR"):
        store.put(foreign, "dag-cbor")
    store.put(ours, "dag-cbor")


def test_several_threads_may_use_one_store(store: BlockStore) -> None:
    def work(number: int) -> bool:
        blocks: list[tuple[bytes, Codec]] = [(fresh(bytes([number])), "raw") for _ in range(10)]
        cids = store.put_many(blocks)
        root = store.put(encode(cids), "dag-cbor")
        return [data for _, data in list(store.export([root]))[1:]] == [data for data, _ in blocks]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(12)))
