"""Arrays as bytes: the same for equal arrays, others for others, and back again."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from dtledger.errors import InputError, IntegrityError
from dtledger.federated import arrays as module
from dtledger.federated.arrays import DTYPES, canonical, decode_arrays, encode_arrays
from dtledger.models.update import digest_of
from tests import vectors
from tests.federated import naive
from tests.federated.vectors import CASES

ANY = st.sampled_from(sorted(DTYPES)).flatmap(lambda name: st_numpy.arrays(name, st_numpy.array_shapes(min_dims=0)))
MODELS = st.dictionaries(st.text(max_size=8), ANY, max_size=4)


def data_of(arrays: dict[str, Any]) -> bytes:
    return b"".join(encode_arrays(arrays))


def numbers(dtype: str, values: list[str]) -> Any:
    if dtype == "bool":
        return np.array([each == "True" for each in values])
    read = complex if dtype.startswith("complex") else float if dtype.startswith("float") else int
    return np.array([read(each) for each in values], dtype)


class TestTheBytes:
    @pytest.mark.parametrize("case", vectors.load("arrays.json")["cases"], ids=lambda case: case["says"])
    def test_are_fixed(self, case: dict[str, Any]) -> None:
        arrays = {
            each["name"]: numbers(each["dtype"], each["values"]).reshape(each["shape"]) for each in case["arrays"]
        }
        assert data_of(arrays).hex() == case["bytes"]
        assert digest_of(encode_arrays(arrays)).hex() == case["sha256"]

    def test_of_different_arrays_differ(self) -> None:
        assert len({naive.encode(case) for case in CASES.values()}) == len(CASES)

    @given(MODELS)
    def test_are_what_a_second_implementation_makes(self, arrays: dict[str, Any]) -> None:
        rows = [(name, each.dtype.name, each.shape, each.reshape(-1).tolist()) for name, each in arrays.items()]
        assert data_of(arrays) == naive.encode(rows)

    @pytest.mark.parametrize("bits", [0x7FC00001, 0xFFC00000, 0x7F800001, 0xFFFFFFFF])
    def test_are_the_same_for_every_nan(self, bits: int) -> None:
        other = np.array([bits], np.uint32).view(np.float32)
        assert data_of({"w": other}) == data_of({"w": np.array([np.nan], np.float32)})

    def test_are_the_same_for_both_zeros(self) -> None:
        assert data_of({"w": np.array([-0.0])}) == data_of({"w": np.array([0.0])})

    @given(ANY)
    def test_are_the_same_in_every_byte_order_and_layout(self, array: Any) -> None:
        plain = data_of({"w": array})
        assert data_of({"w": array.astype(array.dtype.newbyteorder(">"))}) == plain
        assert data_of({"w": np.asfortranarray(array).reshape(array.shape)}) == plain
        wide = np.repeat(array[..., np.newaxis], 2, axis=-1)[..., 0]
        assert data_of({"w": wide}) == plain

    def test_differ_by_name_order_shape_and_dtype(self) -> None:
        one, two = np.zeros(2, np.float32), np.ones(2, np.float32)
        others = [
            {"a": one, "b": two},
            {"b": two, "a": one},
            {"a": two, "b": one},
            {"a": one, "c": two},
            {"a": one.reshape(1, 2), "b": two},
            {"a": one.astype(np.float64), "b": two},
            {"a": one.view(np.int32), "b": two},
        ]
        assert len({data_of(each) for each in others}) == len(others)

    @pytest.mark.parametrize("array", [np.array(["text"]), np.array([None]), np.array([0], "M8[s]")], ids=str)
    def test_are_of_numbers_alone(self, array: Any) -> None:
        with pytest.raises(InputError, match="no number of a fixed size"):
            encode_arrays({"w": array})
        encode_arrays({"w": np.array([0])})

    def test_are_made_in_pieces(self) -> None:
        """Of an array that lies in memory the wrong way round, too."""
        array = np.zeros((1 << 12, 1 << 11), np.float64, order="F")
        tracemalloc.start()
        length = sum(len(each) for each in encode_arrays({"w": array}))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert length > array.nbytes > 16 * most


class TestReadingThem:
    @given(MODELS)
    def test_gives_arrays_that_are_equal(self, arrays: dict[str, Any]) -> None:
        read = decode_arrays(data_of(arrays))
        assert list(read) == list(arrays)
        for name, each in arrays.items():
            assert read[name].dtype.name == each.dtype.name
            np.testing.assert_array_equal(read[name], each)
            assert read[name].flags.writeable

    def test_gives_what_others_have(self) -> None:
        (made,) = canonical({"w": np.array([-0.0, 1.0])}).values()
        assert not np.signbit(made).any()

    @pytest.mark.parametrize("piece", [1, 7, 64])
    def test_does_not_hang_on_the_pieces(self, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
        arrays = {"w": np.arange(1000, dtype=np.float32).reshape(10, 100).T, "b": np.arange(3)}
        whole = data_of(arrays)
        monkeypatch.setattr(module, "PIECE", piece)
        assert data_of(arrays) == whole

    @given(MODELS.filter(bool), st.data())
    def test_refuses_what_is_cut_off_or_longer(self, arrays: dict[str, Any], data: st.DataObject) -> None:
        whole = data_of(arrays)
        for wrong in (whole[: data.draw(st.integers(0, len(whole) - 1))], whole + b"\0"):
            with pytest.raises(IntegrityError):
                decode_arrays(wrong)
        decode_arrays(whole)

    @pytest.mark.parametrize(
        "array", [np.array([-0.0]), np.array([0x7FF8000000000001], np.uint64).view(np.float64)], ids=["zero", "nan"]
    )
    def test_refuses_a_number_in_another_form(self, array: Any) -> None:
        whole = data_of({"w": array})
        wrong = whole[:-8] + array.tobytes()
        assert wrong != whole
        with pytest.raises(IntegrityError, match="malformed"):
            decode_arrays(wrong)
        decode_arrays(whole)

    def test_refuses_a_truth_over_1(self) -> None:
        whole = data_of({"w": np.array([True])})
        assert data_of({"w": np.array([2], np.uint8).view(bool)}) == whole
        with pytest.raises(IntegrityError, match="malformed"):
            decode_arrays(whole[:-1] + b"\2")
        decode_arrays(whole)

    @pytest.mark.parametrize("shape", [[0, 2**62], [0, 2**63], [2**40, 2**40, 0]], ids=str)
    def test_refuses_no_numbers_that_are_too_long_besides(self, shape: list[int]) -> None:
        from dtledger import encoding

        def named(shape: list[int]) -> bytes:
            head = encoding.encode({"schema": "dtledger/arrays/1", "arrays": [["w", "float32", shape]]})
            return len(head).to_bytes(8, "big") + head

        with pytest.raises(IntegrityError, match="malformed"):
            decode_arrays(named(shape))
        assert decode_arrays(named([0, 2**20]))["w"].shape == (0, 2**20)

    @pytest.mark.parametrize(
        "rows",
        [
            [["w", "object", [1]]],
            [["w", "float32", [-1]]],
            [["w", "float32", [True]]],
            [["w", "float32", [2**62, 2**62]]],
            [["w", "float32", [1]] * 2],
            [["w", "float32"]],
            "rows",
        ],
        ids=str,
    )
    def test_refuses_a_head_that_names_no_arrays(self, rows: Any) -> None:
        from dtledger import encoding

        head = encoding.encode({"schema": "dtledger/arrays/1", "arrays": rows})
        with pytest.raises(IntegrityError, match="malformed"):
            decode_arrays(len(head).to_bytes(8, "big") + head + bytes(4))
