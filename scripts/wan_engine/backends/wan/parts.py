"""What the backend needs of whatever gives it models: the loader, or the benchmark's maker of random ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from wan_engine.families import Mode, ModelCard
from wan_engine.models.attempts import Attempts
from wan_engine.models.load import Loader
from wan_engine.models.memory.needs import Weights, weights_of
from wan_engine.models.memory.place import Placer
from wan_engine.models.model_set import open_model


class ModelLoader(Protocol):
    """Gives the pipelines of models. device, dtype: where and in which numbers the transformers compute.

    attempts: what was tried.
    """

    device: str
    dtype: str
    attempts: Attempts

    def pipeline(self, card: ModelCard, mode: Mode) -> Any:
        """The pipeline that renders a mode, without a text encoder."""

    def text_pipeline(self, card: ModelCard) -> Any:
        """A pipeline with the tokenizer and the text encoder alone."""

    def drop_text_encoder(self, card: ModelCard) -> None:
        """Forget the text encoder."""

    def close(self) -> None:
        """Forget everything."""


def _weigh(cards: Sequence[ModelCard], dtype: str, on_cpu: bool, fp8: bool) -> Weights:
    return weights_of([open_model(card) for card in cards], dtype, on_cpu, fp8)


def _fingerprints(card: ModelCard) -> tuple[str, str]:
    source = open_model(card)
    return source.component_fingerprint("text_encoder"), source.component_fingerprint("tokenizer")


@dataclass(frozen=True)
class Models:
    """Where models come from.

    make_loader: of device, dtype and placer.  weigh: the sizes of several models, of their cards, the dtype, whether
    they run on the CPU, and whether their weights are kept in fp8.  fingerprints: of text encoder and tokenizer.
    """

    make_loader: Callable[[str, str, Placer], ModelLoader] = Loader
    weigh: Callable[[Sequence[ModelCard], str, bool, bool], Weights] = _weigh
    fingerprints: Callable[[ModelCard], tuple[str, str]] = _fingerprints
