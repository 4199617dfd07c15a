"""A custodian over HTTP that is killed: ``python -m tests.custodian_service.dying LOG after|before|never`` the receipt.

It says what its reader heard.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from dtledger.custodian import ReceiptDatabase, core
from dtledger.testing import World
from tests.custodian.asking import Desk

from .over_http import over_http, served


def die(*_: Any, **__: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


if __name__ == "__main__":
    with served(3) as standins, World(hours=1) as world, over_http(world, standins):
        one = world.custodians[0]
        one._receipts = ReceiptDatabase(Path(sys.argv[1]))
        desk = Desk(world)
        if sys.argv[2] == "after":
            core.encode_release = die
        if sys.argv[2] == "before":
            one._write_receipt = die
        release = desk.ask()
        print("heard", desk.opened(release), flush=True)
        one._receipts.close()
