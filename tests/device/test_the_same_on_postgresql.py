"""What holds of devices whose gateway has its queue in a file holds where it has it in PostgreSQL: the same tests."""

from __future__ import annotations

import pytest

from dtledger._backend.postgresql import Server
from tests.device.test_batches import *  # noqa: F403
from tests.device.test_enrolment import *  # noqa: F403
from tests.postgres import Cluster

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

del TestAWord  # noqa: F821  of bytes alone, without a queue


@pytest.fixture
def server(cluster: Cluster) -> Server:
    return Server(cluster.url, "dtledger_queue")
