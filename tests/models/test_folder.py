"""What a model is told from its configs, and what is said of folders that are incomplete or damaged."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wan_engine.errors import CapabilityError, ModelError
from wan_engine.models.files import fingerprint
from wan_engine.models.folder import find_models, open_folder
from wan_engine.models.lineup import lineup
from wan_engine.settings import Settings

SHARED = ("vae", "text_encoder", "tokenizer", "scheduler")


def write_weights(path: Path, size: int = 64) -> None:
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))


def write_config(folder: Path, name: str, **values: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(values))


@dataclass(frozen=True)
class Made:
    """The figures of a model's configs, with those of T2V 1.3B as they are published."""

    heads: int = 12
    layers: int = 30
    in_channels: int = 16
    image_dim: int | None = None
    pos_embed_seq_len: int | None = None
    boundary_ratio: float | None = None
    expand_timesteps: bool = False
    z_dim: int = 16
    noise: bool = False
    kind: str = "WanTransformer3DModel"


def write_shared(folder: Path, z_dim: int = 16) -> None:
    write_config(folder / "vae", "config.json", _class_name="AutoencoderKLWan", z_dim=z_dim)
    write_weights(folder / "vae" / "diffusion_pytorch_model.safetensors")
    write_config(folder / "text_encoder", "config.json", model_type="umt5")
    write_weights(folder / "text_encoder" / "model.safetensors")
    write_config(folder / "tokenizer", "tokenizer_config.json")
    write_config(folder / "scheduler", "scheduler_config.json", _class_name="UniPCMultistepScheduler")


def write_model(folder: Path, made: Made, shared: bool = True) -> Path:
    names = ["transformer"] + (["transformer_2"] if made.boundary_ratio is not None else [])
    for name in names:
        write_config(
            folder / name,
            "config.json",
            _class_name=made.kind,
            num_attention_heads=made.heads,
            attention_head_dim=128,
            num_layers=made.layers,
            in_channels=made.in_channels,
            image_dim=made.image_dim,
            pos_embed_seq_len=made.pos_embed_seq_len,
        )
        write_weights(folder / name / "diffusion_pytorch_model.safetensors")
    index: dict[str, Any] = {name: ["library", "Class"] for name in (*SHARED, *names)}
    index |= {"transformer_2": index.get("transformer_2", [None, None]), "image_encoder": [None, None]}
    index |= {"boundary_ratio": made.boundary_ratio, "expand_timesteps": made.expand_timesteps}
    if made.image_dim is not None:
        index["image_encoder"] = ["transformers", "CLIPVisionModel"]
        write_config(folder / "image_encoder", "config.json", model_type="clip_vision_model")
        write_weights(folder / "image_encoder" / "model.safetensors")
    if made.noise:
        index["_wan_noise"] = True
    write_config(folder, "model_index.json", **index)
    if shared:
        write_shared(folder, made.z_dim)
    return folder


LARGE = Made(heads=40, layers=40)
PUBLISHED = {
    "wan2.1-t2v-1.3b": (Made(), {"t2v"}),
    "wan2.1-t2v-14b": (LARGE, {"t2v"}),
    "wan2.1-i2v-14b": (replace(LARGE, in_channels=36, image_dim=1280), {"i2v"}),
    "wan2.1-flf2v-14b": (replace(LARGE, in_channels=36, image_dim=1280, pos_embed_seq_len=514), {"flf2v"}),
    "wan2.1-vace-1.3b": (Made(kind="WanVACETransformer3DModel"), {"vace"}),
    "wan2.1-vace-14b": (replace(LARGE, kind="WanVACETransformer3DModel"), {"vace"}),
    "wan2.2-t2v-a14b": (replace(LARGE, boundary_ratio=0.875), {"t2v"}),
    "wan2.1-fun-inp-1.3b": (Made(in_channels=36, image_dim=1280), {"i2v"}),
    "wan2.2-vace-fun-a14b": (replace(LARGE, boundary_ratio=0.875, kind="WanVACETransformer3DModel"), {"vace"}),
    "wan2.2-i2v-a14b": (replace(LARGE, in_channels=36, boundary_ratio=0.9), {"i2v", "flf2v"}),
    "wan2.2-ti2v-5b": (Made(heads=24, in_channels=48, z_dim=48, expand_timesteps=True), {"t2v", "i2v"}),
    "wan-tiny": (Made(heads=2, layers=2, in_channels=36), {"i2v", "flf2v"}),
}


@pytest.mark.parametrize("family", PUBLISHED)
def test_the_configs_tell_the_family_and_the_modes(family: str, tmp_path: Path) -> None:
    made, modes = PUBLISHED[family]
    (card,) = find_models(write_model(tmp_path / "Wan2.1-I2V-misleading", made))
    assert card.family.name == family
    assert card.modes == modes
    assert card.modes <= card.family.modes
    assert not card.noise


def test_sizes_and_noise_are_read(tmp_path: Path) -> None:
    (card,) = find_models(write_model(tmp_path / "m", replace(PUBLISHED["wan2.2-t2v-a14b"][0], noise=True)))
    assert card.noise
    weights = [*(tmp_path / "m").rglob("*.safetensors")]
    assert len(weights) == 4
    assert card.weights_bytes == sum(file.stat().st_size for file in weights)


def test_a_bundle_shares_parts_and_the_own_part_wins(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    write_model(bundle / "t2v", Made(), shared=False)
    write_model(bundle / "i2v", PUBLISHED["wan2.2-i2v-a14b"][0], shared=False)
    write_shared(bundle)
    own = bundle / "i2v" / "tokenizer"
    write_config(own, "tokenizer_config.json")
    cards = find_models(bundle)
    assert [(card.name, card.family.name) for card in cards] == [
        ("bundle/i2v", "wan2.2-i2v-a14b"),
        ("bundle/t2v", "wan2.1-t2v-1.3b"),
    ]
    assert open_folder(bundle / "i2v").components["tokenizer"] == own
    assert open_folder(bundle / "t2v").components["tokenizer"] == bundle / "tokenizer"


def test_shards_are_counted_by_their_index(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", Made())
    part = folder / "transformer"
    (part / "diffusion_pytorch_model.safetensors").unlink()
    names = [f"diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    write_config(part, "diffusion_pytorch_model.safetensors.index.json", weight_map=dict(zip("ab", names, strict=True)))
    write_weights(part / names[0])
    with pytest.raises(ModelError, match=f"{names[1]} is missing"):
        find_models(folder)
    write_weights(part / names[1])
    assert len(find_models(folder)) == 1
    write_config(part, "diffusion_pytorch_model.safetensors.index.json", weight_map={"a": "../../secret.safetensors"})
    with pytest.raises(ModelError, match="not in its own folder"):
        find_models(folder)


def remove(path: str) -> Any:
    def change(folder: Path) -> None:
        target = folder / path
        if target.is_file():
            target.unlink()
        else:
            for file in target.iterdir():
                file.unlink()
            target.rmdir()

    return change


def put(path: str, content: bytes | str) -> Any:
    def change(folder: Path) -> None:
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"
DAMAGES = [
    ("model_index.json holds list", put("model_index.json", "[]")),
    ("model_index.json is no readable JSON", put("model_index.json", "{")),
    ("model_index.json is no readable JSON", put("model_index.json", b"\xff\xfe")),
    ("model_index.json is no readable JSON", put("model_index.json", "[" * 100_000)),
    ("names no transformer", put("model_index.json", "{}")),
    ("config.json is no readable JSON", put("transformer/config.json", '{"a":')),
    ("config.json is damaged: KeyError", put("transformer/config.json", '{"_class_name": "WanTransformer3DModel"}')),
    ("WanVACE, which is not supported", put("transformer/config.json", '{"_class_name": "WanVACE"}')),
    ("is cut off: ", put(WEIGHTS, struct.pack("<Q", 60) + b'{"w":{"dtype":"U8","data_offsets":[0,99]}}'.ljust(60))),
    ("is cut off or no safetensors file", put(WEIGHTS, b"")),
    ("is cut off or no safetensors file", put(WEIGHTS, b"PK\x03\x04" + bytes(100))),
    ("has a damaged header", put(WEIGHTS, struct.pack("<Q", 4) + b"nope")),
    ("has a damaged header", put(WEIGHTS, struct.pack("<Q", 10) + b'{"w": [1]}')),
    ("is a Git LFS pointer", put(WEIGHTS, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")),
    ("diffusion_pytorch_model.safetensors is missing", remove(WEIGHTS)),
    ("transformer is missing", remove("transformer")),
    ("vae is missing", remove("vae")),
    ("scheduler_config.json is missing", remove("scheduler/scheduler_config.json")),
    ("vae/config.json has latents of 48 channels", put("vae/config.json", '{"z_dim": 48}')),
    ("vae/config.json has scale_factor_spatial '8'", put("vae/config.json", '{"scale_factor_spatial": "8"}')),
]  # fmt: skip


@pytest.mark.parametrize(("message", "damage"), DAMAGES, ids=[f"{n}-{m[:30]}" for n, (m, _) in enumerate(DAMAGES)])
def test_damage_is_named_with_a_remedy(message: str, damage: Any, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", Made())
    damage(folder)
    with pytest.raises(ModelError) as caught:
        find_models(folder)
    assert message in caught.value.message
    assert str(folder) in caught.value.message
    assert caught.value.remedy


def test_pickled_weights_are_not_taken(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", Made())
    (folder / WEIGHTS).rename(folder / "transformer" / "diffusion_pytorch_model.bin")
    with pytest.raises(ModelError, match=r"only diffusion_pytorch_model\.bin.*pickled"):
        find_models(folder)


@pytest.mark.parametrize(
    "made",
    [
        replace(LARGE, layers=20),
        replace(LARGE, in_channels=36),
        Made(heads=2, in_channels=33, z_dim=33),
        Made(in_channels=48, z_dim=48, heads=24),
        Made(in_channels=36, kind="WanVACETransformer3DModel"),
    ],
)
def test_an_unknown_size_is_described(made: Made, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"dim {made.heads * 128}, {made.layers} layers, {made.in_channels} input"):
        find_models(write_model(tmp_path / "m", made))


@pytest.mark.parametrize("ratio", [2, "much", [], -0.5])
def test_an_impossible_boundary_is_refused(ratio: Any, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", replace(LARGE, boundary_ratio=0.5))
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, "boundary_ratio": ratio}))
    with pytest.raises(ModelError, match="boundary_ratio"):
        find_models(folder)


def test_two_experts_need_their_boundary(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", replace(LARGE, boundary_ratio=0.5))
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, "boundary_ratio": None}))
    with pytest.raises(ModelError, match="both transformer_2 and boundary_ratio"):
        find_models(folder)


def test_what_is_no_model_folder(tmp_path: Path) -> None:
    (tmp_path / "wan.safetensors").write_bytes(b"")
    for path, message in (
        (tmp_path / "wan.safetensors", "is a file, not a folder"),
        (tmp_path / "nowhere", "does not exist"),
        (tmp_path, "holds no model_index.json"),
    ):
        with pytest.raises(ModelError, match=message):
            find_models(path)


def test_the_lineup_takes_the_first_that_can(tmp_path: Path) -> None:
    t2v = write_model(tmp_path / "t2v", Made())
    a14b = write_model(tmp_path / "a14b", PUBLISHED["wan2.2-i2v-a14b"][0])
    i2v = write_model(tmp_path / "i2v", PUBLISHED["wan2.1-i2v-14b"][0])
    embedded = write_model(tmp_path / "embedded", PUBLISHED["wan-tiny"][0])

    def names(**values: str) -> dict[str, str]:
        return {mode: card.name for mode, card in lineup(Settings(**values), embedded).cards.items()}

    assert names() == {"i2v": "Wan-Tiny", "flf2v": "Wan-Tiny"}
    assert names(model=str(t2v)) == {"t2v": "t2v"}
    assert names(model=str(a14b), i2v_model=str(i2v)) == {"i2v": "i2v", "flf2v": "a14b"}
    assert names(model=str(t2v), i2v_model=str(a14b)) == {"t2v": "t2v", "i2v": "a14b"}
    everything = lineup(Settings(model=str(t2v), i2v_model=str(i2v), flf2v_model=str(a14b)), embedded)
    assert {mode: card.name for mode, card in everything.cards.items()} == {"t2v": "t2v", "i2v": "i2v", "flf2v": "a14b"}
    vace = write_model(tmp_path / "vace", PUBLISHED["wan2.1-vace-1.3b"][0])
    assert names(model=str(vace)) == {"vace": "vace"}
    with pytest.raises(CapabilityError, match=r"cannot do image-to-video; it can do masked-video-to-video\."):
        names(i2v_model=str(vace))
    with pytest.raises(CapabilityError, match=r"cannot do first-last-frame-to-video; it can do image-to-video\."):
        names(flf2v_model=str(i2v))


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    first = open_folder(write_model(tmp_path / "a", Made()))
    second = open_folder(write_model(tmp_path / "b", Made()))
    assert first.fingerprint() == second.fingerprint()
    weights = second.components["transformer"] / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert first.fingerprint() != second.fingerprint()
    third = open_folder(write_model(tmp_path / "c", Made()))
    write_config(third.components["scheduler"], "scheduler_config.json", _class_name="Another")
    assert first.fingerprint() != third.fingerprint()
    assert fingerprint({"vae/b\udcff.bin": weights}) != fingerprint({"vae/b.bin": weights})  # a name that is no text


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
CONFIG_NAMES = [
    ("model_index.json", ["boundary_ratio", "expand_timesteps", "transformer", "vae", "image_encoder", "_wan_noise"]),
    ("transformer/config.json", ["num_attention_heads", "num_layers", "in_channels", "image_dim", "pos_embed_seq_len"]),
    ("vae/config.json", ["z_dim", "scale_factor_spatial"]),
]


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_in_a_config_is_a_card_or_a_model_error(tmp_path: Path, data: st.DataObject) -> None:
    folder = write_model(tmp_path / "m", Made())
    file, names = data.draw(st.sampled_from(CONFIG_NAMES))
    config = json.loads((folder / file).read_text())
    config[data.draw(st.sampled_from(names))] = data.draw(ANYTHING)
    (folder / file).write_text(json.dumps(config))
    try:
        (card,) = find_models(folder)
    except ModelError:
        return
    assert card.modes
