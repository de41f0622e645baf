"""Loads the models of a film: each component once, shared between the pipelines that are made of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError, WanError
from wan_engine.families import Mode, ModelCard
from wan_engine.models.attempts import Attempts, Way
from wan_engine.models.devices import component_dtype, is_out_of_memory
from wan_engine.models.load_component import (
    Wanted,
    load_image_processor,
    load_network,
    make_scheduler,
    what,
)
from wan_engine.models.memory.place import release
from wan_engine.models.model_set import open_model
from wan_engine.models.pipelines import (
    KINDS,
    MASKED_VIDEO,
    PipelineKind,
    build_pipeline,
    build_text_pipeline,
    check_together,
)
from wan_engine.models.placer import AllOnDevice, Placer
from wan_engine.models.quiet import quiet_libraries
from wan_engine.models.source import ModelSource
from wan_engine.models.tokenizer import load_tokenizer, tokenizer_places

_Key = tuple[str, ...]


class Loader:
    """Loads each component once and builds the pipelines of a film's models from them.

    device: as from `devices.choose_device`.  dtype: of the transformers (float32, bfloat16, float16); modules that
    diffusers keeps in float32 stay so. The VAE and the image encoder are float32, the text encoder bfloat16 on a GPU.
    placer: puts each component where it runs.  attempts: what was tried so far.
    """

    def __init__(self, device: str, dtype: str, placer: Placer | None = None) -> None:
        self.device = device
        self.dtype = dtype
        self.attempts = Attempts()
        self._placer: Placer = placer or AllOnDevice(device)
        self._components: dict[_Key, Any] = {}
        self._pipelines: dict[tuple[ModelCard, PipelineKind], Any] = {}
        self._text_pipelines: dict[ModelCard, Any] = {}

    def pipeline(self, card: ModelCard, mode: Mode) -> Any:
        """A WanPipeline for t2v, a WanVACEPipeline for vace, else a WanImageToVideoPipeline, without a text encoder.

        Raises ModelError.
        """
        kind = KINDS[mode]
        if (card, kind) not in self._pipelines:
            quiet_libraries()
            source = open_model(card)
            check_together(source)
            self._pipelines[card, kind] = build_pipeline(kind, source, self._parts(source, kind))
        return self._pipelines[card, kind]

    def text_pipeline(self, card: ModelCard) -> Any:
        """A pipeline with the model's tokenizer and text encoder alone, loaded when it is first asked for.

        Raises ModelError.
        """
        if card not in self._text_pipelines:
            quiet_libraries()
            source = open_model(card)
            parts = self._tokenizer(source), self._network(source, "text_encoder")
            self._text_pipelines[card] = build_text_pipeline(*parts)
        return self._text_pipelines[card]

    def drop_text_encoder(self, card: ModelCard) -> None:
        """Forget a model's text encoder and give its memory back; other models that share it load it again."""
        if card not in self._text_pipelines:
            return
        encoder = self._text_pipelines[card].text_encoder
        self._components = {key: there for key, there in self._components.items() if there is not encoder}
        shared = [each for each, pipeline in self._text_pipelines.items() if pipeline.text_encoder is encoder]
        for each in shared:
            del self._text_pipelines[each]
        del encoder
        release(self.device)

    def close(self) -> None:
        """Forget everything that was loaded and give the device's memory back."""
        self._pipelines.clear()
        self._text_pipelines.clear()
        self._components.clear()
        release(self.device)

    def _parts(self, source: ModelSource, kind: PipelineKind) -> dict[str, Any]:
        return {name: self._part(source, kind, name) for name in kind.parts}

    def _part(self, source: ModelSource, kind: PipelineKind, name: str) -> Any:
        if name == "tokenizer":
            return self._tokenizer(source)
        if name == "scheduler":
            where = source.components.get(name, source.path)
            return self._once((name, str(where)), where, lambda: make_scheduler(where, source.scheduler_config()))
        if name == "image_processor":
            return self._image_processor(source)
        if name not in source.components:
            return None
        takes_vace = kind is MASKED_VIDEO and name.startswith("transformer")
        return self._network(source, name, source.components.get("vace") if takes_vace else None)

    def _tokenizer(self, source: ModelSource) -> Any:
        places = tokenizer_places(source.components["tokenizer"], source.components["text_encoder"])
        # Wan has one tokenizer, wherever it lies; which one was taken is among the attempts.
        ways = [Way(f"tokenizer: {place}", partial(load_tokenizer, place)) for place in places]
        key = ("tokenizer", str(places[0].resolve()))
        return self._once(key, places[0], lambda: self.attempts.first_of(ways, final=is_out_of_memory))

    def _image_processor(self, source: ModelSource) -> Any:
        if "image_encoder" not in source.components:
            return None
        folder = source.components.get("image_processor")
        size = int(source.config("image_encoder").get("image_size", 224))
        where = folder or source.components["image_encoder"]
        key = ("image_processor", str(where.resolve()))
        return self._once(key, where, lambda: load_image_processor(folder, size))

    def _network(self, source: ModelSource, name: str, vace: Path | None = None) -> Any:
        """A component with weights. The two experts' place may be one file, which is then loaded once."""
        place = source.components[name]
        key = (name.removesuffix("_2"), str(place.resolve()), str(vace.resolve()) if vace else "")

        def load() -> Any:
            wanted = Wanted(
                name, place, component_dtype(name, self.device, self.dtype), self._placer.reads_to(name), vace
            )
            words, size = what(wanted)
            module = self.attempts.first_of([Way(words, lambda: load_network(wanted), size)], final=_final)
            self._placer.place(name, module)
            return module

        return self._once(key, place, load)

    def _once(self, key: _Key, place: Path, load: Callable[[], Any]) -> Any:
        if key not in self._components:
            try:
                self._components[key] = load()
            except Exception as error:
                # The libraries raise whatever they stumble over in a damaged file; all of it means the same here.
                if _final(error):
                    raise
                message = f"{place} cannot be loaded: {error}"
                raise ModelError(message, "Check that it is complete and of this model") from error
        return self._components[key]


def _final(error: Exception) -> bool:
    return isinstance(error, WanError) or is_out_of_memory(error)
