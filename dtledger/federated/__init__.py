"""Federated rounds with provenance, on Flower: every update names its consents, and none leaves uncommitted.

- `arrays`: weights as bytes, the one form in which they are hashed, kept and handed on
- `site`: a site's part of a round: whose consents count, what is read, what is committed; it knows no Flower
- `privacy`: clipping, noise, and what they spend
- `mod`: the site's part as a Flower mod
- `checking`: what a coordinator looks at before it takes an update
- `strategy`: the coordinator's part round any Flower strategy
- `grid`: all sites in one process, over the same apps
- `hospitals`: the worked example

The libraries are the extra `dtledger[federated]`; `arrays`, `site` and `checking` need numpy alone.
"""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import InputError

__all__ = ["require_extra"]


def require_extra() -> None:
    """Pass if the libraries of federated rounds are installed.

    Raises:
        InputError: they are not.
    """
    if any(find_spec(name) is None for name in ("flwr", "dp_accounting", "numpy", "sklearn")):
        raise InputError(
            "Federated rounds run on libraries that are not installed.", hint='Run `pip install "dtledger[federated]"`.'
        )
