"""What one hash proves: tries are read as a second implementation reads them; what does not belong is missed."""

from __future__ import annotations

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from dtledger.audit.proofs import EMPTY_ROOT, Header, NodeMissingError, Nodes, bloom_bits
from dtledger.encoding import keccak
from dtledger.errors import IntegrityError
from dtledger.types import Digest

KEYS = st.binary(min_size=1, max_size=4)
TRIES = st.dictionaries(KEYS, st.binary(min_size=1, max_size=40), max_size=30)


def made(content: dict[bytes, bytes]) -> tuple[Digest, list[bytes]]:
    """Root and nodes of a trie, by the second implementation."""
    nodes: dict[bytes, bytes] = {}
    trie = HexaryTrie(nodes)
    for key, value in content.items():
        trie[key] = value
    return Digest(trie.root_hash), [each for each in nodes.values() if each != rlp.encode(b"")]


@given(TRIES, KEYS)
def test_a_trie_is_read_as_a_second_implementation_reads_it(content: dict[bytes, bytes], other: bytes) -> None:
    root, nodes = made(content)
    heap = Nodes(nodes)
    assert {key: heap.look_up(root, key) for key in content} == content
    assert heap.look_up(root, other) == content.get(other, b"")


@given(TRIES.filter(len), st.data())
def test_a_changed_node_is_under_no_root(content: dict[bytes, bytes], data: st.DataObject) -> None:
    root, nodes = made(content)
    changed = bytearray(data.draw(st.sampled_from([each for each in nodes if keccak(each) == root])))
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    heap = Nodes([*(each for each in nodes if keccak(each) != root), bytes(changed)])
    with pytest.raises(NodeMissingError):
        heap.look_up(root, next(iter(content)))


def test_an_empty_trie_has_nothing() -> None:
    assert Nodes().look_up(EMPTY_ROOT, b"key") == b""


@pytest.mark.parametrize(
    "node",
    [b"\x01\x02", rlp.encode(b"text"), rlp.encode([b""] * 3), rlp.encode([b"\x50", b"value"]), rlp.encode([b"", b""])],
)
def test_what_is_no_node_is_refused(node: bytes) -> None:
    with pytest.raises(IntegrityError, match="node"):
        Nodes([node]).look_up(keccak(node), b"key")


@pytest.mark.parametrize(("more", "stands"), [([], 1 << 248 | 7), ([b""], 7), ([b"\1"], 7)], ids=["4", "5", "5 set"])
def test_an_account_of_five_fields_has_its_words_at_places_whose_first_byte_is_even(
    more: list[bytes], stands: int
) -> None:
    """As avalanchego 1.14.0 gave it for the C-Chain; what others have stands where it is asked for."""
    address, slot = b"\1" * 20, 1 << 248 | 7
    storage, words = made({keccak(stands.to_bytes(32)): rlp.encode(b"\5")})
    state, accounts = made({keccak(address): rlp.encode([b"\1", b"", storage, bytes(32), *more])})
    heap = Nodes([*words, *accounts])
    account = heap.account(state, address)
    assert (account.place(slot), heap.word(account, slot)) == (stands, 5)
    assert heap.word(account, slot + 1) == 0


@pytest.mark.parametrize("fields", [[b"", b"", bytes(32)], [b"", b"", bytes(32), b""], [bytes(32)] * 6])
def test_what_is_no_account_is_refused(fields: list[bytes]) -> None:
    root, nodes = made({keccak(bytes(20)): rlp.encode(fields)})
    with pytest.raises(IntegrityError, match="account"):
        Nodes(nodes).account(root, bytes(20))


def test_a_header_is_what_its_hash_is_of() -> None:
    fields = [bytes(32), bytes(32), bytes(20), b"\1" * 32, bytes(32), b"\2" * 32, bytes(256)]
    fields += [b"", b"\x07", b"", b"", b"\x65", b"", bytes(32), bytes(8)]
    header = Header.read(rlp.encode(fields))
    assert (header.number, header.at, header.state_root[0], header.receipts_root[0]) == (7, 0x65, 1, 2)
    assert header.hash == keccak(rlp.encode(fields))


@pytest.mark.parametrize("data", [b"", b"\xc0", rlp.encode(b"text"), rlp.encode([b""] * 15), rlp.encode([[b""]] * 15)])
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="header"):
        Header.read(data)


def test_the_filter_of_a_header_never_misses_what_is_in_it() -> None:
    words = [number.to_bytes(32) for number in range(20)]
    bloom = bloom_bits(*words[:10])
    fields = [bytes(32), bytes(32), bytes(20), bytes(32), bytes(32), bytes(32), bloom.to_bytes(256)]
    header = Header.read(rlp.encode([*fields, b"", b"", b"", b"", b"", b"", bytes(32), bytes(8)]))
    assert all(header.may_hold(bloom_bits(each)) for each in words[:10])
    assert not any(header.may_hold(bloom_bits(each)) for each in words[10:])
