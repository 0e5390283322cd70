"""Chunks by what they mean, and two orders fused into one."""

import pytest

from turnwise.engine.nearest import fuse, nearest, pack
from turnwise.store.store import Vectors, chunk_id


def test_the_nearest_come_first_whatever_their_length() -> None:
    kept = [pack(1, "m", [[10.0, 0.0], [0.0, 3.0]]), pack(7, "m", [[0.1, 0.1], [-1.0, 0.0]])]
    assert nearest(kept, [1.0, 0.2], 3) == [chunk_id(1, 0), chunk_id(7, 0), chunk_id(1, 1)]


def test_vectors_are_kept_as_half_precision_numbers_of_length_one() -> None:
    packed = pack(3, "m", [[3.0, 4.0], [0.0, 0.0]])
    assert packed == Vectors(3, "m", 2, packed.data)
    assert len(packed.data) == 8
    import numpy as np

    assert np.frombuffer(packed.data, "<f2").tolist() == [
        pytest.approx(0.6, abs=1e-3),
        pytest.approx(0.8, abs=1e-3),
        0,
        0,
    ]


def test_vectors_of_another_size_are_passed_over() -> None:
    assert nearest([pack(1, "m", [[1.0, 0.0, 0.0]])], [1.0, 0.0], 5) == []
    assert nearest([], [1.0], 5) == []


def test_what_stands_high_in_both_orders_is_best() -> None:
    assert fuse([[1, 2, 3], [3, 2, 9]])[:2] == [3, 2]
    assert fuse([[1, 2], []]) == [1, 2]
    assert fuse([]) == []
