"""Two kubos of one private network: a block comes from the one that has it, and one that nobody has is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from dtledger._backend import kubo_store as module
from dtledger._backend.kubo_store import KuboStore
from dtledger.encoding import CID, encode
from dtledger.store import BlockMissingError
from scripts.benchmarks.figures import NotMeasuredError
from scripts.benchmarks.kubo import find
from scripts.networking import kubos

pytestmark = [pytest.mark.kubo, pytest.mark.slow]


@dataclass(frozen=True)
class Pair:
    """`here` has what is put, `there` asks it; `hasty` is at `there` too, and has little patience."""

    here: KuboStore
    there: KuboStore
    hasty: KuboStore

    def tree(self, word: str) -> list[CID]:
        """A root, what it links to, and the leaf below that, put `here`."""
        leaf = self.here.put(word.encode(), "raw")
        page = self.here.put(encode({"rows": [leaf]}), "dag-cbor")
        return [self.here.put(encode({"pages": [page]}), "dag-cbor"), page, leaf]

    def exported(self, root: CID) -> list[CID]:
        return [cid for cid, _ in self.there.export([root])]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    network = tmp_path_factory.mktemp("kubos")
    try:
        both = [kubos.SwarmKubo(network / f"kubo-{number}", find(), network=network) for number in (1, 2)]
    except NotMeasuredError as lack:
        pytest.skip(str(lack))
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        for each in both:
            stack.callback(each.stop)
        kubos.start(both)
        here, there = (stack.enter_context(KuboStore(each.address, timeout=120)) for each in both)
        patch.setattr(module, "GRACE_SECONDS", 0.0)
        yield Pair(here, there, stack.enter_context(KuboStore(both[1].address, timeout=1)))


def test_what_one_has_the_other_exports(pair: Pair) -> None:
    cids = pair.tree("shared")
    assert pair.exported(cids[0]) == cids


@pytest.mark.parametrize("place", [0, 1, 2], ids=["root", "page", "leaf"])
def test_what_nobody_has_any_more_is_named_with_what_to_do_until_one_has_it_again(pair: Pair, place: int) -> None:
    cids = pair.tree(f"lost {place}")
    lost = cids[place]
    block = pair.here.get(lost)
    assert pair.exported(cids[0]) == cids, "all but the lost one is at hand when it is asked for hastily"
    for each in (pair.here, pair.there):
        each.remove([lost])
    with pytest.raises(BlockMissingError, match="start the one that has it, or restore") as caught:
        list(pair.hasty.export([cids[0]]))
    assert (caught.value.cid, caught.value.exit_code) == (lost, 6)
    pair.here.put(block, lost.codec)
    assert pair.exported(cids[0]) == cids
