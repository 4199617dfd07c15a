"""Every mutant that Cosmic Ray makes of a Python file, as JSON lines. Run by `scripts/mutate`, with Cosmic Ray's own
Python: `mutants_python.py FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.plugins import get_operator, operator_names


def main(file: str) -> None:
    """A line for each: `by`, the operator, and `source`, the whole file with its one change."""
    source = Path(file).read_text()
    nodes = list(ast_nodes(get_ast(source)))
    for name in operator_names():
        kind = get_operator(name)
        if kind.arguments():
            continue  # it changes what it is told
        operator = kind()
        places = sum(1 for node in nodes for _ in operator.mutation_positions(node))
        for place in range(places):
            mutated = MutationVisitor.mutate_code(source, operator, place)
            print(json.dumps({"by": name.removeprefix("core/"), "source": mutated}))


if __name__ == "__main__":
    main(sys.argv[1])
