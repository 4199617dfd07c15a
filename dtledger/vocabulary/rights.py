"""Purposes, actions and kinds: what a grant can say, and what a member can be; causes and findings: what is said of an
emergency."""

from __future__ import annotations

from .coded import Coded


class _Bit(Coded):
    """A `Coded` whose members have a mask with their bit set."""

    @property
    def mask(self) -> int:
        return 1 << self.value


class Purpose(_Bit):
    """HL7 v3 PurposeOfUse codes (http://terminology.hl7.org/CodeSystem/v3-ActReason).

    Purposes match exactly: there is no hierarchy and no default.
    """

    TREAT = 1, "to treat the patient"
    ETREAT = 2, "to treat the patient in an emergency"
    CAREMGT = 3, "to manage the patient's care"
    COC = 4, "to coordinate care between those who treat"
    HPAYMT = 5, "to have care paid for"
    HOPERAT = 6, "to run the health-care organisation"
    HQUALIMP = 7, "to improve the quality of care"
    HRESCH = 8, "for research in health care"
    CLINTRCH = 9, "for a clinical trial"
    PUBHLTH = 10, "for public health"
    PATRQT = 11, "because the patient asked for it"
    FAMRQT = 12, "because the family asked for it"
    PATADMIN = 13, "to administer the patient's stay"
    HSYSADMIN = 14, "to keep the system running"


class Action(_Bit):
    """What a grant lets its grantee do. The value is the bit's place in the grant's `actions` byte."""

    READ = 0, "read the data"
    WRITE = 1, "add to the twin"
    TRAIN = 2, "train models on the data"
    EMERGENCY = 3, "read in an emergency, once opened"


class Kind(_Bit):
    """What a member is. Kinds only take away: WRITE needs GATEWAY, TRAIN needs RESEARCHER."""

    CLINICIAN = 0, "treats patients"
    GATEWAY = 1, "writes snapshots"
    CUSTODIAN = 2, "holds shares of custody secrets"
    RESEARCHER = 3, "trains models"
    COORDINATOR = 4, "runs federated rounds"
    AUDITOR = 5, "checks claims"
    EMERGENCY = 6, "may open sleeping grants"
    CARER = 7, "cares for a patient in daily life"
    DEVICE = 8, "measures"


class Cause(_Bit):
    """Why an emergency is opened: HL7 v3 ActConsentInformationAccessOverrideReason, of the code system of `Purpose`.

    To a FHIR AuditEvent all of them are of purpose ETREAT and of the event BTG, breaking the glass.
    """

    OVRER = 1, "emergency treatment, for which there is no time to ask"
    OVRINCOMP = 2, "the patient is not able to consent"
    OVRPJ = 3, "the patient's interest, by professional judgement"
    OVRPS = 4, "public safety"
    OVRTPS = 5, "the safety of a third party"


class Finding(_Bit):
    """What a reviewer found of an opening."""

    JUSTIFIED = 1, "the emergency was one, and what was read was needed"
    UNJUSTIFIED = 2, "it should not have been opened"
    UNDECIDED = 3, "what there is does not tell"


GUARDED_KINDS = Kind.CUSTODIAN.mask | Kind.EMERGENCY.mask
"""Kinds that a registrar cannot give at once: they wait the governance delay."""
