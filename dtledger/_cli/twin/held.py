"""Everything that is held about a patient's twin, as files by their names: for people and for programs.

Each part is there whole, or it is told what it lacks and why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import resources

from ...errors import DtledgerError
from ..app import rfc3339
from .held_parts import Files, Parts, as_json

MANIFEST, README = "manifest.json", "README.md"


class Held(Parts):
    """All parts together, with a README and a manifest. As `Parts`."""

    def files(self) -> dict[str, bytes]:
        """Every file by its name, the README first.

        Raises:
            DtledgerError: with `strict`, a part cannot be had.
        """
        told: list[tuple[str, str, bytes]] = []
        for part, words in (
            (self._readings, "readings"),
            (self._snapshots, "snapshots"),
            (self._consents, "consents"),
            (self._requests, "requests for consent"),
            (self._access, "who looked"),
            (self._models, "models"),
            (self._emergencies, "emergencies"),
        ):
            told += self._tried(part, words)
        digests = [
            {"file": name, "what": words, "sha256": hashlib.sha256(data).hexdigest()} for name, words, data in told
        ]
        context = self._app.client.context
        manifest = as_json(
            "twin-export",
            twin=self._twin,
            at=rfc3339(context.clock()),
            deployment=context.deployment.id,
            missing=self.missing,
            files=digests,
        )
        readme = self._readme([(name, words) for name, words, _ in told])
        return {README: readme, MANIFEST: manifest, **{name: data for name, _, data in told}}

    def _tried(self, part: Callable[[], Files], words: str) -> list[tuple[str, str, bytes]]:
        found = []
        try:
            for each in part():
                found.append(each)
        except DtledgerError as error:
            self._lacks(words, error)
        return found

    def _readme(self, told: list[tuple[str, str]]) -> bytes:
        app = self._app
        words = resources.files(__package__).joinpath("export.en.md").read_text("utf-8")
        files = "\n".join(
            f"- `{name}`: {what}" for name, what in [*told, (MANIFEST, "the fingerprints of these files")]
        )
        missing = "\n".join(f"- {each}" for each in self.missing) or "Nothing that this system holds."
        return words.format(
            twin=self._twin,
            at=app.time(app.client.context.clock()),
            deployment=app.client.context.deployment.id,
            files=files,
            missing=missing,
        ).encode()
