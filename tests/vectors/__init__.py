"""Fixed vectors: the files beside this one, which `scripts/generate` writes from the modules that make them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.contracts import vectors as contracts
from tests.crypto import vectors as crypto
from tests.device import vectors as device
from tests.federated import vectors as federated
from tests.models import vectors as models
from tests.protocol import vectors as protocol

FOLDER = Path(__file__).parent
MADE = {
    **contracts.FILES,
    **crypto.FILES,
    **device.FILES,
    **federated.FILES,
    **models.FILES,
    **protocol.FILES,
}


def load(name: str) -> dict[str, Any]:
    """What a file holds."""
    loaded: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return loaded


def text(name: str) -> str:
    """What a file should hold."""
    return json.dumps(MADE[name](), indent=1, ensure_ascii=False) + "\n"
