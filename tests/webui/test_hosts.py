"""What each WebUI is found to be, on the stand-ins' modules; each in a process of its own, as its own flags ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from wan_webui.hosts import Access, Alone
from webui.standin import KINDS, ROOT, run

BEGIN = """
import json, os, sys, threading
from modules import call_queue, sd_models, shared, scripts
sys.path.append(os.path.join(scripts.extension_folders()[0], "scripts"))
from wan_webui import hosts
host = hosts.current_host()
"""
DESCRIBE = (
    BEGIN
    + """
access = host.access
host.add_options()
host.allow_output_folder()
host.allow_output_folder()
print(json.dumps({
    "name": host.name, "home": str(host.home), "outputs": str(host.outputs), "roots": list(map(str, host.model_roots)),
    "environment": str(host.environment), "public": access.public, "login": access.gradio_auth,
    "pairs": access.api_credentials, "api_only": access.api_only, "restriction": access.restriction,
    "api": [host.api.url, host.api.on, host.api.guarded] if host.api else None,
    "options": list(shared.opts.data_labels), "allowed": shared.cmd_opts.gradio_allowed_path,
}))
"""
)
LEND = (
    BEGIN
    + """
host.add_options()
shared.opts.data["wan_hold_queue_lock"] = os.environ.get("HOLD") == "1"
def look():
    model = sd_models.model_data.sd_model
    return [model.device if model else None, call_queue.queue_lock.locked()]
seen = [look()]
call_queue.queue_lock.acquire()
moving = threading.Thread(target=host.release_vram)
moving.start()
moving.join(0.1)
seen.append([moving.is_alive(), *look()])
call_queue.queue_lock.release()
moving.join()
seen.append(look())
host.release_vram()
seen.append(look())
host.restore_vram()
seen.append(look())
print(json.dumps(seen))
"""
)


PICTURES = (
    BEGIN
    + """
from modules import errors, processing
host.add_scripts()
seen = []
for lend in (lambda: None, host.release_vram, host.restore_vram):
    lend()
    picture = processing.process_images("a fox", 0)
    seen.append([sd_models.model_data.sd_model.device, picture.size == (64, 64), errors.reported])
print(json.dumps(seen))
"""
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_webui_is_known_with_its_folders(kind: str, tmp_path: Path) -> None:
    found = run(kind, DESCRIBE, tmp_path)
    assert found["name"] == kind
    assert found["home"] == str(tmp_path / "models/wan/state")
    assert found["outputs"] == str(tmp_path / ("output" if kind == "neo" else "outputs") / "wan")
    assert found["roots"][0] == str(tmp_path / "models/wan")
    assert found["environment"] == str(ROOT / ".venv")
    assert found["options"] == ["wan_hold_queue_lock"]
    assert found["allowed"] == [str(tmp_path), found["outputs"]]
    assert found["api"] is None  # it has no port yet
    assert not any(found[each] for each in ("public", "login", "pairs", "api_only", "restriction"))


def test_flags_settings_and_environment_move_the_folders(tmp_path: Path) -> None:
    flags = ("--wan-home", "state", "--wan-engine-venv", "~/env", "--wan-outputs", str(tmp_path / "films"))
    found = run("forge", DESCRIBE, tmp_path, *flags, WAN_HOME="/ignored", WAN_ENGINE_VENV="/ignored")
    assert found["home"] == str(tmp_path / "state")
    assert found["environment"] == str(Path.home() / "env")
    assert found["outputs"] == str(tmp_path / "films")
    environ = {"WAN_HOME": str(tmp_path / "e"), "WAN_ENGINE_VENV": str(tmp_path / "v")}
    found = run("a1111", DESCRIBE, tmp_path, STANDIN_OUTDIR_SAMPLES="pictures", **environ)
    assert [found["home"], found["environment"]] == [str(tmp_path / "e"), str(tmp_path / "v")]
    assert found["outputs"] == str(tmp_path / "pictures" / "wan")
    found = run("neo", DESCRIBE, tmp_path, "--model-ref", str(tmp_path / "other"))
    assert found["home"] == str(tmp_path / "other/wan/state")


@pytest.mark.parametrize(
    ("flags", "public", "restricted"),
    [
        (["--listen"], True, True),
        (["--share"], True, True),
        (["--ngrok", "token"], True, True),
        (["--server-name", "0.0.0.0"], True, True),
        (["--server-name", "localhost"], False, False),
        (["--listen", "--gradio-auth", "u:p"], True, False),
        (["--listen", "--gradio-auth-path", "users.txt"], True, False),
        (["--listen", "--api-auth", "u:p"], True, True),
        (["--listen", "--nowebui", "--api-auth", "u:p"], True, False),
        (["--listen", "--nowebui", "--gradio-auth", "u:p"], True, True),
    ],
)
def test_who_can_reach_it(flags: list[str], public: bool, restricted: bool, tmp_path: Path) -> None:
    found = run("a1111", DESCRIBE, tmp_path, *flags)
    assert (found["public"], bool(found["restriction"])) == (public, restricted)


def test_gradios_own_variable_opens_it_too(tmp_path: Path) -> None:
    assert run("a1111", DESCRIBE, tmp_path, GRADIO_SERVER_NAME="0.0.0.0")["public"]


def test_the_pairs_of_api_auth(tmp_path: Path) -> None:
    found = run("a1111", DESCRIBE, tmp_path, "--api-auth", "u:p, u2:p:2")
    assert found["pairs"] == [["u", "p"], ["u2", "p:2"]]


@pytest.mark.parametrize(
    ("flags", "api"),
    [
        (["--port", "7862"], ["http://127.0.0.1:7862", False, False]),
        (["--port", "7862", "--api", "--listen"], ["http://127.0.0.1:7862", True, False]),
        (["--api", "--api-auth", "u:p", "--port", "1", "--server-name", "fe80::1"], ["http://[fe80::1]:1", True, True]),
        (["--nowebui"], ["http://127.0.0.1:7861", True, False]),
    ],
)
def test_its_own_api_is_told(flags: list[str], api: list[object], tmp_path: Path) -> None:
    assert run("forge", DESCRIBE, tmp_path, *flags)["api"] == api


@pytest.mark.parametrize(("kind", "after"), [("a1111", "cpu"), ("reforge", "cuda"), ("forge", "cuda"), ("neo", "cuda")])
def test_pictures_are_made_while_the_gpu_is_lent(kind: str, after: str, tmp_path: Path) -> None:
    """In A1111 the model comes for the picture and leaves again; in the others it comes when it is needed."""
    assert run(kind, PICTURES, tmp_path) == [["cuda", True, []], [after, True, []], ["cuda", True, []]]


@pytest.mark.parametrize("kind", KINDS)
def test_the_gpu_is_lent_while_no_picture_is_made(kind: str, tmp_path: Path) -> None:
    back = "cuda" if kind == "a1111" else "cpu"  # the others load it again when they need it
    assert run(kind, LEND, tmp_path) == [
        ["cuda", False],
        [True, "cuda", True],
        ["cpu", False],
        ["cpu", False],
        [back, False],
    ]


def test_the_queue_stays_closed_if_the_user_wants_it(tmp_path: Path) -> None:
    seen = run("a1111", LEND, tmp_path, HOLD="1")
    assert seen == [["cuda", False], [True, "cuda", True], ["cpu", True], ["cpu", True], ["cuda", False]]


def test_without_a_model_none_is_loaded(tmp_path: Path) -> None:
    seen = run("a1111", LEND, tmp_path, STANDIN_MODEL="0")
    assert [each[-2] for each in seen] == [None] * 5


def test_alone_there_is_nothing_to_move(tmp_path: Path) -> None:
    host = Alone(tmp_path / "films", home=tmp_path)
    host.release_vram()
    host.restore_vram()
    assert host.model_roots == (tmp_path / "models",)


def test_a_password_lifts_the_restriction() -> None:
    assert not Access(public=True, gradio_auth=True).restriction
    assert "--api-auth" in Access(public=True, api_only=True).restriction
