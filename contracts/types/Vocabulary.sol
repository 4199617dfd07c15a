// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// Written by scripts/generate/vocabulary_sol.py from dtledger/vocabulary. Change the words there, not here.

/// @notice Why the rule permits or refuses, in the order in which it asks: the first that applies answers.
enum Reason {
    PERMITTED, // 0: the grant permits it
    OWNER, // 1: it is the owner's own data
    TWIN_UNKNOWN, // 2: there is no such twin
    RETIRED, // 3: the twin is retired, or its retirement is announced
    FROZEN, // 4: the twin is frozen by its guardians
    NOT_ENROLLED, // 5: the asker is not an enrolled member
    SUSPENDED, // 6: the asker, its organisation or the grantee is suspended
    BLOCKED, // 7: the owner blocked the asker, its organisation or the grantee
    NO_GRANT, // 8: the owner never gave such a grant
    REVOKED, // 9: the owner or the grantee revoked the grant
    NOT_YET, // 10: the grant is not in force yet
    EXPIRED, // 11: the grant has ended
    ACTION, // 12: the grant does not allow this action
    CATEGORY, // 13: the grant does not cover this category
    PURPOSE, // 14: the grant is not for this purpose
    PERIOD, // 15: the grant does not cover the whole period of the data
    KIND, // 16: the asker is not of the kind that this action needs
    EMERGENCY_CLOSED // 17: no emergency has been opened on this grant
}

/// @notice What data is opened for (HL7 v3 PurposeOfUse). Bit n of a grant's `purposes` stands for number n.
library Purpose {
    uint8 internal constant TREAT = 1; // to treat the patient
    uint8 internal constant ETREAT = 2; // to treat the patient in an emergency
    uint8 internal constant CAREMGT = 3; // to manage the patient's care
    uint8 internal constant COC = 4; // to coordinate care between those who treat
    uint8 internal constant HPAYMT = 5; // to have care paid for
    uint8 internal constant HOPERAT = 6; // to run the health-care organisation
    uint8 internal constant HQUALIMP = 7; // to improve the quality of care
    uint8 internal constant HRESCH = 8; // for research in health care
    uint8 internal constant CLINTRCH = 9; // for a clinical trial
    uint8 internal constant PUBHLTH = 10; // for public health
    uint8 internal constant PATRQT = 11; // because the patient asked for it
    uint8 internal constant FAMRQT = 12; // because the family asked for it
    uint8 internal constant PATADMIN = 13; // to administer the patient's stay
    uint8 internal constant HSYSADMIN = 14; // to keep the system running
}

/// @notice What a grant lets its grantee do. Bit n of a grant's `actions` stands for number n.
library Action {
    uint8 internal constant READ = 0; // read the data
    uint8 internal constant WRITE = 1; // add to the twin
    uint8 internal constant TRAIN = 2; // train models on the data
    uint8 internal constant EMERGENCY = 3; // read in an emergency, once opened
    uint8 internal constant KNOWN_BITS = 0xf; // the mask of all of them
}

/// @notice What a member is. Bit n of a member's `kinds` stands for number n.
library Kind {
    uint8 internal constant CLINICIAN = 0; // treats patients
    uint8 internal constant GATEWAY = 1; // writes snapshots
    uint8 internal constant CUSTODIAN = 2; // holds shares of custody secrets
    uint8 internal constant RESEARCHER = 3; // trains models
    uint8 internal constant COORDINATOR = 4; // runs federated rounds
    uint8 internal constant AUDITOR = 5; // checks claims
    uint8 internal constant EMERGENCY = 6; // may open sleeping grants
    uint8 internal constant CARER = 7; // cares for a patient in daily life
    uint8 internal constant DEVICE = 8; // measures
    uint16 internal constant KNOWN_BITS = 0x1ff; // the mask of all of them
    uint16 internal constant GUARDED_BITS = 0x44; // the mask of those that a registrar cannot give
}

/// @notice Why an emergency is opened (HL7 v3 ActConsentInformationAccessOverrideReason).
library Cause {
    uint8 internal constant OVRER = 1; // emergency treatment, for which there is no time to ask
    uint8 internal constant OVRINCOMP = 2; // the patient is not able to consent
    uint8 internal constant OVRPJ = 3; // the patient's interest, by professional judgement
    uint8 internal constant OVRPS = 4; // public safety
    uint8 internal constant OVRTPS = 5; // the safety of a third party
    uint8 internal constant LAST = 0x5; // the last of them
}

/// @notice What a reviewer found of an opening.
library Finding {
    uint8 internal constant JUSTIFIED = 1; // the emergency was one, and what was read was needed
    uint8 internal constant UNJUSTIFIED = 2; // it should not have been opened
    uint8 internal constant UNDECIDED = 3; // what there is does not tell
    uint8 internal constant LAST = 0x3; // the last of them
}
