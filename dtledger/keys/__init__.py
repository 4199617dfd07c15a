"""Keys: who one is on the ledger, and the secrets of one's twins, in one file a key.

`keys/NAME.json` is an Ethereum keystore (Web3 Secret Storage, version 3), so any Ethereum tool can sign with it. A
section `dtledger` in it, encrypted by itself under the same password, holds the key that others seal to and the
secrets of the twins. A keystore made by another tool is accepted; the section is made when the key is first unlocked
for more than signing.

Files are 0600, written by rename under a lock: two processes that change one key both find their change in it.
Nothing here prints, logs or represents a secret, and none is ever an argument of a command (`Passwords`).

Warning: other tools that rewrite a keystore (`cast wallet change-password`) drop the section, and with it the twins'
secrets. `KeyFile.unlock` notices and refuses to begin a new section; the old one comes back only from a backup.
Warning: whoever can put back an older copy of the file undoes what was written since; a file alone cannot show that.
Warning: Python cannot wipe memory: an unlocked key stays in the process's until it ends.

>>> import tempfile
>>> from dtledger.home import Home
>>> with tempfile.TemporaryDirectory() as folder:
...     store = KeyStore(Home.locate(folder), kdf=Scrypt(n=2))
...     key = store.create("ann", "correct horse").unlock("correct horse")
...     _ = key.update(lambda secrets: secrets.with_twin("31337-ab-cd", 7, TwinSecrets.draw()))
...     list(store.open("ann").unlock("correct horse").secrets.twin("31337-ab-cd", 7).generations)
[0]
"""

from __future__ import annotations

from .kdf import STRONG, Scrypt
from .keyfile import KeyFile
from .passwords import Passwords, read_private_key
from .secrets import Secrets, TwinSecrets
from .store import KeyStore
from .unlocked import UnlockedKey

__all__ = [
    "STRONG",
    "KeyFile",
    "KeyStore",
    "Passwords",
    "Scrypt",
    "Secrets",
    "TwinSecrets",
    "UnlockedKey",
    "read_private_key",
]
