"""What a random life on a ledger is drawn from: most of it near what would succeed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from dtledger.policy import Grant, Request
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose
from tests.ledger.bench import who
from tests.ledger.guarding import WARDS

PATIENTS = ("ann", "bob")
ASKERS = ("ann", "bob", "clinician", "gateway", "hospital")
TRAINERS = ("carrier", "carrier", "clinician", "gateway")

patients = st.sampled_from(PATIENTS)
askers = st.sampled_from(ASKERS)
twins = st.sampled_from([1] * 6 + [2, 2, 3])
numbers = st.sampled_from([0] * 6 + [1, 1, 8])
models = st.sampled_from([1] * 6 + [2, 0])
beside = st.sampled_from([0, 0, 0, 0, 0, 1, -1])
"""How far a named counter lies from the present one."""
places = st.sampled_from([0, 1, 2, 3, None])
"""Which of the slots that an owner wrote; None is one that is drawn, written or not."""
rarely = st.sampled_from([False] * 9 + [True])
lives = st.sampled_from([600, 600, 600, 600, 0, 1, 3600, 3601, -1])
"""How far ahead of the next block a deadline lies, in seconds."""
wards = st.sampled_from(
    [
        ["clinician", "gateway"],
        ["clinician", "gateway"],
        list(WARDS),
        list(WARDS),
        ["hospital"],
        ["bob", "hospital"],
        [],
    ]
)
"""Which guardians sign, and who is none."""
words = st.builds(
    Grant,
    categories=st.sampled_from([1, 1, 3, 8, 0xFFFFFFFF]),
    purposes=st.sampled_from([Purpose.TREAT.mask, Purpose.TREAT.mask, 0xFFFFFFFF, Purpose.ETREAT.mask]),
    not_before_at=st.sampled_from([0, 0, 0, 2**39]),
    expires_at=st.sampled_from([2**40 - 1, 2**40 - 1, 2**40 - 1, 2**39]),
    data=st.sampled_from([Period(0, 2**30 - 1), Period(10, 20), Period(20, 20)]),
    actions=st.sampled_from([1, 1, 2, 4, 7, 8, 15]),
)
senseless = st.sampled_from(
    [{}] * 20 + [{"actions": 0}, {"actions": 16}, {"categories": 0}, {"expires_at": 0}, {"epoch": 1}]
)
words = st.builds(lambda word, change: replace(word, **change), words, senseless)
requests = st.builds(
    Request,
    twin=twins,
    requester=askers.map(lambda name: who(name).address),
    grantee=askers.map(lambda name: who(name).address),
    number=st.sampled_from([0, 0, 1]),
    action=st.sampled_from([Action.READ, Action.READ, Action.TRAIN]),
    purpose=st.sampled_from([Purpose.TREAT, Purpose.TREAT, Purpose.ETREAT, Purpose.PATRQT]),
    bit=st.sampled_from([0, 0, 1, 31]),
    period=st.sampled_from([Period(10, 20), Period(20, 20), Period(9, 20), Period(0, 2**30 - 1)]),
)
