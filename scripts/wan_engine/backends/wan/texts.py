"""Texts become embeddings: from memory, from the disk, or by the text encoder, which is loaded only if it must be."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.backends.wan.parts import ModelLoader
from wan_engine.families import ModelCard
from wan_engine.models.memory.needs import TEXT_BYTES
from wan_engine.models.memory.place import Placer
from wan_engine.models.memory.prompt_cache import PromptCache, prompt_key

if TYPE_CHECKING:
    import torch

MAX_TEXT_TOKENS = 512
"""Text tokens of Wan; longer prompts are cut by the tokenizer."""

_TEXTS_KEPT = 64


class Texts:
    """The encoded texts of a film's models; models with the same text encoder share them.

    fingerprints: of a model's text encoder and tokenizer.  folder: where embeddings are kept on disk; None keeps them
    in memory only.
    """

    def __init__(
        self,
        loader: ModelLoader,
        placer: Placer,
        fingerprints: Callable[[ModelCard], tuple[str, str]],
        folder: Path | None,
    ) -> None:
        self._loader = loader
        self._placer = placer
        self._fingerprints = cache(fingerprints)
        self._cache = PromptCache(folder) if folder is not None else None
        self._expected: dict[tuple[str, str], set[str]] = {}
        self._kept: OrderedDict[str, torch.Tensor] = OrderedDict()

    def expect(self, card: ModelCard, texts: Iterable[str]) -> None:
        """Tell what will be asked for, so that all of it is encoded when the encoder is there."""
        self._expected.setdefault(self._fingerprints(card), set()).update(texts)

    def encode(self, card: ModelCard, text: str) -> torch.Tensor:
        """The text's embedding as the pipelines make it, shape (1, 512, text width), wherever it was encoded.

        Raises ModelError when the text encoder cannot be loaded.
        """
        key = self._key(card, text)
        found = self._kept.get(key)
        if found is None and self._cache is not None:
            found = self._cache.read(key)
        if found is None:
            found = self._encode_all(card, text)
        self._keep(key, found)
        return found

    def clear(self) -> None:
        """Forget what is in memory."""
        self._kept.clear()
        self._expected.clear()

    def _encode_all(self, card: ModelCard, text: str) -> torch.Tensor:
        """Encode every expected text that is nowhere yet, and then this one; then let the encoder go."""
        expected = self._expected.get(self._fingerprints(card), set())
        others = [each for each in sorted(expected - {text}) if not self._there(self._key(card, each))]
        pipeline = self._loader.text_pipeline(card)
        self._placer.use(pipeline.text_encoder, TEXT_BYTES)
        device = self._placer.device_of("text_encoder")
        for each in (*others, text):
            embedding: torch.Tensor = pipeline.encode_prompt(
                each, do_classifier_free_guidance=False, max_sequence_length=MAX_TEXT_TOKENS, device=device
            )[0]
            key = self._key(card, each)
            if self._cache is not None:
                self._cache.write(key, embedding)
            self._keep(key, embedding)
        del pipeline
        if not self._placer.profile.keeps_text_encoder:
            self._loader.drop_text_encoder(card)
        return embedding

    def _there(self, key: str) -> bool:
        return key in self._kept or (self._cache is not None and self._cache.holds(key))

    def _keep(self, key: str, embedding: torch.Tensor) -> None:
        self._kept[key] = embedding
        self._kept.move_to_end(key)
        while len(self._kept) > _TEXTS_KEPT:
            self._kept.popitem(last=False)

    def _key(self, card: ModelCard, text: str) -> str:
        dtype = "float32" if self._loader.device == "cpu" else "bfloat16"
        return prompt_key(*self._fingerprints(card), text, MAX_TEXT_TOKENS, dtype)
