"""What a model lacks, and where it could come from: names of the table of downloads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wan_engine.models.downloads.table import TABLE


@dataclass(frozen=True)
class Missing:
    """A part that is not there.

    component: which, as `ModelCard.files` names it.  what: in words.  downloads: names in the table of downloads, any
    one of which brings it.  why: what is known besides, such as which files it might be.
    """

    component: str
    what: str
    downloads: tuple[str, ...] = ()
    why: str = ""

    def words(self, between: str = " ") -> str:
        """In a sentence without its end: what is missing and where it could come from. between: before each source."""
        sources = [between + _source(name) for name in self.downloads]
        came = f"; it could come from{', or'.join(sources)}" if sources else ""
        return f"{self.what} is missing{f' ({self.why})' if self.why else ''}{came}"


def _source(name: str) -> str:
    entry = TABLE[name]
    return f"{entry.repository}: {', '.join(entry.patterns)} ({entry.size / 1e9:.3g} GB)"


def remedy(missing: Iterable[Missing]) -> str:
    """What to do about missing parts."""
    settings = {"tokenizer": "text_encoder", "vace": "vace_module"}
    missing = list(missing)
    names = dict.fromkeys(settings.get(each.component, each.component) for each in missing)
    words = f"Name the files in the settings ({', '.join(names)}), or their folders in model_dirs"
    wanted = [each.downloads[0] for each in missing if each.downloads]
    return f"{words}; or: wan-engine models download {' '.join(wanted)}" if wanted else words


def missing_vae(channels: int) -> Missing:
    """The VAE whose latents have so many channels."""
    if channels == 48:
        return Missing("vae", "the Wan 2.2 VAE (48 channels)", ("wan2.2-vae",))
    return Missing("vae", f"the Wan 2.1 VAE ({channels} channels)", ("wan2.1-vae",))


def missing_text_encoder(width: int) -> Missing:
    """The UMT5 text encoder of this width."""
    large = width == 4096
    names = ("umt5-xxl-fp16", "umt5-xxl-fp8", "umt5-xxl-gguf-q8_0") if large else ()
    return Missing("text_encoder", f"the UMT5{'-XXL' if large else ''} text encoder (width {width})", names)


def missing_tokenizer() -> Missing:
    """UMT5's tokenizer."""
    return Missing("tokenizer", "the tokenizer of google/umt5-xxl", ("umt5-xxl-tokenizer",))


def missing_image_encoder(width: int) -> Missing:
    """The CLIP vision encoder of this width."""
    names = ("clip-vit-h",) if width == 1280 else ()
    return Missing("image_encoder", f"the image encoder (OpenCLIP ViT-H/14, width {width})", names)


def missing_expert(component: str, channels: int, why: str = "") -> Missing:
    """The other of Wan 2.2's two experts. channels: what the transformer takes, 16 for T2V, 36 for I2V."""
    noise = "high" if component == "transformer" else "low"
    mode = {16: "t2v", 36: "i2v"}.get(channels)
    names = (f"wan2.2-{mode}-a14b-fp8", f"wan2.2-{mode}-a14b-gguf-q4_k") if mode else ()
    return Missing(component, f"the expert for {noise} noise", names, why)


def missing_base(dim: int) -> Missing:
    """The T2V transformer that VACE blocks are put on."""
    names = {1536: ("wan2.1-t2v-1.3b-bf16",), 5120: ("wan2.1-t2v-14b-fp8", "wan2.1-t2v-14b-gguf-q4_k")}.get(dim, ())
    return Missing("transformer", f"a T2V transformer of width {dim} for the VACE blocks", names)
