"""What the tab says alike to every gradio."""

from __future__ import annotations

import pytest

from wan_webui import dialect

CHOICES = [("The embedded one", ""), ("wan_t2v (fp32)", "/m/wan_t2v.safetensors")]


def test_newer_lists_take_names_and_values() -> None:
    assert dialect.named_choices(CHOICES) == CHOICES
    assert dialect.chosen("/m/wan_t2v.safetensors") == dialect.shown("/m/wan_t2v.safetensors")


def test_old_lists_take_names_which_are_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect, "GRADIO_MAJOR", 3)
    monkeypatch.setattr(dialect, "_VALUES", {})
    assert dialect.named_choices(CHOICES) == ["The embedded one", "wan_t2v (fp32)"]
    assert [dialect.chosen(name) for name, _ in CHOICES] == ["", "/m/wan_t2v.safetensors"]
    assert dialect.chosen("/typed/path.gguf") == dialect.shown("/typed/path.gguf") == "/typed/path.gguf"
    assert dialect.shown("/m/wan_t2v.safetensors") == "wan_t2v (fp32)"
    # An empty list says by its hint what it means.
    assert dialect.shown("") == ""
