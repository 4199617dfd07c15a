"""The receipt of a revocation on five validators, by custodians that are services."""

from __future__ import annotations

from tests.client import test_revoking
from tests.network.taking import FAULT, taken

globals().update(
    taken(
        test_revoking,
        dict.fromkeys(
            (
                "test_a_custodian_that_has_not_seen_the_block_is_told_from_the_others",
                "test_a_custodian_whose_node_comes_a_block_later_is_waited_for",
                "test_with_as_many_silent_as_could_open_it_is_not_called_in_force",
                "test_a_former_roster_that_snapshots_stand_under_is_asked_too",
                "test_a_reply_that_is_not_the_custodians_own_counts_for_nothing",
            ),
            FAULT,
        ),
    )
)
