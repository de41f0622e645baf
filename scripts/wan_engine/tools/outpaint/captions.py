"""Describes a frame of each chunk in words, with an image-to-text model of transformers that is on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import ModelError
from wan_engine.home import state_home
from wan_engine.models.devices import choose_device
from wan_engine.models.downloads.table import TABLE
from wan_engine.models.memory.place import release
from wan_engine.models.quiet import quiet_libraries
from wan_engine.setting_spec import path_lines
from wan_engine.settings_outpaint import OutpaintSettings

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture

_MOST_TOKENS = 60
_REMEDY = (
    "Give the folder of a BLIP-2, BLIP or GIT model, fetch one with: wan-engine models download blip2, or leave "
    "caption_model out"
)


def caption_place(settings: OutpaintSettings) -> str:
    """The folder of the caption model, or its name in the Hugging Face cache; "" when nothing is captioned.

    Raises ModelError for a folder that is no model of transformers, and for a name that is not in the cache.
    """
    named = settings.caption_model.strip()
    if not named:
        return ""
    roots = [*(Path(line).expanduser() for line in path_lines(settings.model_dirs)), state_home() / "models"]
    downloaded = [root / TABLE[named].place for root in roots] if named in TABLE else []
    folder = next((place for place in (Path(named).expanduser(), *downloaded) if place.is_dir()), None)
    if folder is None and not _is_cached(named):
        raise ModelError(f"caption_model: {named} is not on this machine", _REMEDY)
    if folder is not None and not (folder / "config.json").is_file():
        raise ModelError(f"caption_model: {folder} holds no config.json", _REMEDY)
    return str(folder or named)


def _is_cached(name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        return isinstance(try_to_load_from_cache(name, "config.json"), str)
    except HFValidationError:
        return False


def captions_of(
    place: str, device: str, pictures: Iterable[tuple[int, Picture]], said: Callable[[int], None]
) -> Mapping[int, str]:
    """A caption for each numbered picture. place: as from `caption_place`.  device: as the settings name it.

    said: told each number that is done; it may raise, to stop. Raises ModelError. Nothing is fetched.
    """
    captions: dict[int, str] = {}
    with _model(place, choose_device(device)) as describe:
        for number, picture in pictures:
            captions[number] = describe(picture)
            said(number)
    return captions


@contextmanager
def _model(place: str, device: str) -> Any:
    """A function that describes a picture; its model is given back at the end."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    quiet_libraries()
    on_gpu = device.startswith("cuda")
    try:
        processor = AutoProcessor.from_pretrained(place, local_files_only=True)
        dtype = torch.float16 if on_gpu else torch.float32
        model = AutoModelForImageTextToText.from_pretrained(place, local_files_only=True, dtype=dtype)
    except Exception as error:
        # transformers raises whatever it stumbles over in a folder.
        raise ModelError(f"caption_model: {place} cannot be loaded: {error}", _REMEDY) from error
    model.to(device).eval()

    def describe(picture: Picture) -> str:
        from PIL import Image

        inputs = processor(images=Image.fromarray(picture, "RGB"), return_tensors="pt").to(device, dtype)
        with torch.no_grad():
            tokens = model.generate(**inputs, max_new_tokens=_MOST_TOKENS, do_sample=False)
        words: str = processor.batch_decode(tokens, skip_special_tokens=True)[0]
        return " ".join(words.split())

    try:
        yield describe
    finally:
        model.to("cpu")
        release(device)
