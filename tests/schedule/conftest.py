"""What the tests of the schedule language share: the recorded results of Deforum, where they are at hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_CASES = Path(__file__).resolve().parents[3] / "shared" / "reference" / "deforum_conformance.json"


@pytest.fixture(scope="session")
def deforum_cases() -> Callable[[str], list[dict[str, Any]]]:
    """The cases of one family; the test is skipped where the recordings are not at hand."""

    def cases(family: str) -> list[dict[str, Any]]:
        if not _CASES.is_file():
            pytest.skip("Deforum's recorded results are not at hand")
        found = [case for case in json.loads(_CASES.read_text(encoding="utf-8"))["cases"] if case["family"] == family]
        assert found, f"no cases of {family}"
        return found

    return cases
