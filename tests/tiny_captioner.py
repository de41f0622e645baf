"""A BLIP model with random weights, in the folder layout of transformers: says something, nothing true."""

from __future__ import annotations

from pathlib import Path

WORDS = ("a", "red", "circle", "moves", "right", "on", "grey", "beach", "dog", "house", "blue", "sky")


def write_captioner(folder: Path, seed: int = 3) -> Path:
    """Write it. The same seed describes the same pictures in the same words."""
    import torch
    from transformers import (
        BertTokenizer,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessorPil,
        BlipProcessor,
    )

    folder.mkdir(parents=True, exist_ok=True)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]"]
    (folder / "vocab.txt").write_text("\n".join([*special, *WORDS]) + "\n", encoding="utf-8")
    tokenizer = BertTokenizer(vocab=str(folder / "vocab.txt"), additional_special_tokens=["[DEC]", "[ENC]"])
    size = {"height": 32, "width": 32}
    BlipProcessor(BlipImageProcessorPil(size=size), tokenizer).save_pretrained(folder)
    shared = {
        "hidden_size": 32,
        "intermediate_size": 37,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "initializer_range": 0.5,
    }
    torch.manual_seed(seed)
    config = BlipConfig(
        text_config={
            **shared,
            "vocab_size": len(special) + len(WORDS),
            "encoder_hidden_size": 32,
            "bos_token_id": 5,
            "sep_token_id": 3,
            "eos_token_id": 3,
            "pad_token_id": 0,
        },
        vision_config={**shared, "image_size": 32, "patch_size": 16},
        projection_dim=32,
    )
    BlipForConditionalGeneration(config).save_pretrained(folder)
    return folder
