"""What holds of a custodian in the process holds of one over HTTP: the same tests, in a world whose custodians are
services."""

from __future__ import annotations

from tests.custodian.test_anchoring import *  # noqa: F403
from tests.custodian.test_destruction import *  # noqa: F403
from tests.custodian.test_mailroom import *  # noqa: F403
from tests.custodian.test_order_of_work import *  # noqa: F403
from tests.custodian.test_outcomes import *  # noqa: F403
from tests.custodian.test_recovery import *  # noqa: F403
from tests.custodian.test_retries import *  # noqa: F403
from tests.custodian.test_who_looked import *  # noqa: F403
