"""How the models that are there become the choices of the tab's lists."""

from __future__ import annotations

from typing import Any

from wan_webui.film_form import MODEL_FIELDS
from wan_webui.model_choices import labelled, model_choices, model_label


def listed(name: str, **values: Any) -> dict[str, Any]:
    common = {
        "name": name,
        "path": f"/m/{name}",
        "family": "",
        "modes": [],
        "size_bytes": 0,
        "error": "",
        "missing": [],
    }
    return {**common, "kind": "model", "precision": "", "parts": {}, **values}


SMALL = listed("Wan-Tiny", path="", family="Wan-Tiny", modes=["t2v"], precision="bf16", size_bytes=50_300_000)
PAIR = listed(
    "pair", family="Wan 2.2 T2V A14B", precision="fp16", size_bytes=57_000_000_000, missing=["the VAE is missing"],
    error="the VAE is missing", parts={"transformer": "/m/high.gguf", "transformer_2": "/m/low.gguf"},
)  # fmt: skip
DAMAGED = listed("damaged", error="its index is damaged")
PARTS = [
    listed("vae", kind="vae", family="Wan 2.1 VAE, 16 channels", precision="fp32"),
    listed("bad", kind="vae", error="cut off"),
    listed("lora", kind="lora"),
]


def test_labels_say_what_it_can_how_large_it_is_and_what_is_amiss() -> None:
    assert model_label(SMALL) == "Wan-Tiny (T2V; bf16, 50.3 MB)"
    assert model_label(PAIR) == "pair (Wan 2.2 T2V A14B, fp16, 57 GB; incomplete)"
    assert model_label({"name": "old", "modes": [], "path": "", "error": ""}) == "old"


def test_each_control_has_the_choices_of_its_kind() -> None:
    choices = model_choices(labelled([SMALL, PAIR, DAMAGED, *PARTS]))
    assert set(choices) == set(MODEL_FIELDS)
    assert [path for _, path in choices["model"]] == ["", "/m/pair"]
    assert choices["i2v_model"] == [("The model above, if it can", ""), (model_label(PAIR), "/m/pair")]
    assert [path for _, path in choices["vae"]] == ["", "/m/vae"]
    assert choices["text_encoder"] == [("The nearest that fits", "")]
    assert choices["vace_module"] == [("None", "")]
    assert choices["transformer_2"][1:] == [("high.gguf", "/m/high.gguf"), ("low.gguf", "/m/low.gguf")]


def test_models_of_the_same_name_and_figures_are_told_apart() -> None:
    twins = [listed("t2v", path=f"/{folder}/t2v", precision="bf16") for folder in ("a", "b")]
    found = labelled([SMALL, *twins])
    assert [each["label"] for each in found] == [model_label(SMALL), "t2v (bf16): /a/t2v", "t2v (bf16): /b/t2v"]
    assert model_choices(found)["model"][1:] == [("t2v (bf16): /a/t2v", "/a/t2v"), ("t2v (bf16): /b/t2v", "/b/t2v")]
    experts = [
        listed("x", family="Wan 2.2 T2V A14B", parts={"transformer": f"/{folder}/high.gguf"}, missing=["low"])
        for folder in ("a", "b")
    ]
    assert model_choices(labelled(experts))["transformer_2"][1:] == [
        (f"high.gguf: /{folder}/high.gguf", f"/{folder}/high.gguf") for folder in ("a", "b")
    ]
