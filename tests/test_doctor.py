"""The doctor tries things for real, keeps the reason of each failure, and never fails itself."""

from __future__ import annotations

import importlib.metadata
import json
import os
from pathlib import Path

import pytest

from wan_engine import doctor
from wan_engine.doctor import CUDA_PAGE, PACKAGES, Report, examine
from wan_engine.models.memory import cards

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def report() -> Report:
    return examine()


def test_versions_are_those_installed(report: Report) -> None:
    assert {trial.name: trial.detail for trial in report.packages} == {
        name: importlib.metadata.version(name) for name in PACKAGES
    }


def test_the_host_and_its_disks_are_measured(report: Report) -> None:
    host = report.devices[0]
    assert host.name == "cpu"
    assert 0 < host.free_bytes <= host.memory_bytes
    assert {disk.use for disk in report.disks} == {"outputs"}
    assert all(disk.free_bytes for disk in report.disks)


def test_encoders_and_kernels_work_or_say_why(report: Report) -> None:
    assert report.ffmpeg.works
    assert {trial.name for trial in report.encoders} >= {"libx264", "ffv1", "h264_nvenc"}
    assert {trial.name for trial in report.encoders if trial.works} >= {"libx264", "ffv1"}
    assert "sdpa math" in {trial.name for trial in report.attention if trial.works}
    assert all(trial.works or trial.detail for trial in (*report.encoders, *report.attention))


def test_the_report_is_json_and_lines(report: Report) -> None:
    assert json.loads(json.dumps(report.as_dict()))["ffmpeg"]["works"] is True
    text = "\n".join(report.lines())
    for trial in (*report.packages, *report.encoders, *report.attention):
        assert (f"{trial.name} does not work: {trial.detail}" if not trial.works else trial.name) in text
    assert all(line and "\n" not in line for line in report.lines())


def test_a_damaged_package_keeps_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "damaged_package.py").write_text("raise OSError('libsomething.so is missing')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(doctor, "PACKAGES", ("damaged_package",))
    found = examine()
    assert not found.packages[0].works
    assert "OSError: libsomething.so is missing" in found.packages[0].detail
    assert "python install.py engine" in found.notes[0]
    assert found.attention == ()


def test_an_ffmpeg_that_does_not_start_is_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAN_FFMPEG", "/nowhere/ffmpeg")
    trial, encoders = doctor._ffmpeg()
    assert not trial.works
    assert "/nowhere/ffmpeg" in trial.detail
    assert encoders == ()


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_an_nvidia_card_beside_a_torch_without_cuda_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    if torch.version.cuda is not None:
        pytest.skip("this torch has CUDA")
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '0, GPU-1, Card of the Test, 900, 1000'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    cards._asked_at.cache_clear()
    (note,) = doctor._notes()
    cards._asked_at.cache_clear()
    assert note == f"Card of the Test is not used: torch {torch.__version__} has no CUDA. See {CUDA_PAGE}"


def test_the_page_it_names_is_there() -> None:
    page, heading = CUDA_PAGE.split(", ")
    assert f"## {heading.strip(chr(34))}" in (ROOT / page).read_text(encoding="utf-8")
