"""Loading: components shared, formats as asked, and weights that do not fit refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from untrained import Untrained, write_untrained
from wan_engine.errors import CapabilityError, ModelError
from wan_engine.families import Lineup, Mode, ModelCard
from wan_engine.models.devices import choose_device, choose_dtype
from wan_engine.models.folder import find_models
from wan_engine.models.load import Loader


def lineup_of(folder: Path) -> Lineup:
    return Lineup({mode: card for card in find_models(folder) for mode in card.modes})


def load_all(card: ModelCard, mode: Mode = "t2v") -> Loader:
    loader = Loader("cpu", "float32")
    loader.text_pipeline(card)
    loader.pipeline(card, mode)
    return loader


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    write_untrained(tmp_path / "tiny")
    return tmp_path / "tiny"


def test_a_bundle_loads_its_shared_parts_once(tiny: Path) -> None:
    models, loader = lineup_of(tiny), Loader("cpu", "float32")
    t2v, i2v = (loader.pipeline(models.card(mode), mode) for mode in ("t2v", "i2v"))
    assert type(t2v).__name__ == "WanPipeline"
    assert type(i2v).__name__ == "WanImageToVideoPipeline"
    for part in ("vae", "tokenizer"):
        assert getattr(t2v, part) is getattr(i2v, part)
    encoders = [loader.text_pipeline(models.card(mode)).text_encoder for mode in ("t2v", "i2v")]
    assert encoders[0] is encoders[1]
    assert t2v.text_encoder is None
    assert t2v.transformer is not i2v.transformer
    assert loader.pipeline(models.card("flf2v"), "flf2v") is i2v
    loader.close()
    assert loader.pipeline(models.card("t2v"), "t2v") is not t2v


def test_number_formats(tmp_path: Path) -> None:
    """The transformer as asked but for what diffusers keeps in float32; the VAE and CLIP always in float32."""
    write_untrained(tmp_path / "tiny", Untrained(image_encoder=True))
    models = lineup_of(tmp_path / "tiny")
    loader = Loader("cpu", "bfloat16")
    pipeline, texts = loader.pipeline(models.card("i2v"), "i2v"), loader.text_pipeline(models.card("i2v"))
    kinds = {name: tensor.dtype for name, tensor in pipeline.transformer.named_parameters()}
    assert kinds["blocks.0.attn1.to_q.weight"] == torch.bfloat16
    assert kinds["condition_embedder.time_embedder.linear_1.weight"] == torch.float32
    assert kinds["blocks.0.scale_shift_table"] == torch.float32
    for part in (pipeline.vae, texts.text_encoder, pipeline.image_encoder):
        assert {tensor.dtype for tensor in part.parameters()} == {torch.float32}
    assert not any(tensor.requires_grad for tensor in pipeline.transformer.parameters())


def change_weights(path: Path, change: Any) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


def missing(tensors: dict[str, torch.Tensor]) -> None:
    tensors.pop(min(tensors))


def unexpected(tensors: dict[str, torch.Tensor]) -> None:
    tensors["another.weight"] = torch.zeros(2)


def mismatched(tensors: dict[str, torch.Tensor]) -> None:
    tensors[min(tensors)] = torch.zeros(3, 5, 7)


@pytest.mark.parametrize("change", [missing, unexpected, mismatched])
@pytest.mark.parametrize("part", ["t2v/transformer", "vae", "text_encoder"])
def test_weights_that_do_not_fit_are_refused(part: str, change: Any, tiny: Path) -> None:
    (weights,) = (tiny / part).glob("*.safetensors")
    change_weights(weights, change)
    models = lineup_of(tiny)
    with pytest.raises(ModelError) as caught:
        load_all(models.card("t2v"))
    assert str(tiny) in caught.value.message
    assert caught.value.remedy


def test_an_empty_word_table_is_noticed(tiny: Path) -> None:
    (weights,) = (tiny / "text_encoder").glob("*.safetensors")
    change_weights(weights, lambda tensors: tensors["shared.weight"].zero_())
    models = lineup_of(tiny)
    with pytest.raises(ModelError, match="word table"):
        load_all(models.card("t2v"))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("tokenizer/tokenizer.json", "{}"),
        ("scheduler/scheduler_config.json", json.dumps({"_class_name": "DDIMScheduler"})),
        ("text_encoder/config.json", json.dumps({"model_type": "umt5", "d_model": "wide"})),
        ("vae/config.json", json.dumps({"_class_name": "AutoencoderKLWan", "base_dim": [1]})),
    ],
)
def test_parts_that_cannot_be_made_are_model_errors(file: str, content: str, tiny: Path) -> None:
    (tiny / file).write_text(content)
    with pytest.raises(ModelError, match=str(tiny / file.split("/")[0])):
        load_all(lineup_of(tiny).card("t2v"))


def test_devices_and_number_formats_are_chosen() -> None:
    assert choose_device("cpu") == "cpu"
    assert choose_dtype("auto", "cpu") == "float32"
    assert choose_dtype("float16", "cpu") == "float16"
    for name in ("cuda:77", "abacus", "cpu:x"):
        with pytest.raises(CapabilityError) as caught:
            choose_device(name)
        assert "Available here: " in caught.value.remedy
        assert "cpu" in caught.value.remedy
    best = "cuda:0" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if not torch.xpu.is_available():
        assert choose_device("auto") == best
