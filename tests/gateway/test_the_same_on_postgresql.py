"""What holds of a gateway whose queue lies in a file holds of one whose queue lies in PostgreSQL: the same tests."""

from __future__ import annotations

import pytest

from dtledger._backend.postgresql import Server
from tests.gateway.test_judged_readings import *  # noqa: F403
from tests.gateway.test_pump import *  # noqa: F403
from tests.gateway.test_queue import *  # noqa: F403
from tests.gateway.test_rights import *  # noqa: F403
from tests.gateway.test_twins import *  # noqa: F403
from tests.postgres import Cluster

pytestmark = pytest.mark.postgres

# these are of files
del test_a_disk_that_fails_says_so, test_a_disk_that_is_full_takes_nothing_and_loses_nothing  # noqa: F821
del test_its_file_tells_neither_twin_nor_category_nor_value, test_what_was_dropped_is_overwritten  # noqa: F821
del test_the_queue_s_file_tells_nothing_of_a_twin  # noqa: F821


@pytest.fixture
def server(cluster: Cluster) -> Server:
    return Server(cluster.url, "dtledger_queue")
