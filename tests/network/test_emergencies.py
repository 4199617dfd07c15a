"""Breaking the glass on five validators."""

from __future__ import annotations

from tests.client import test_emergencies
from tests.network.taking import ALL, FAULT, STILL, TIME, taken

globals().update(
    taken(
        test_emergencies,
        {
            "test_a_grant_that_sleeps_is_all_that_is_not_sensitive_for_a_year_the_past_too": STILL,
            "test_whoever_opens_reads_for_its_hours_and_nobody_else": TIME,
            "test_a_review_that_is_overdue_is_listed_and_still_made": TIME,
            "test_three_that_nobody_reviewed_are_as_many_as_one_may_have": TIME,
            "test_words_that_were_damaged_name_their_block": FAULT,
            "test_an_auditor_of_another_organisation_reviews": ALL,
            "test_there_is_an_opening_to_review": ALL,
            "test_everybody_is_shown_what_concerns_them": ALL,
        },
        fixtures=("scene",),
    )
)
