"""What can be downloaded: the names users type, and for each its repository, files, licence, size and place. Pure data.

Repositories and file names are those of the releases as published on the hub. Sizes are estimates, to choose by; the
exact ones are asked from the hub before anything is fetched.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from wan_engine.errors import InputError, Problem

APACHE = "apache-2.0"
MIT = "mit"
FLUX = "flux-1-dev-non-commercial-license"

MAIN = "main"
"""The hub's branch that releases are on. Which commit it is gets asked first; a download is of that one commit."""

FOLDER = ("model_index.json", "*/*.json", "*/*.safetensors", "*/*.model")
"""A folder in the layout of diffusers, without pictures, examples and weights that would have to be unpickled."""

_COMFY_21 = "Comfy-Org/Wan_2.1_ComfyUI_repackaged"
_COMFY_22 = "Comfy-Org/Wan_2.2_ComfyUI_Repackaged"
_FUSIONX = "QuantStack/Wan2.1_T2V_14B_FusionX_VACE-GGUF"
_FUSIONX_NAME = "wan2.1-vace-14b-fusionx-gguf"
_DIFFUSION = "split_files/diffusion_models"

_PARTS_21 = ("umt5-xxl-fp8", "wan2.1-vae")
_PARTS_I2V = (*_PARTS_21, "clip-vit-h")
_PARTS_GGUF = ("umt5-xxl-gguf-q8_0", "wan2.1-vae")


@dataclass(frozen=True)
class Entry:
    """One thing that can be downloaded.

    what: in words.  patterns: of the files in the repository, as `fnmatch` reads them.  size: about, in bytes.
    parts: what it brings.  needs: names of entries that films need beside it.  folder: where it goes below the folder
    of models, its name if empty.  flat: files lose the folders they have in the repository.  gated: the hub gives the
    files only to those who have accepted the licence there.
    """

    name: str
    what: str
    repository: str
    patterns: tuple[str, ...]
    licence: str
    size: int
    parts: tuple[str, ...]
    needs: tuple[str, ...] = ()
    folder: str = ""
    flat: bool = True
    gated: bool = False
    revision: str = MAIN

    @property
    def place(self) -> str:
        """Name of its folder below the folder of models."""
        return self.folder or self.name

    def wants(self, file: str) -> bool:
        """Whether a file of the repository belongs to it."""
        return any(fnmatchcase(file, pattern) for pattern in self.patterns)

    def target(self, file: str) -> PurePosixPath:
        """Where a file of the repository goes, in the entry's own folder."""
        path = PurePosixPath(file)
        return PurePosixPath(path.name) if self.flat else path


def _diffusers(name: str, what: str, repository: str, gigabytes: float, *more: str) -> Entry:
    parts = ("transformer", *more, "text encoder", "VAE", "tokenizer")
    return Entry(name, what, f"Wan-AI/{repository}", FOLDER, APACHE, int(gigabytes * 1e9), parts, flat=False)


def _files(
    name: str,
    what: str,
    repository: str,
    files: tuple[str, ...],
    gigabytes: float,
    needs: tuple[str, ...] = (),
    part: str = "transformer",
) -> Entry:
    parts = (part,) if len(files) == 1 else ("transformer, high noise", "transformer, low noise")
    return Entry(name, what, repository, files, APACHE, int(gigabytes * 1e9), parts, needs)


def _comfy_pair(mode: str) -> tuple[str, ...]:
    return tuple(f"{_DIFFUSION}/wan2.2_{mode}_{noise}_noise_14B_fp8_scaled.safetensors" for noise in ("high", "low"))


def _gguf_pair(mode: str) -> tuple[str, ...]:
    return tuple(f"{noise}Noise/Wan2.2-{mode}-A14B-{noise}Noise-Q4_K_M.gguf" for noise in ("High", "Low"))


_FOLDERS = (
    _diffusers("wan2.1-t2v-1.3b", "Wan 2.1 text to video, small", "Wan2.1-T2V-1.3B-Diffusers", 28.9),
    _diffusers("wan2.1-t2v-14b", "Wan 2.1 text to video", "Wan2.1-T2V-14B-Diffusers", 80.4),
    _diffusers("wan2.1-i2v-14b-480p", "Wan 2.1 image to video", "Wan2.1-I2V-14B-480P-Diffusers", 91.3, "image encoder"),
    _diffusers(
        "wan2.1-i2v-14b-720p", "Wan 2.1 image to video, large", "Wan2.1-I2V-14B-720P-Diffusers", 91.3, "image encoder"
    ),
    _diffusers(
        "wan2.1-flf2v-14b-720p",
        "Wan 2.1 first and last image to video",
        "Wan2.1-FLF2V-14B-720P-diffusers",
        91.3,
        "image encoder",
    ),
    _diffusers("wan2.1-vace-1.3b", "Wan 2.1 VACE, small", "Wan2.1-VACE-1.3B-diffusers", 20.5),
    _diffusers("wan2.1-vace-14b", "Wan 2.1 VACE", "Wan2.1-VACE-14B-diffusers", 81.2),
    _diffusers(
        "wan2.2-t2v-a14b", "Wan 2.2 text to video, two experts", "Wan2.2-T2V-A14B-Diffusers", 126.3, "transformer_2"
    ),
    _diffusers(
        "wan2.2-i2v-a14b", "Wan 2.2 image to video, two experts", "Wan2.2-I2V-A14B-Diffusers", 126.3, "transformer_2"
    ),
    _diffusers("wan2.2-ti2v-5b", "Wan 2.2 text and image to video", "Wan2.2-TI2V-5B-Diffusers", 34.2),
)

_TRANSFORMERS = (
    _files(
        "wan2.1-t2v-1.3b-bf16",
        "Wan 2.1 text to video, small, one file",
        _COMFY_21,
        (f"{_DIFFUSION}/wan2.1_t2v_1.3B_bf16.safetensors",),
        2.84,
        _PARTS_21,
    ),
    _files(
        "wan2.1-t2v-14b-fp8",
        "Wan 2.1 text to video, fp8",
        _COMFY_21,
        (f"{_DIFFUSION}/wan2.1_t2v_14B_fp8_e4m3fn.safetensors",),
        14.3,
        _PARTS_21,
    ),
    _files(
        "wan2.1-i2v-14b-480p-fp8",
        "Wan 2.1 image to video, fp8",
        _COMFY_21,
        (f"{_DIFFUSION}/wan2.1_i2v_480p_14B_fp8_scaled.safetensors",),
        16.4,
        _PARTS_I2V,
    ),
    _files(
        "wan2.1-i2v-14b-720p-fp8",
        "Wan 2.1 image to video, large, fp8",
        _COMFY_21,
        (f"{_DIFFUSION}/wan2.1_i2v_720p_14B_fp8_scaled.safetensors",),
        16.4,
        _PARTS_I2V,
    ),
    _files(
        "wan2.1-vace-1.3b-fp16",
        "Wan 2.1 VACE, small, one file",
        _COMFY_21,
        (f"{_DIFFUSION}/wan2.1_vace_1.3B_fp16.safetensors",),
        4.3,
        _PARTS_21,
    ),
    _files(
        "wan2.2-t2v-a14b-fp8", "Wan 2.2 text to video, fp8, two experts", _COMFY_22, _comfy_pair("t2v"), 28.6, _PARTS_21
    ),
    _files(
        "wan2.2-i2v-a14b-fp8",
        "Wan 2.2 image to video, fp8, two experts",
        _COMFY_22,
        _comfy_pair("i2v"),
        28.6,
        _PARTS_21,
    ),
    _files(
        "wan2.2-ti2v-5b-fp16",
        "Wan 2.2 text and image to video, one file",
        _COMFY_22,
        (f"{_DIFFUSION}/wan2.2_ti2v_5B_fp16.safetensors",),
        10.0,
        ("umt5-xxl-fp8", "wan2.2-vae"),
    ),
    _files(
        "wan2.1-t2v-14b-gguf-q4_k",
        "Wan 2.1 text to video, GGUF Q4_K_M",
        "city96/Wan2.1-T2V-14B-gguf",
        ("wan2.1-t2v-14b-Q4_K_M.gguf",),
        9.65,
        _PARTS_GGUF,
    ),
    _files(
        "wan2.2-t2v-a14b-gguf-q4_k",
        "Wan 2.2 text to video, GGUF Q4_K_M, two experts",
        "QuantStack/Wan2.2-T2V-A14B-GGUF",
        _gguf_pair("T2V"),
        19.3,
        _PARTS_GGUF,
    ),
    _files(
        "wan2.2-i2v-a14b-gguf-q4_k",
        "Wan 2.2 image to video, GGUF Q4_K_M, two experts",
        "QuantStack/Wan2.2-I2V-A14B-GGUF",
        _gguf_pair("I2V"),
        19.3,
        _PARTS_GGUF,
    ),
    _files(
        "wan2.1-vace-14b-gguf-q4_k",
        "Wan 2.1 VACE, GGUF Q4_K_M",
        "QuantStack/Wan2.1_14B_VACE-GGUF",
        ("Wan2.1_14B_VACE-Q4_K_M.gguf",),
        11.6,
        _PARTS_GGUF,
    ),
    *(
        _files(
            f"wan2.1-vace-14b-fusionx-gguf-{quant[:4].lower()}",
            f"Wan 2.1 VACE with FusionX (few steps), GGUF {quant}",
            _FUSIONX,
            (f"Wan2.1_T2V_14B_FusionX_VACE-{quant}.gguf",),
            gigabytes,
            _PARTS_GGUF,
        )
        for quant, gigabytes in (("Q6_K", 14.5), ("Q5_K_S", 12.3), ("Q4_K_M", 11.6))
    ),
)

_PARTS = (
    _files(
        "umt5-xxl-fp16",
        "text encoder",
        _COMFY_21,
        ("split_files/text_encoders/umt5_xxl_fp16.safetensors",),
        11.4,
        part="text encoder",
    ),
    _files(
        "umt5-xxl-fp8",
        "text encoder, fp8",
        _COMFY_21,
        ("split_files/text_encoders/umt5_xxl_fp8_e4m3fn_scaled.safetensors",),
        6.74,
        part="text encoder",
    ),
    _files(
        "umt5-xxl-gguf-q8_0",
        "text encoder, GGUF Q8_0",
        "city96/umt5-xxl-encoder-gguf",
        ("umt5-xxl-encoder-Q8_0.gguf",),
        6.04,
        part="text encoder",
    ),
    Entry(
        "umt5-xxl-tokenizer",
        "tokenizer, for text encoders whose file has none",
        "Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
        ("tokenizer/*",),
        APACHE,
        21_500_000,
        ("tokenizer",),
        folder="tokenizer",  # where the engine looks for it, beside the text encoders' folders
    ),
    _files(
        "wan2.1-vae",
        "VAE of Wan 2.1 and 2.2 A14B",
        _COMFY_21,
        ("split_files/vae/wan_2.1_vae.safetensors",),
        0.254,
        part="VAE",
    ),
    _files(
        "wan2.2-vae", "VAE of Wan 2.2 TI2V 5B", _COMFY_22, ("split_files/vae/wan2.2_vae.safetensors",), 1.41, part="VAE"
    ),
    _files(
        "clip-vit-h",
        "image encoder of Wan 2.1 image to video",
        _COMFY_21,
        ("split_files/clip_vision/clip_vision_h.safetensors",),
        1.26,
        part="image encoder",
    ),
    Entry(
        "blip2",
        "BLIP-2 Flan-T5-XL: describes pictures in words",
        "Salesforce/blip2-flan-t5-xl",
        ("*.json", "*.safetensors", "*.model"),
        MIT,
        15_800_000_000,
        ("caption model",),
    ),
    Entry(
        "flux-fill-vae",
        "VAE of FLUX.1 Fill, for noise to paint on",
        "black-forest-labs/FLUX.1-Fill-dev",
        ("vae/*.json", "vae/*.safetensors"),
        FLUX,
        335_000_000,
        ("VAE",),
        flat=False,
        gated=True,
    ),
)

TABLE: dict[str, Entry] = {entry.name: entry for entry in (*_FOLDERS, *_TRANSFORMERS, *_PARTS)}
"""Everything that can be downloaded, by name: whole models, transformers by themselves, parts and helpers."""


_HELPERS = ("blip2", "flux-fill-vae")

SETS: dict[str, tuple[str, ...]] = {
    "outpaint": (f"{_FUSIONX_NAME}-q6_k", *_PARTS_GGUF, *_HELPERS),
    "outpaint-q5_k": (f"{_FUSIONX_NAME}-q5_k", *_PARTS_GGUF, *_HELPERS),
    "outpaint-q4_k": (f"{_FUSIONX_NAME}-q4_k", *_PARTS_GGUF, *_HELPERS),
    "outpaint-diffusers": ("wan2.1-vace-14b", *_HELPERS),
}
"""Names for several entries together: all that one kind of work needs, its model in several sizes."""


def find_entries(name: str) -> tuple[Entry, ...]:
    """The entries of a set's name, or the one of an entry's. Raises InputError with the nearest name."""
    return tuple(TABLE[each] for each in SETS[name]) if name in SETS else (find_entry(name),)


def find_entry(name: str) -> Entry:
    """The entry of a name. Raises InputError with the nearest name."""
    if name in TABLE:
        return TABLE[name]
    near = difflib.get_close_matches(name.lower(), (*TABLE, *SETS), 1)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    message = f'"{name[:100]}" is not in the table of downloads'
    raise InputError(Problem(message, f"{hint}All names: wan-engine models download --list", field="name"))
