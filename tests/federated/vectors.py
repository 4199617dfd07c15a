"""The fixed vectors of `dtledger.federated`, made by the naive implementation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.federated import naive

Array = tuple[str, str, Sequence[int], Sequence[Any]]

NAN, INFINITE = float("nan"), float("inf")
CASES: dict[str, list[Array]] = {
    "no array": [],
    "one number": [("bias", "float32", [], [0.5])],
    "a matrix and a vector": [
        ("coef", "float32", [2, 3], [0, 1, 2, -3, 0.25, 1e-45]),
        ("intercept", "float64", [1], [0.1]),
    ],
    "the same, the other way round": [
        ("intercept", "float64", [1], [0.1]),
        ("coef", "float32", [2, 3], [0, 1, 2, -3, 0.25, 1e-45]),
    ],
    "the same numbers in another shape": [("coef", "float32", [3, 2], [0, 1, 2, -3, 0.25, 1e-45])],
    "no number": [("empty", "int8", [0, 4], [])],
    "what has no number": [("odd", "float64", [4], [NAN, INFINITE, -INFINITE, -0.0])],
    "the same as half": [("odd", "float16", [4], [NAN, INFINITE, -INFINITE, -0.0])],
    "the same as complex": [("odd", "complex64", [2], [complex(NAN, -0.0), complex(-0.0, INFINITE)])],
    "whole numbers": [
        ("i8", "int8", [2], [-128, 127]),
        ("u8", "uint8", [2], [0, 255]),
        ("i16", "int16", [2], [-(2**15), 2**15 - 1]),
        ("u32", "uint32", [2], [0, 2**32 - 1]),
        ("i64", "int64", [2], [-(2**63), 2**63 - 1]),
        ("u64", "uint64", [2], [0, 2**64 - 1]),
        ("mask", "bool", [3], [True, False, True]),
    ],
    "names of any script": [("schicht-ä", "float32", [1], [1]), ("層", "float32", [1], [2])],
}


def arrays() -> dict[str, Any]:
    """Arrays and their bytes. Numbers are written as Python writes them, and complex ones in two."""
    rows = []
    for says, case in CASES.items():
        data = naive.encode(case)
        named = [
            {"name": name, "dtype": dtype, "shape": list(shape), "values": [str(each) for each in values]}
            for name, dtype, shape, values in case
        ]
        rows.append({"says": says, "arrays": named, "bytes": data.hex(), "sha256": naive.digest(data)})
    return {"cases": rows}


FILES = {"arrays.json": arrays}
