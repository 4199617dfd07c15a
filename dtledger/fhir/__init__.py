"""FHIR R4 (4.0.1) in and out: consents, observations, audit events, provenance.

What comes in is read by small typed readers, strictly: whatever has the wrong form is refused with its path. A consent
that is read denies at least all that it denies where it comes from; what goes out permits at most what the grant does.
Both ways there is a list of what is lost.

>>> text = '''{"resourceType": "Consent", "status": "active", "dateTime": "2016-05-11",
...   "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope",
...     "code": "patient-privacy"}]},
...   "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
...   "provision": {"period": {"end": "2016-06-01T12:00:00Z"}}}'''
>>> consent = read_consent(read_json(text))
>>> from dtledger.types import Period
>>> from dtledger.vocabulary import Purpose
>>> clinic, data = Party("clinic"), Period(0, 9)
>>> [decides(consent, clinic, Purpose.TREAT, "glucose", at, data) for at in (1464782400, 1464782401)]
[True, False]
"""

from __future__ import annotations

from .audit_events import audit_events
from .consent_out import BASIC, INTERMEDIATE, Standing, consent_id, consent_of
from .judging import Box, Party, decides, denied, permitted, shut_out
from .loss import Loss
from .moments import Window
from .names import Names, bundle
from .observations_in import Day, Observed, read_observations
from .observations_out import observations
from .provenance import Anchored, of_round, of_snapshot
from .provisions import Consent, read_consent
from .resources import read_file, resources_in
from .strict import read_json

__all__ = [
    "BASIC",
    "INTERMEDIATE",
    "Anchored",
    "Box",
    "Consent",
    "Day",
    "Loss",
    "Names",
    "Observed",
    "Party",
    "Standing",
    "Window",
    "audit_events",
    "bundle",
    "consent_id",
    "consent_of",
    "decides",
    "denied",
    "observations",
    "of_round",
    "of_snapshot",
    "permitted",
    "read_consent",
    "read_file",
    "read_json",
    "read_observations",
    "resources_in",
    "shut_out",
]
