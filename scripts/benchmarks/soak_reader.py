"""One reader of a soak, a process: reads a twin's glucose twice a second, and says how many milliseconds that took."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from time import perf_counter

from dtledger.client.devnet import PROFILE, Devnet
from dtledger.client.opening import open_client
from dtledger.home import Home

from .world import options

PAUSE = 0.5


def main(home: Path, twin: int) -> None:
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    devnet = Devnet(Home(home, "soak"))
    with open_client(PROFILE, "clinician", home=devnet.home, options=options(devnet, None)) as client:
        while not over.wait(PAUSE):
            begun = perf_counter()
            assert client.read(twin, "glucose", "TREAT")
            print((perf_counter() - begun) * 1000, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
