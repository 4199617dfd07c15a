"""Grants and reads on five validators: what holds in memory holds there."""

from __future__ import annotations

from tests.client import test_consents, test_reading
from tests.network.taking import CLIENT, STILL, TIME, taken

globals().update(
    taken(
        test_consents,
        {
            "test_a_grant_is_live_blocked_ended_or_revoked": TIME,
            "test_a_grant_that_has_not_begun_sleeps": TIME,
            "test_renewing_moves_the_end_of_the_data_only_if_they_ended_with_the_grant": STILL,
            "test_terms_of_an_unknown_category_are_refused": CLIENT,
        },
    )
    | taken(test_reading, {"test_a_datetime_without_an_offset_is_never_guessed": CLIENT})
)
