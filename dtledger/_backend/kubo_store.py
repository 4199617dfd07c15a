"""A block store in kubo, IPFS's own node, spoken to through `ipfshttpclient` alone.

*Putting* sends one CAR to ``dag/import`` (thousands of blocks a second; ``block/put`` manages hundreds). Its root is a
*keep*: a block that names the others, under the codec ``raw``, and is pinned. kubo files blocks by their hash, whatever
the codec, and follows no link out of a raw block. So one pin keeps a whole batch, from the moment it lands; what the
blocks themselves link to may be elsewhere or erased (under a pin on the block itself, kubo would refuse ever again to
collect garbage); and a kept block can be removed without touching its keep, which then names a digest that is gone.

*Exporting* opens ``dag/export`` for a few roots ahead, so kubo works while this side reads; what waits, waits in the
sockets' buffers. kubo ends an export that lacks a block as if it were whole (`dtledger.store.whole` finds out), or,
where it has peers, asks them for it and is silent: then the blocks that it holds are looked through for the gap.

Warning: a node on a public network announces the CIDs that it holds. Run nodes of a private network (a swarm key).
Warning: an online node that lacks a block asks others until `timeout`; `has` and `remove` never ask.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, Final, Self, TypeVar

from ipfshttpclient import exceptions
from ipfshttpclient.client import Client

from ..encoding import CID, Codec, block_cid, encode, verify_block
from ..errors import DtledgerError, InputError, IntegrityError, UnreachableError
from ..store import MAX_BLOCK_BYTES, BlockMissingError, put_in_batches, walk, whole
from .car import read_car, write_car

OLDEST_KUBO: Final = (0, 30)
"""Tried with 0.42; before 0.30 nothing was."""

IMPORT_BLOCKS: Final = 4096
IMPORT_BYTES: Final = 16 * 2**20
"""One import is at most this many blocks and about this many bytes, which it holds twice."""

GRACE_SECONDS: Final = 5.0
"""kubo gives up on a block after `timeout` and says so; we hang up this much later."""

AHEAD: Final = 4
"""Requests under way at once."""

_NOBODY_HAS_IT: Final = "No node had it in time: start the one that has it, or restore its blocks while it is stopped."

T = TypeVar("T")


class KuboStore:
    """A `dtledger.store.BlockStore` at the RPC address `address`, a multiaddr such as ``/ip4/127.0.0.1/tcp/5001``.

    `timeout` is in seconds: how long kubo may be silent, and how long it may look for a block.
    """

    def __init__(self, address: str, *, timeout: float = 30.0) -> None:
        self._timeout = timeout
        self._name = f"kubo at {address}"
        try:
            # Not `ipfshttpclient.connect`, which refuses every kubo of today by its version.
            self._client: Any = Client(
                address, session=True, timeout=(timeout, timeout + GRACE_SECONDS), chunk_size=2**18
            )
        except exceptions.AddressError as error:
            raise InputError(
                f"{address!r} is not the address of a kubo.", hint="Write it as /ip4/127.0.0.1/tcp/5001."
            ) from error
        session = self._client._client._session
        # Neither a proxy nor a ~/.netrc of the environment has a say in where blocks go.
        session.trust_env = False
        # An option that urllib3 2 warns of at each request, and 3 will refuse.
        session.get_adapter("http://").poolmanager.connection_pool_kw.pop("strict", None)
        self._pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="kubo")
        try:
            with self._translated():
                version = str(_field(self._client.version().as_json(), "Version"))
            self._name = f"kubo {version} at {address}"
            self._check_version(version)
        except BaseException:
            self.close()
            raise

    def describe(self) -> str:
        return self._name

    def put(self, data: bytes, codec: Codec) -> CID:
        return self.put_many([(data, codec)])[0]

    def put_many(self, blocks: Sequence[tuple[bytes, Codec]]) -> list[CID]:
        return put_in_batches(blocks, self._import, IMPORT_BLOCKS, IMPORT_BYTES)

    def get(self, cid: CID) -> bytes:
        return self._get(cid, {"timeout": f"{self._timeout:g}s"})

    def _get(self, cid: CID, options: dict[str, str]) -> bytes:
        data = bytearray()
        with self._translated(cid), self._client.block.get(str(cid), stream=True, opts=options) as chunks:
            for chunk in chunks:
                data += chunk
                if len(data) > MAX_BLOCK_BYTES:
                    raise IntegrityError(
                        f"the block {cid} is over {MAX_BLOCK_BYTES:,} bytes",
                        block=str(cid),
                        party=self._name,
                    )
        return verify_block(cid, bytes(data))

    def get_many(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        return self._ahead(cids, self.get)

    def export(self, cids: Iterable[CID]) -> Iterator[tuple[CID, bytes]]:
        seen: set[CID] = set()
        with closing(self._ahead(dict.fromkeys(cids), self._open_export)) as streams:
            for root, stream in streams:
                with self._explained(root), stream:
                    for cid, data in whole(root, read_car(root, stream), self._name):
                        if cid not in seen:
                            seen.add(cid)
                            yield cid, data

    def has(self, cid: CID) -> bool:
        try:
            with self._translated(cid):
                self._client.block.stat(str(cid), offline=True)
        except BlockMissingError:
            return False
        return True

    def remove(self, cids: Iterable[CID]) -> None:
        # Under the codec that no keep names, else kubo would spare them as pinned.
        names = [str(CID(cid.digest, "dag-cbor")) for cid in cids]
        for start in range(0, len(names), IMPORT_BLOCKS):
            with self._translated():
                answers = self._client._client.request(
                    "/block/rm", names[start : start + IMPORT_BLOCKS], opts={"force": "true"}, decoder="json"
                )
            for answer in answers:
                if trouble := _field(answer, "Error"):
                    raise DtledgerError(
                        f"{self._name} keeps the block {_field(answer, 'Hash')}: {trouble}.",
                        hint="Someone pinned what links to it: remove that pin with `ipfs pin rm`.",
                    )

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _import(self, blocks: dict[CID, bytes]) -> None:
        keep = encode({"keeps": [CID(cid.digest, "raw") for cid in blocks]})
        root = block_cid(keep)
        car = io.BytesIO(b"".join(write_car(root, [(root, keep), *blocks.items()])))
        with self._translated():
            answer = self._client.dag.imprt(car, opts={"pin-roots": "true"})
        trouble = _field(answer.as_json(), "Root", "PinErrorMsg")
        if trouble != "":
            raise DtledgerError(
                f"{self._name} stored blocks but does not keep them: {trouble or 'it says nothing of a pin'}.",
                hint="Try again; its log may say more.",
            )

    def _open_export(self, root: CID) -> Any:
        with self._explained(root):
            return self._client.dag.export(str(root), stream=True)

    @contextmanager
    def _explained(self, root: CID) -> Iterator[None]:
        """An export that fails names the block to blame, if there is one."""
        try:
            with self._translated(root):
                yield
        except BlockMissingError as error:
            self.get(error.cid)  # which knows why, if the block is damaged
            raise
        except UnreachableError as error:
            if gap := self._gap(root):
                raise BlockMissingError(gap, self._name, hint=_NOBODY_HAS_IT) from error
            raise

    def _gap(self, root: CID) -> CID | None:
        """The first block below `root` that this very kubo does not hold."""
        try:
            for _ in walk([root], lambda cid: self._get(cid, {"offline": "true"})):
                pass
        except BlockMissingError as error:
            return error.cid
        except DtledgerError:  # it is the export's failure that is told
            return None
        return None

    def _ahead(self, cids: Iterable[CID], call: Callable[[CID], T]) -> Generator[tuple[CID, T], None, None]:
        """`call` of each CID, in order, with the next few already under way."""
        window: deque[tuple[CID, Future[T]]] = deque()
        try:
            for cid in cids:
                window.append((cid, self._pool.submit(call, cid)))
                if len(window) > AHEAD:
                    first, future = window.popleft()
                    yield first, future.result()
            while window:
                first, future = window.popleft()
                yield first, future.result()
        finally:
            for _, future in window:
                if not future.cancel():
                    future.add_done_callback(_discard)

    def _check_version(self, version: str) -> None:
        try:
            parts = tuple(int(part) for part in version.split("-", maxsplit=1)[0].split("."))
        except ValueError:
            parts = ()
        if parts < OLDEST_KUBO:
            raise UnreachableError(
                f"{self._name} is too old, or no kubo at all.",
                hint=f"Run kubo {'.'.join(map(str, OLDEST_KUBO))} or newer.",
            )

    @contextmanager
    def _translated(self, cid: CID | None = None) -> Iterator[None]:
        """The one border where errors of `ipfshttpclient` become ours. `cid` is the block that was asked for."""
        try:
            yield
        except exceptions.ErrorResponse as error:
            said = str(error)
            if cid is not None and "could not find" in said:
                raise BlockMissingError(cid, self._name) from error
            if cid is not None and "deadline exceeded" in said:
                raise BlockMissingError(cid, self._name, hint=_NOBODY_HAS_IT) from error
            hint = "Free some space on its disk." if "no space left" in said else "Its log may say more."
            raise DtledgerError(f"{self._name} refuses: {said}.", hint=hint) from error
        except exceptions.ConnectionError as error:
            raise UnreachableError(
                f"Nothing answers at {self._name}.",
                hint="Start it with `ipfs daemon`, or correct the address in the profile.",
            ) from error
        except exceptions.TimeoutError as error:
            raise UnreachableError(
                f"{self._name} did not answer within {self._timeout:g} s.", hint="Try again when it is less busy."
            ) from error
        # `ipfshttpclient` asserts the form of an answer, and lets errors of a stream under way through as OSErrors.
        except (exceptions.Error, AssertionError, OSError) as error:
            raise UnreachableError(
                f"{self._name} broke off its answer, or is no kubo at all.", hint="Try again; see its log if it recurs."
            ) from error


def _field(answer: Any, *path: str) -> Any:
    """A field of an answer in JSON, or None if the answer has another form."""
    for name in path:
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer


def _discard(future: Future[Any]) -> None:
    """Close what nobody will read any more."""
    if not future.cancelled() and future.exception() is None and hasattr(future.result(), "close"):
        future.result().close()
