"""Models and training are tested in the scene of `tests/models`."""

from __future__ import annotations

from tests.models.conftest import scene

__all__ = ["scene"]
