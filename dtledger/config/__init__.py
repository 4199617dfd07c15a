"""Settings: where each comes from, what it may be, and how one is changed.

The order is option, environment, `.dtledger.toml` (found upward from the working folder), `config.toml` in the home,
default. Every value knows its source, and `Settings.explain` says it.

    profile = "hospital"              # config.toml: which profile is used
    tz = "Europe/Vienna"              # what is personal may stand above all profiles

    [profiles.hospital]
    rpc_url = "https://node.hospital.example"
    store = "/ip4/127.0.0.1/tcp/5001/http"
    deployment = "hospital"
    custodians = ["https://a.example", "https://b.example", "https://c.example"]

The profile `devnet` is there without a file. A `.dtledger.toml` comes with a folder, perhaps somebody else's: it may
choose among the profiles at hand and set harmless defaults, and can name no key, password, node, store or deployment.

>>> from dtledger.home import Home
>>> settings = Settings.load(Home.locate("/nowhere"), {"tz": "Asia/Tokyo"}, env={})
>>> settings.profile, settings.max_head_age, settings.source("tz")
('devnet', 60, 'option --tz')
"""

from __future__ import annotations

from .check import read_value
from .documents import Document, read_document
from .edit import set_value
from .kinds import INSTANT
from .redact import redact_url
from .schema import DEVNET, EMBEDDED, ENTRIES, Entry
from .settings import Setting, Settings

__all__ = [
    "DEVNET",
    "EMBEDDED",
    "ENTRIES",
    "INSTANT",
    "Document",
    "Entry",
    "Setting",
    "Settings",
    "read_document",
    "read_value",
    "redact_url",
    "set_value",
]
