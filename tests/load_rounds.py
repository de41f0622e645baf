"""Loads models and gives them up again, round after round, and compares what is left. Run in a process of its own."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch

from model_sets import card_of, make_networks, write_files
from wan_engine.errors import ModelError
from wan_engine.families import ModelCard
from wan_engine.models.folder import find_models
from wan_engine.models.load import Loader
from wan_engine.tiny import WEIGHTS

ROUNDS = 10
TOLERANCE = 16_000_000
"""Bytes of memory. A round loads 11 MB of weights or more: what eight of them kept would be 88 MB. Measured was 0.0 to
2.2 MB more."""


def embedded() -> ModelCard:
    return next(card for card in find_models(WEIGHTS) if "t2v" in card.modes)


def load_and_close(card: ModelCard) -> None:
    loader = Loader("cpu", "float32")
    texts, pipeline = loader.text_pipeline(card), loader.pipeline(card, "t2v")
    texts.encode_prompt("a red square", do_classifier_free_guidance=False, device="cpu")
    modules = [texts.text_encoder, pipeline.transformer, pipeline.vae]
    watched = [weakref.ref(module) for module in modules]
    del texts, pipeline, modules
    loader.close()
    assert [reference() for reference in watched] == [None] * len(watched), "modules live on after close()"


def fail_to_load(card: ModelCard) -> None:
    loader = Loader("cpu", "float32")
    with pytest.raises(ModelError, match="not numbers"):
        loader.pipeline(card, "t2v")
    loader.close()


def tensors() -> int:
    gc.collect()
    # By their type: asking some objects of the libraries what they are warns or imports more of them.
    return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())


def go_round(once: Callable[[], None]) -> None:
    once()
    once()
    before, memory = tensors(), psutil.Process().memory_info().rss
    for _ in range(ROUNDS - 2):
        once()
    assert tensors() == before
    grown = psutil.Process().memory_info().rss - memory
    assert grown < TOLERANCE, f"{grown / 1e6:.1f} MB more"


def embedded_rounds() -> None:
    card = embedded()
    go_round(lambda: load_and_close(card))


def file_rounds(folder: Path) -> None:
    card = card_of(write_files(folder, make_networks()))
    go_round(lambda: load_and_close(card))


def failing_rounds(folder: Path) -> None:
    networks = make_networks()
    networks.vae.decoder.conv_out.bias.fill_(float("nan"))
    networks.transformer.proj_out.bias.fill_(float("nan"))
    card = card_of(write_files(folder, networks))
    go_round(lambda: fail_to_load(card))
