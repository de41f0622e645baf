"""What every provider of pictures must do, run over all of them; the services speak their protocols on loopback."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PIL import Image

from picture_server import Fault, PictureServer, picture_bytes, picture_server
from small_sd3 import write_sd3
from wan_engine.errors import Cancelled, InputError, ModelError
from wan_engine.settings_pictures import PICTURE_SETTINGS
from wan_engine.storyboard.keyframes import PictureProvider, PictureRequest, ProviderError
from wan_engine.storyboard.keyframes.registry import make_provider
from wan_engine.storyboard.services import Service, load_services

KEY = "sk-0123456789-secret"
SERVICES = ("stability", "openai", "webui")
MAKERS = ("tiny", "sd3", *SERVICES)
Make = Callable[..., PictureProvider]


@pytest.fixture(scope="module")
def sd3_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sd3(tmp_path_factory.mktemp("sd3"))


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with picture_server() as running:
        yield running


@pytest.fixture
def make(server: PictureServer, sd3_folder: Path) -> Iterator[Make]:
    """A provider by name, its service the server's; values win over the usual ones."""
    made: list[PictureProvider] = []

    def provider(name: str, **values: object) -> PictureProvider:
        usual = load_services(Path("nowhere"), {})
        address = server.address + ("/v1" if name == "openai" else "")
        services = {each: replace(service, url=address, key=KEY, timeout=5.0) for each, service in usual.items()}
        services["sd3"] = Service(folder=str(sd3_folder))
        if name in services:
            services[name] = replace(services[name], **values)  # type: ignore[arg-type]
        made.append(make_provider(name, services, "cpu"))
        return made[-1]

    yield provider
    for each in made:
        each.close()
        each.close()


@dataclass
class Inputs:
    """A keyframe before, 200x100, and a mask of it: the right half is made new."""

    start: Path
    mask: Path


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    (tmp_path / "start.png").write_bytes(picture_bytes(200, 100, (10, 200, 10)))
    mask = Image.new("L", (200, 100), 0)
    mask.paste(255, (100, 0, 200, 100))
    mask.save(tmp_path / "mask.png")
    return Inputs(tmp_path / "start.png", tmp_path / "mask.png")


def request(provider: PictureProvider, **values: object) -> PictureRequest:
    """A small request of this provider's own size for a film of 128x72, where it draws itself."""
    width, height = (64, 32) if provider.name == "sd3" else provider.size(128, 72)
    return replace(PictureRequest("a red circle", width, height, seed=5, steps=2), **values)  # type: ignore[arg-type]


def no() -> bool:
    return False


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def test_the_settings_name_every_provider(make: Make) -> None:
    choices = PICTURE_SETTINGS["provider"].choices
    assert set(choices) == {*MAKERS, "files"}
    assert [make(name).name for name in choices] == list(choices)


@pytest.mark.parametrize("name", MAKERS)
def test_words_become_a_picture_of_about_the_films_shape(make: Make, name: str) -> None:
    provider = make(name)
    provider.check()
    width, height = provider.size(1280, 720)
    assert name == "tiny" or 1.4 < width / height < 2
    wanted = request(provider)
    picture = opened(provider.make(wanted, no))
    assert picture.size == (wanted.width, wanted.height)
    assert KEY not in repr(provider.identity())


@pytest.mark.parametrize("name", ["tiny", "sd3"])
def test_a_seed_gives_the_same_picture(make: Make, name: str) -> None:
    provider = make(name)
    one, again, other = (provider.make(request(provider, seed=seed), no) for seed in (5, 5, 6))
    assert one == again != other


@pytest.mark.parametrize("name", ["tiny", "sd3"])
def test_it_stops_within_a_step(make: Make, name: str) -> None:
    provider = make(name)
    with pytest.raises(Cancelled):
        provider.make(request(provider), lambda: True)


def test_sd3_changes_the_keyframe_before_and_keeps_what_is_masked(make: Make, inputs: Inputs) -> None:
    provider = make("sd3")
    little, much = (
        opened(provider.make(request(provider, start=inputs.start, strength=strength, steps=4), no))
        for strength in (0.3, 1.0)
    )
    assert little.size == (64, 32)
    assert little.tobytes() != much.tobytes()
    masked = provider.make(request(provider, start=inputs.start, strength=0.9, steps=4, mask=inputs.mask), no)
    assert opened(masked).size == (64, 32)


def test_stability_is_asked_as_its_api_says(make: Make, server: PictureServer, inputs: Inputs) -> None:
    provider = make("stability")
    provider.make(request(provider, negative="text", guidance=4.0), no)
    provider.make(request(provider, start=inputs.start, strength=0.4), no)
    words, picture = server.asked
    assert words["path"] == "/v2beta/stable-image/generate/sd3"
    assert words["authorization"] == f"Bearer {KEY}"
    assert words["fields"] == {
        "prompt": "a red circle",
        "model": "sd3.5-large",
        "seed": "5",
        "output_format": "png",
        "negative_prompt": "text",
        "cfg_scale": "4",
        "mode": "text-to-image",
        "aspect_ratio": "16:9",
    }
    assert (picture["fields"]["mode"], picture["fields"]["strength"]) == ("image-to-image", "0.4")
    assert "aspect_ratio" not in picture["fields"]
    assert opened(picture["fields"]["image"]).size == (1344, 768)


def test_openai_is_asked_as_its_api_says(make: Make, server: PictureServer, inputs: Inputs) -> None:
    provider = make("openai")
    provider.make(request(provider, negative="text"), no)
    provider.make(request(provider, start=inputs.start, strength=0.5), no)
    provider.make(request(provider, start=inputs.start, strength=0.5, mask=inputs.mask), no)
    words, edit, masked = server.asked
    assert (words["path"], edit["path"]) == ("/v1/images/generations", "/v1/images/edits")
    assert words["fields"] == {
        "model": "gpt-image-1",
        "prompt": "a red circle. Do not show: text",
        "size": "1536x1024",
        "n": 1,
    }
    assert "mask" not in edit["fields"]
    assert edit["authorization"] == f"Bearer {KEY}"
    mask = Image.open(io.BytesIO(masked["fields"]["mask"]))
    assert mask.size == Image.open(io.BytesIO(masked["fields"]["image"])).size == (1536, 1024)
    # Ours is white where it is made new, theirs is transparent there.
    assert [mask.getpixel((x, 500))[3] for x in (100, 1400)] == [255, 0]  # type: ignore[index]


def test_the_webui_is_asked_as_its_api_says(make: Make, server: PictureServer, inputs: Inputs) -> None:
    server.credentials = "Basic bWU6c2VjcmV0"  # me:secret
    provider = make("webui", user="me", password="secret")
    assert provider.identity()["checkpoint"] == "dream.safetensors [1a2b]"
    provider.make(request(provider, negative="text"), no)
    provider.make(request(provider, start=inputs.start, strength=0.6, mask=inputs.mask), no)
    words, picture = server.asked
    assert (words["path"], picture["path"]) == ("/sdapi/v1/txt2img", "/sdapi/v1/img2img")
    fields = words["fields"]
    assert (fields["seed"], fields["steps"], fields["negative_prompt"]) == (5, 2, "text")
    assert (fields["width"] % 8, fields["height"] % 8) == (0, 0)
    assert 0.9 < fields["width"] * fields["height"] / 512**2 < 1.1
    assert picture["fields"]["denoising_strength"] == 0.6
    assert picture["fields"]["inpainting_mask_invert"] == 0
    assert {"init_images", "mask"} <= picture["fields"].keys()


REFUSALS = {
    "stability": Fault(403, {"id": "1", "name": "content_moderation", "errors": ["Your request was flagged"]}),
    "openai": Fault(400, {"error": {"message": "rejected by the safety system", "code": "moderation_blocked"}}),
}
KEYS = {
    "stability": Fault(401, {"id": "1", "name": "unauthorized", "errors": [f"missing or invalid {KEY}"]}),
    "openai": Fault(401, {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}),
    "webui": Fault(401, {"detail": "Incorrect username or password"}),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_not_asked_again(make: Make, server: PictureServer, name: str) -> None:
    server.faults = [REFUSALS[name]]
    with pytest.raises(ProviderError, match="refuses these words") as caught:
        (provider := make(name)).make(request(provider), no)
    assert (caught.value.again, caught.value.for_all) == (False, False)


def test_a_filtered_picture_of_stability_is_a_refusal(make: Make, server: PictureServer) -> None:
    server.faults = [Fault(headers={"finish-reason": "CONTENT_FILTERED"})]
    with pytest.raises(ProviderError, match="refuses these words"):
        (provider := make("stability")).make(request(provider), no)


@pytest.mark.parametrize("name", SERVICES)
def test_a_wrong_key_stops_all_and_is_not_told(make: Make, server: PictureServer, name: str) -> None:
    server.faults = [KEYS[name]]
    with pytest.raises(ProviderError, match="refuses") as caught:
        (provider := make(name)).make(request(provider), no)
    assert caught.value.for_all
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize(
    ("fault", "words", "after"),
    [
        (Fault(429, {"error": {"message": "slow down"}}, {"retry-after": "7"}), "is busy", 7.0),
        (Fault(503, "down for maintenance"), "failed with status 503", None),
        (Fault(hang=1.2), "said nothing for 0.5 s", None),
        (Fault(cut=40), "broke off", None),
    ],
    ids=["busy", "down", "silent", "cut"],
)
def test_what_may_pass_is_asked_again(
    make: Make, server: PictureServer, name: str, fault: Fault, words: str, after: float | None
) -> None:
    server.faults = [fault]
    provider = make(name, timeout=0.5) if fault.hang else make(name)
    with pytest.raises(ProviderError, match=words) as caught:
        provider.make(request(provider), no)
    assert (caught.value.again, caught.value.after) == (True, after)
    assert make(name).make(request(provider), no)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("openai", "null"),
        ("openai", {"data": [None]}),
        ("openai", {"data": [{"b64_json": "é"}]}),
        ("webui", "null"),
        ("webui", {"images": ["é"]}),
    ],
)
def test_an_answer_of_another_form_holds_no_picture(make: Make, server: PictureServer, name: str, body: object) -> None:
    server.faults = [Fault(body=body, headers={"content-type": "application/json"})]
    provider = make(name)
    with pytest.raises(ProviderError, match="answer holds no picture"):
        provider.make(request(provider), no)


def test_a_webui_without_its_api_is_told(make: Make, server: PictureServer) -> None:
    server.with_api = False
    for ask in (lambda provider: provider.identity(), lambda provider: provider.make(request(provider), no)):
        with pytest.raises(ProviderError, match=r"runs without its API. Start it with --api") as caught:
            ask(make("webui"))
        assert caught.value.for_all
    with pytest.raises(ProviderError, match="no WebUI answers"):
        make("webui", url="http://127.0.0.1:1").identity()


@pytest.mark.parametrize("name", ["stability", "openai"])
def test_without_a_key_nothing_is_asked(make: Make, name: str) -> None:
    with pytest.raises(InputError, match=f"WAN_{name.upper()}_KEY"):
        make(name, key="").check()


def test_sd3_says_what_its_folder_lacks(make: Make, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="WAN_SD3_FOLDER"):
        make("sd3", folder="").check()
    with pytest.raises(ModelError, match="cannot be read"):
        make("sd3", folder=str(tmp_path)).check()
    (tmp_path / "model_index.json").write_text('{"_class_name": "WanPipeline"}', encoding="utf-8")
    with pytest.raises(ModelError, match="holds no StableDiffusion3Pipeline"):
        make("sd3", folder=str(tmp_path)).check()
