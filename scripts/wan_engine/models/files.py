"""Reads what a model folder says without loading it: JSON configs, lists of weight files, safetensors headers.

Only the first bytes of weight files are read, so a folder of 60 GB is looked through in milliseconds. Everything that
is missing or damaged is a ModelError that names the file and the way out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.models.headers.header import DOWNLOAD_AGAIN
from wan_engine.models.headers.safetensors_file import header_bytes, read_safetensors

WEIGHT_NAMES = ("diffusion_pytorch_model", "model")
"""Names that diffusers and transformers give their weight files, without the ending."""

_MAX_JSON_BYTES = 64 * 1024 * 1024
_SAMPLE_BYTES = 65_536
_SAMPLES = 16
_SMALL_BYTES = 64 * 1024 * 1024
"""Files that are no safetensors are read whole up to this size: configs, tokenizers."""
_END_BYTES = 1024 * 1024


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises ModelError when it is missing, damaged or no object."""
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise ModelError(f"{path} is too large for a config file", DOWNLOAD_AGAIN)
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing", "Download the model's folder completely") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}", "Check the file's permissions") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is no readable JSON: {error}", DOWNLOAD_AGAIN) from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} holds {type(value).__name__}, not an object", DOWNLOAD_AGAIN)
    return value


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of one component: the single one, or all shards that its index names.

    Raises ModelError when there are none, only pickled ones, or a shard is missing.
    """
    for name in WEIGHT_NAMES:
        index = folder / f"{name}.safetensors.index.json"
        if index.is_file():
            return shards(index)
        single = folder / f"{name}.safetensors"
        if single.is_file():
            return (single,)
    wanted = folder / f"{WEIGHT_NAMES[0]}.safetensors"
    others = sorted(file.name for file in folder.iterdir() if file.suffix in (".bin", ".pth", ".pt", ".safetensors"))
    if others:
        remedy = "Get the weights as safetensors in the diffusers layout; pickled and renamed weights are not loaded"
        raise ModelError(f"{folder} has no {wanted.name} or {WEIGHT_NAMES[1]}.safetensors, only {others[0]}", remedy)
    raise ModelError(f"{wanted} is missing", "Download the model's folder completely")


def shards(index: Path) -> tuple[Path, ...]:
    """The files that an index of safetensors shards names. Raises ModelError when one is missing or outside."""
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelError(f"{index} names no weight files", DOWNLOAD_AGAIN)
    names = sorted({str(name) for name in weight_map.values()})
    outside = [name for name in names if Path(name).name != name]
    if outside:
        raise ModelError(f"{index} names {outside[0]!r}, which is not in its own folder", DOWNLOAD_AGAIN)
    files = tuple(index.parent / name for name in names)
    missing = [file for file in files if not file.is_file()]
    if missing:
        more = f" and {len(missing) - 1} more of {len(files)}" if len(missing) > 1 else ""
        raise ModelError(f"{missing[0]} is missing{more}", "Download the missing weight files")
    return files


def check_weights(path: Path) -> int:
    """The size in bytes of a safetensors file whose header and length fit together. Raises ModelError otherwise."""
    return read_safetensors(path).size


def fingerprint(files: Mapping[str, Path]) -> str:
    """A sha256 that tells models apart in milliseconds: whole small files; size, header and samples of weights.

    files: by a name that is the same wherever the model lies, such as `vae/config.json`.
    Sixteen evenly spread pieces of 64 KiB are read of each weight file, so it shows another training or another
    precision; a single changed byte in between it may miss.
    """
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        size = path.stat().st_size
        digest.update(f"{name}\n{size}\n".encode("utf-8", "surrogatepass"))
        if path.suffix == ".safetensors":
            header, size = header_bytes(path)
            digest.update(header)
            _add_samples(digest, path, 8 + len(header), size)
        elif size <= _SMALL_BYTES:
            digest.update(path.read_bytes())
        else:
            _add_ends(digest, path, size)
            _add_samples(digest, path, _END_BYTES, size)
    return digest.hexdigest()


def _add_samples(digest: hashlib._Hash, path: Path, start: int, size: int) -> None:
    with path.open("rb") as file:
        for piece in range(_SAMPLES):
            file.seek(start + (size - start) * piece // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))


def _add_ends(digest: hashlib._Hash, path: Path, size: int) -> None:
    """GGUF says at its start what is in it, a torch file at its end."""
    with path.open("rb") as file:
        digest.update(file.read(_END_BYTES))
        file.seek(size - _END_BYTES)
        digest.update(file.read(_END_BYTES))
