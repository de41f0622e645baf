"""The names of devices, and records that can be written as JSON."""

from __future__ import annotations

import json

import pytest

from wan_engine.errors import InputError
from wan_engine.service.records import Job, JobEvent, device_name


@pytest.mark.parametrize(
    ("text", "name"),
    [("auto", "auto"), ("CPU", "cpu"), (" cuda ", "cuda:0"), ("cuda:3", "cuda:3"), ("xpu", "xpu:0"), ("mps", "mps")],
)
def test_devices_have_one_name(text: str, name: str) -> None:
    assert device_name(text) == name
    assert device_name(name) == name


@pytest.mark.parametrize("text", ["", "gpu", "cuda:", "cuda:01", "cuda:1000", "cpu:0", "auto cpu", "--home", "x" * 500])
def test_what_is_no_device_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no device") as caught:
        device_name(text)
    assert len(str(caught.value)) < 250
    assert caught.value.problems[0].field == "device"


def test_records_are_json() -> None:
    job = Job("a", "queued", "", "", 0, "auto", {"prompts": {"0": "a"}}, ("note",), 1.5)
    assert json.loads(json.dumps(job.as_dict()))["notes"] == ["note"]
    event = JobEvent("a", 1, 1.5, "state", "", {"state": "queued"})
    assert json.loads(json.dumps(event.as_dict())) == event.as_dict()
