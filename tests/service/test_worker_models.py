"""A worker whose model cannot be loaded says why, keeps what was tried, and takes the next job."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from service_samples import SMALL_FILM, job
from wan_engine.service.config import ServiceConfig
from wan_engine.service.store import JobStore
from wan_engine.tiny import WEIGHTS


def spoilt_model(folder: Path) -> Path:
    """The embedded model with one weight that is no number."""
    shutil.copytree(WEIGHTS, folder, ignore=shutil.ignore_patterns("i2v", "vace"))
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    state = load_file(weights)
    state["decoder.conv_out.bias"] = torch.full_like(state["decoder.conv_out.bias"], torch.nan)
    save_file(state, weights, metadata={"format": "pt"})
    return folder


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_leaves_the_worker_usable(
    queue: JobStore, config: ServiceConfig, tmp_path: Path
) -> None:
    one_clip = replace(SMALL_FILM, prompts={"0": "a red square moves right"}, max_frames=4, steps="1", backend="wan")
    bad = queue.add(job(replace(one_clip, model=str(spoilt_model(tmp_path / "spoilt")))))
    good = queue.add(job(one_clip))
    command = [sys.executable, "-m", "wan_engine.service.worker", "--home", str(config.home), "--device", "cpu"]
    done = subprocess.run([*command, "--auto"], stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()
    failed, made = queue.get(bad.id), queue.get(good.id)
    assert failed is not None
    assert made is not None
    assert (failed.state, made.state) == ("failed", "done"), made.error
    assert failed.error is not None
    assert "'decoder.conv_out.bias' holds values that are not numbers" in failed.error["message"]
    assert "Download this file again" in failed.error["remedy"]
    tried = {each.id: [e for e in queue.events(each.id, 0, 1000) if e.kind == "tried"] for each in (failed, made)}
    assert [event.data["outcome"] for event in tried[bad.id]].count("failed") == 1
    assert any("not numbers" in event.data["reason"] for event in tried[bad.id])
    used = {event.data["what"].partition(":")[0]: event.data["bytes"] for event in tried[good.id]}
    # The text encoder is not needed again: its texts were kept by the film that failed.
    assert used.keys() >= {"tokenizer", "transformer", "vae"}
    assert min(used["transformer"], used["vae"]) > 0
    assert json.dumps(tried[good.id][0].as_dict())
