"""Writes every generated file; `--check` says which are not what would be written, and exits 1."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]

import artifacts  # noqa: E402
import vectors  # noqa: E402
import vocabulary_sol  # noqa: E402


def main() -> int:
    rendered = {vocabulary_sol.TARGET: vocabulary_sol.render(), **artifacts.render(ROOT), **vectors.render()}
    stale = [path for path, text in rendered.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"stale: {path.relative_to(ROOT)} (run scripts/generate)", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendered[path])
        print(f"written: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
