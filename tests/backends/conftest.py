"""Tiny models with random weights for the tests of the backends, written once a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from untrained import Untrained, write_untrained
from wan_engine.families import Lineup
from wan_engine.models.folder import find_models

TINY_MODELS = {
    "plain": Untrained(),
    "clip": Untrained(image_encoder=True),
    "first_last": Untrained(first_last=True),
    "two_experts": Untrained(two_experts=True),
    "ti2v": Untrained(ti2v=True),
    "vace": Untrained(vace=True),
}


@pytest.fixture(scope="session")
def one_thread() -> None:
    """Tiny models gain nothing from a second thread, and wait long for it when the machine is busy."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_models(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of each kind of tiny model."""
    root = tmp_path_factory.mktemp("models")
    for name, what in TINY_MODELS.items():
        write_untrained(root / name, what)
    return {name: root / name for name in TINY_MODELS}


@pytest.fixture(scope="session")
def tiny_lineup(tiny_models: dict[str, Path]) -> Callable[[str], Lineup]:
    """The line-up of one kind of tiny model."""

    def lineup(kind: str) -> Lineup:
        return Lineup({mode: card for card in find_models(tiny_models[kind]) for mode in card.modes})

    return lineup
