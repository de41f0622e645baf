"""Hashes say whether something is still what it was."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import StorageError
from wan_engine.storage.hashes import file_hash, hash_bytes, value_hash

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def test_file_hash_is_sha256(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "a").write_bytes(content)
    assert file_hash(tmp_path / "a") == hashlib.sha256(content).hexdigest() == hash_bytes(content)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot read"):
        file_hash(tmp_path / "a")


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=5))
def test_order_of_keys_does_not_matter(values: dict[str, object]) -> None:
    assert value_hash(values) == value_hash(dict(reversed(values.items())))


@given(JSON, JSON)
def test_different_values_differ(first: object, second: object) -> None:
    assert (value_hash(first) == value_hash(second)) == (repr_of(first) == repr_of(second))


def repr_of(value: object) -> str:
    """Distinguishes 1, 1.0 and True, as JSON text does, and ignores the order of keys."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{repr_of(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(repr_of, value)) + "]"
    return repr(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x"])
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        value_hash(value)
