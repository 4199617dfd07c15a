"""Guardians on five validators: what they sign stands there as in memory."""

from __future__ import annotations

from tests.client import test_guardians
from tests.network.taking import CLIENT, TIME, taken

globals().update(
    taken(
        test_guardians,
        dict.fromkeys(
            (
                "TestSigning.test_ends_with_its_time_and_with_any_change",
                "TestAFrozenTwin.test_thaws_by_itself",
                "TestARecovery.test_brings_the_twin_to_a_new_key_that_begins_afresh",
                "TestARecovery.test_by_all_on_a_frozen_twin_stands_against_a_thief",
            ),
            TIME,
        )
        | {"TestChoosing.test_refuses_what_could_never_act": CLIENT},
        fixtures=("circle",),
    )
)
