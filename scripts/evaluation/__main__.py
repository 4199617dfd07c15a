"""`scripts/evaluate VERB`: a report on stdout, and all of it as JSON in a file."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from dtledger.errors import InputError

from . import bench_verb, calibrate_verb, denoise_verb, detect_verb, fit_verb, forecast_verb, memory_verb, vitals_verb
from .asked import file, not_negative

VERBS = {
    "forecast": forecast_verb,
    "detect": detect_verb,
    "denoise": denoise_verb,
    "bench": bench_verb,
    "fit": fit_verb,
    "calibrate": calibrate_verb,
    "vitals": vitals_verb,
    "memory": memory_verb,
}
"""Each a module with TEXT, `arguments(parser)` and `run(options)`, which prints and gives what the file will hold."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("scripts/evaluate", description="Measure the twin: docs/twin.md.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, verb in VERBS.items():
        each = verbs.add_parser(name, help=verb.TEXT, description=verb.TEXT)
        each.add_argument(
            "--seed", type=not_negative, default=0, help="of whatever is drawn; what is not drawn is the same"
        )
        each.add_argument("--json", type=file, metavar="FILE", help="where everything is written")
        verb.arguments(each)
    options = parser.parse_args(arguments)
    try:
        found = VERBS[options.verb].run(options)
    except InputError as error:
        print("\n       ".join(filter(None, (f"error: {error.message}", error.hint))), file=sys.stderr)
        return 2
    if options.json is not None:
        text = found if isinstance(found, str) else json.dumps(strict(found), allow_nan=False) + "\n"
        options.json.write_text(text, "utf-8")
    return 0


def strict(value: Any) -> Any:
    """As JSON has it (RFC 8259): no number is null, and one beyond all is the greatest that there is."""
    if isinstance(value, np.ndarray | np.generic):
        return strict(np.round(value, 6).tolist())
    if isinstance(value, dict):
        return {str(key): strict(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [strict(each) for each in value]
    if isinstance(value, float):
        return None if math.isnan(value) else max(min(value, sys.float_info.max), -sys.float_info.max)
    return value


if __name__ == "__main__":
    sys.exit(main())
