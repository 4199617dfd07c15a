"""The demo's home: made by the demo, gone on in by the demo, and removed by nobody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from ..._backend.files import write_atomically
from ...client import Client
from ...client.devnet import Devnet
from ...client.opening import open_client
from ...errors import InputError
from ...home import Home

MARK = "demo.txt"
SERVICES = "services"
"""The folder of its processes, where it was told with `--services`."""
FEDERATED = "federated"
"""The folder of the hospitals' lists and journals, where it was told with `--federated`."""


def sample_end(home: Home) -> int:
    """When the simulated sample ends: at the demo's first run, and there ever after."""
    return int((home.root / MARK).stat().st_mtime) // 300 * 300


def claim(home: Home, *, told: str = "") -> None:
    """Make the home the demo's own, or refuse one that is somebody's, or the demo's told another way than `told`:
    SERVICES, FEDERATED or neither.

    Raises:
        InputError: it is.
    """
    mark = home.root / MARK
    if mark.exists():
        before = next((each for each in (SERVICES, FEDERATED) if (home.root / each).is_dir()), "")
        if before != told:
            how = f"with --{before}" if before else f"without --{told}"
            raise InputError(
                f"{home.root} has a demo that was told {how}.",
                hint="Remove it (`dtledger demo --clean`), or name another folder with --home.",
            )
        return
    if home.root.exists() and any(home.root.iterdir()):  # a home that somebody uses
        raise InputError(
            f"{home.root} is a home in use, and the demo makes its own.", hint="Name another folder with --home."
        )
    home.prepare(home.root)
    write_atomically(mark, b"This folder belongs to `dtledger demo`; `dtledger demo --clean` removes it.\n")
    if told:
        home.prepare(home.root / told)


@contextmanager
def opened(home: Home, profile: str, keys: Mapping[str, str]) -> Iterator[dict[str, Client]]:
    """A client with each of these keys of the home, by the name that a story has for whose it is."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(open_client(profile, key, home=home)) for name, key in keys.items()}


def remove(home: Home) -> bool:
    """Stop the demo's chain and remove its home; False if there is none.

    Raises:
        InputError: the home is not the demo's.
    """
    if not home.root.exists():
        return False
    if not (home.root / MARK).exists():
        raise InputError(f"{home.root} was not made by the demo, so it is not removed.", hint="Name its --home.")
    if (home.root / SERVICES).is_dir():
        from .hospital import Hospital

        Hospital(home).down()
    Devnet(home).clean()
    return True
