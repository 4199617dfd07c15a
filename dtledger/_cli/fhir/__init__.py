"""`fhir`: FHIR R4 in and out."""

from __future__ import annotations

from ..command import noun
from .consenting import consent
from .export import export
from .observing import observations

fhir_command = noun("fhir", "FHIR R4: import, export. `dtledger help fhir` explains.")
import_ = noun("import", "Take in: consent, observations.")
import_.add_command(consent)
import_.add_command(observations)
fhir_command.add_command(import_)
fhir_command.add_command(export)

__all__ = ["fhir_command"]
