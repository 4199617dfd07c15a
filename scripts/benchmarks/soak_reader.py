"""One reader of a soak, a process: reads a twin's glucose every `PAUSE` seconds, and prints how many milliseconds that
took, or what it met. Whoever meets an error reads on."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from time import perf_counter

from dtledger.client.devnet import PROFILE, Devnet
from dtledger.client.opening import open_client
from dtledger.errors import DtledgerError
from dtledger.home import Home

from .pacing import turns
from .world import options

PAUSE = 2.0


def main(home: Path, twin: int, phase: float) -> None:
    """Readers of other phases (seconds) do not read at one time."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    devnet = Devnet(Home(home, "soak"))
    with open_client(PROFILE, "clinician", home=devnet.home, options=options(devnet, None)) as client:
        for _ in turns(over, PAUSE, phase):
            begun = perf_counter()
            try:
                assert client.read(twin, "glucose", "TREAT")
            except DtledgerError as error:
                print(type(error).__name__, flush=True)
            else:
                print((perf_counter() - begun) * 1000, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
