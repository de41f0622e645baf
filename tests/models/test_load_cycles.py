"""Everything that was loaded is released: tensors, modules and memory after ten rounds are what they were after two.

In a process of their own: among other tests, whose freed memory is put to use in another order, memory once grew by
25 MB though nothing was kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from load_rounds import embedded_rounds, failing_rounds, file_rounds

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    """Another process, in which no other test has run."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        yield pool


def test_the_embedded_model_is_released(elsewhere: ProcessPoolExecutor) -> None:
    elsewhere.submit(embedded_rounds).result()


def test_a_set_of_files_is_released(elsewhere: ProcessPoolExecutor, tmp_path: Path) -> None:
    elsewhere.submit(file_rounds, tmp_path).result()


def test_a_model_that_cannot_be_loaded_leaves_nothing(elsewhere: ProcessPoolExecutor, tmp_path: Path) -> None:
    elsewhere.submit(failing_rounds, tmp_path).result()
