"""Headers of real files are read as their libraries read them, and no bytes do more than a ModelError."""

from __future__ import annotations

import io
import json
import pickle
import struct
import time
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gguf
import numpy
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from wan_engine.errors import ModelError
from wan_engine.models.headers.read import read_header

TENSORS = {
    "blocks.0.weight": torch.arange(6, dtype=torch.bfloat16).reshape(2, 3),
    "bias": torch.ones(4),
    "fp8": torch.ones(5).to(torch.float8_e4m3fn),
    "scalar": torch.tensor(2.0),
    "empty": torch.empty(0),
}


def safetensors_bytes(header: dict[str, Any] | bytes, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def gguf_bytes(tmp_path: Path) -> bytes:
    writer = gguf.GGUFWriter(tmp_path / "made.gguf", "wan")
    writer.add_string("general.name", "Wan")
    writer.add_array("comfy.gguf.orig_shape.patch", [4, 2, 1, 2, 2])
    writer.add_token_list([f"word{number}" for number in range(300)])
    writer.add_token_scores([0.5] * 300)
    writer.add_tensor("patch", numpy.zeros((4, 2, 1, 2, 2), numpy.float32))
    writer.add_tensor("q4", numpy.zeros((3, 144), numpy.uint8), raw_dtype=gguf.GGMLQuantizationType.Q4_K)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return (tmp_path / "made.gguf").read_bytes()


def torch_bytes(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def zip_bytes(content: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/data/0", bytes(16))
    return buffer.getvalue()


def put(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(data)
    return path


def test_safetensors(tmp_path: Path) -> None:
    data = save(TENSORS, metadata={"format": "pt"})
    header = read_header(put(tmp_path, data))
    assert (header.format, header.size, header.metadata) == ("safetensors", len(data), {"format": "pt"})
    assert {name: info.shape for name, info in header.tensors.items()} == {
        name: tuple(tensor.shape) for name, tensor in TENSORS.items()
    }
    info = header.tensors["blocks.0.weight"]
    assert (info.dtype, info.size) == ("BF16", 12)
    assert data[info.start : info.start + info.size] == TENSORS["blocks.0.weight"].view(torch.uint8).numpy().tobytes()
    assert header.tensors["fp8"].dtype == "F8_E4M3"


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
METADATA = {"format": "pt", "made": 'true, "}, {"'}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"__metadata__": METADATA, "w": ENTRY}),
        json.dumps({"__metadata__": METADATA, "w": ENTRY}, indent=1),
        json.dumps({"__metadata__": METADATA, "w": ENTRY}, separators=(",", ":")) + "     ",
        json.dumps({"w": ENTRY, "__metadata__": METADATA}),
    ],
)
def test_safetensors_metadata_wherever_it_stands(text: str, tmp_path: Path) -> None:
    header = read_header(put(tmp_path, safetensors_bytes(text.encode(), bytes(8))))
    assert header.metadata == METADATA
    assert header.tensors == {"w": ("F32", (2,), 8, 8 + len(text), 0)}


def test_safetensors_metadata_alone(tmp_path: Path) -> None:
    assert not read_header(put(tmp_path, safetensors_bytes(b'{"__metadata__":{}}'))).tensors
    for text in (b'{"__metadata__":{},}', b'{"__metadata__":{}', b'{"__metadata__":{"a}'):
        with pytest.raises(ModelError, match="no readable JSON"):
            read_header(put(tmp_path, safetensors_bytes(text)))


def test_gguf(tmp_path: Path) -> None:
    data = gguf_bytes(tmp_path)
    header = read_header(put(tmp_path, data))
    assert header.format == "gguf"
    assert header.metadata["general.architecture"] == "wan"
    assert header.metadata["comfy.gguf.orig_shape.patch"] == "4,2,1,2,2"
    assert "tokenizer.ggml.tokens" not in header.metadata
    theirs = {tensor.name: tensor for tensor in gguf.GGUFReader(tmp_path / "made.gguf").tensors}
    assert {name: (info.start, info.size) for name, info in header.tensors.items()} == {
        name: (tensor.data_offset, tensor.n_bytes) for name, tensor in theirs.items()
    }
    assert (header.tensors["q4"].dtype, header.tensors["q4"].shape) == ("Q4_K", (3, 256))
    assert (header.tensors["patch"].dtype, header.tensors["patch"].shape) == ("F32", (4, 2, 1, 2, 2))


@pytest.mark.parametrize(
    ("value", "root"),
    [
        (TENSORS, ""),
        (OrderedDict({name: torch.nn.Parameter(tensor.float()) for name, tensor in TENSORS.items()}), ""),
        ({"state_dict": TENSORS, "epoch": 3, "lr": 0.5, "betas": [1, 2]}, "state_dict"),
        (torch.nn.Linear(3, 4).state_dict(), ""),
    ],
)
def test_torch(value: Any, root: str, tmp_path: Path) -> None:
    header = read_header(put(tmp_path, torch_bytes(value)))
    state = value[root] if root else value
    names = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float8_e4m3fn: "F8_E4M3"}
    assert header.format == "torch"
    assert header.metadata.get("root", "") == root
    assert {name: (info.dtype, info.shape, info.size) for name, info in header.tensors.items()} == {
        name: (names[tensor.dtype], tuple(tensor.shape), tensor.nbytes) for name, tensor in state.items()
    }


def test_shards_are_one_model(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(save({"a": torch.ones(2)}))
    (tmp_path / "b.safetensors").write_bytes(save({"b": torch.ones(3)}))
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "a.safetensors", "b": "b.safetensors"}}))
    header = read_header(index)
    assert {name: header.files[info.file].name for name, info in header.tensors.items()} == {
        "a": "a.safetensors",
        "b": "b.safetensors",
    }
    (tmp_path / "b.safetensors").write_bytes(save({"a": torch.ones(3)}))
    with pytest.raises(ModelError, match="'a' is in another shard too"):
        read_header(index)


class Evil:
    def __reduce__(self) -> Any:
        import os

        return os.system, ("exit 1",)


TWICE = b"{%s,%s}" % tuple(
    b'"w":{"dtype":"F32","shape":[2],"data_offsets":[%d,%d]}' % (8 * n, 8 * n + 8) for n in (0, 1)
)
GGUF = b"GGUF" + struct.pack("<I", 3)
LIST = struct.pack("<Q", 1) + b"k" + struct.pack("<II", 9, 0)
DAMAGES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "error page": (b"<!DOCTYPE html><html>" + bytes(80), "is no safetensors, GGUF or torch file"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer"),
    "claims 100 GB": (struct.pack("<Q", 100 * 10**9) + b"{" + bytes(100), "cut off or no safetensors"),
    "cut off": (safetensors_bytes({"w": ENTRY}, bytes(7)), "is cut off: "),
    "rest": (safetensors_bytes({"w": ENTRY}, bytes(9)), "1 bytes at the end of the file belong to no tensor"),
    "overlap": (safetensors_bytes({"w": ENTRY, "v": {**ENTRY, "data_offsets": [4, 12]}}, bytes(12)), "'w' and 'v' ov"),
    "negative": (safetensors_bytes({"w": {**ENTRY, "data_offsets": [-8, 0]}}, b""), "impossible data_offsets -8 to 0"),
    "backwards": (safetensors_bytes({"w": {**ENTRY, "data_offsets": [8, 0]}}, b""), "impossible data_offsets"),
    "twice": (safetensors_bytes(TWICE, bytes(16)), "8 bytes in it belong to no tensor"),
    "huge shape": (safetensors_bytes({"w": {**ENTRY, "shape": [2**47, 2**47]}}, bytes(8)), "does not fill its 8 bytes"),
    "shape": (safetensors_bytes({"w": {**ENTRY, "shape": [-2]}}, bytes(8)), "has no valid shape"),
    "fraction": (safetensors_bytes({"w": {**ENTRY, "shape": [2.0]}}, bytes(8)), "has no valid shape"),
    "truth": (safetensors_bytes({"w": {**ENTRY, "shape": [True, 2]}}, bytes(8)), "has no valid shape"),
    "untruth": (safetensors_bytes({"w": {**ENTRY, "data_offsets": [False, 8]}}, bytes(8)), "has no data_offsets"),
    "place": (safetensors_bytes({"w": {**ENTRY, "data_offsets": [0, 8.0]}}, bytes(8)), "has no data_offsets"),
    "text": (safetensors_bytes({"w": {**ENTRY, "shape": "2"}}, bytes(8)), "has no valid shape"),
    "deep": (safetensors_bytes({"w": {**ENTRY, "shape": [1] * 8 + [2]}}, bytes(8)), "has no valid shape"),
    "dtype": (safetensors_bytes({"w": {**ENTRY, "dtype": "F33"}}, bytes(8)), "unknown number format 'F33'"),
    "no json": (safetensors_bytes(b"{" + b"[" * 100_000), "no readable JSON"),
    "gguf version": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "GGUF version"),
    "gguf claims": (GGUF + struct.pack("<QQ", 2**60, 0), "claims 1152921504606846976 tensors"),
    "gguf list": (GGUF + struct.pack("<QQ", 0, 1) + LIST + struct.pack("<Q", 2**60), "the file ends in it"),
    "gguf text": (GGUF + struct.pack("<QQQ", 0, 1, 2**63), "the file ends in it"),
    "gguf cut": (GGUF + struct.pack("<Q", 1), "the file ends in it"),
    "gguf dims": (GGUF + struct.pack("<QQQ", 1, 0, 1) + b"w" + struct.pack("<I", 10**6), "1000000 dimensions"),
    "gguf type": (GGUF + struct.pack("<QQQ", 1, 0, 1) + b"w" + struct.pack("<IIQ", 0, 999, 0), "unknown type 999"),
    "gguf data": (GGUF + struct.pack("<QQQ", 1, 0, 1) + b"w" + struct.pack("<IQIQ", 1, 9, 0, 0), "is cut off: "),
    "zip": (zip_bytes(b"")[:60], "is cut off or a damaged torch file"),
    "code": (zip_bytes(pickle.dumps({"w": Evil()}, 2)), r"more than tensors \(posix.system\), which is never run"),
    "old code": (pickle.dumps({"w": Evil()}, 2), "a pickle of an old kind"),
    "packed": (zip_bytes(bytes(10**6), zipfile.ZIP_DEFLATED), "is packed"),
    "no tensors": (zip_bytes(pickle.dumps({"a": 1}, 2)), "holds no named tensors"),
    "another zip": (zip_bytes(b"").replace(b"data.pkl", b"data.xyz"), "not one of torch"),
    "pickle": (zip_bytes(b"\x80\x02}q\x00U"), "its pickle is broken"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_one_sentence_with_a_remedy(name: str, tmp_path: Path) -> None:
    data, message = DAMAGES[name]
    path = put(tmp_path, data)
    with pytest.raises(ModelError, match=message) as caught:
        read_header(path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.remedy


def test_no_file(tmp_path: Path) -> None:
    for path, message in ((tmp_path, "is no file"), (tmp_path / "nowhere", "does not exist")):
        with pytest.raises(ModelError, match=message):
            read_header(path)


def test_a_storage_that_is_too_short(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(torch_bytes({"w": torch.zeros(5)}))) as archive:
        content = archive.read("archive/data.pkl")
    with pytest.raises(ModelError, match="'w' lies outside its storage"):
        read_header(put(tmp_path, zip_bytes(content)))


def test_hostile_pickles_end_soon(tmp_path: Path) -> None:
    """Tuples of tuples, each twice in the next, and a memo place of 2^31: small files that ask for much."""
    doubling = b"\x80\x02}(" + b")q\x00" + b"h\x00h\x00\x86q\x00" * 200 + b"K\x01u."
    memo = b"\x80\x02}r\xff\xff\xff\x7f."
    for content in (doubling, memo, b"\x80\x02" + b"}" * 250_000):
        started = time.monotonic()
        tracemalloc.start()
        with pytest.raises(ModelError):
            read_header(put(tmp_path, zip_bytes(content)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 150 * 2**20
        assert time.monotonic() - started < 30


SOURCES: dict[str, Callable[[Path], bytes]] = {
    "safetensors": lambda _: save(TENSORS, metadata={"format": "pt"}),
    "gguf": gguf_bytes,
    "torch": lambda _: torch_bytes({"state_dict": TENSORS}),
}


@given(st.data())
@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("source", SOURCES)
def test_changed_bytes_are_a_header_or_a_model_error(source: str, tmp_path: Path, data: st.DataObject) -> None:
    original = tmp_path / "original"
    if not original.exists():
        original.write_bytes(SOURCES[source](tmp_path))
    content = bytearray(original.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(st.binary(min_size=0, max_size=9))
        content[place : place + data.draw(st.integers(0, 9))] = piece
        if not content:
            break
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    with suppress(ModelError):
        read_header(put(tmp_path, bytes(content)))


@given(st.sampled_from([b"", b"GGUF\x03\x00\x00\x00", b"PK\x03\x04", b"\x80\x02"]), st.binary(max_size=200))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_model_error(tmp_path: Path, magic: bytes, rest: bytes) -> None:
    with suppress(ModelError):
        read_header(put(tmp_path, magic + rest))


@given(st.binary(max_size=80))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_pickle_is_a_model_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelError):
        read_header(put(tmp_path, zip_bytes(b"\x80\x02" + content)))
