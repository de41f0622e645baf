"""On the CPU torch's own kernel is taken; one that is asked for and not here is refused with its own words."""

from __future__ import annotations

import pytest

from wan_engine.errors import CapabilityError
from wan_engine.models.attention_choice import BACKENDS, EIGHT_BITS, choose_attention, failure
from wan_engine.settings import SETTINGS


def test_the_settings_offer_every_kernel() -> None:
    assert SETTINGS["attention"].choices == ("auto", *BACKENDS)
    assert set(EIGHT_BITS) < set(BACKENDS)


def test_the_cpu_has_one() -> None:
    assert choose_attention("auto", "cpu", "float32") == "sdpa"
    assert failure("sdpa", "cpu", "float32") == ""


@pytest.mark.parametrize("name", ["cudnn", "flash", "xformers", "sage"])
def test_one_that_does_not_work_is_refused(name: str) -> None:
    with pytest.raises(CapabilityError, match=f"attention {name} does not work here") as caught:
        choose_attention(name, "cpu", "float32")
    assert caught.value.remedy == "Set attention to auto"
