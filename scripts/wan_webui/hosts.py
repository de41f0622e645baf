"""Knows every difference between the WebUIs, and the page of its own without one; the only file that imports `modules`.

Host                what the rest of wan_webui asks
|-- Alone           the page of its own
`-- WebUI           what all WebUIs share
    |-- A1111       keeps the image model on the GPU; it is moved out and back
    |-- Reforge     loads its models again when it needs them
    `-- Forge       the same, other module; Forge Neo is one with another name and output folder
"""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from wan_engine.home import state_home

PROJECT = Path(__file__).resolve().parents[2]
"""The extension's folder."""

MODEL_FOLDERS = (
    *("wan", "diffusers", "Stable-diffusion", "diffusion_models", "unet", "VAE"),
    *("text_encoder", "text_encoders", "clip_vision", "Lora"),
)
"""Folders in a WebUI's models folder that may hold what a Wan model is made of."""

HOLD_LOCK = "wan_hold_queue_lock"
"""Name of the setting that keeps the WebUI's own queue closed while a film is made."""

_API_ONLY_PORT = 7861
"""Of a WebUI that runs without pages and is told no other."""

_PUBLIC_FLAGS = ("share", "listen", "ngrok")


@dataclass(frozen=True)
class Access:
    """Who can reach the WebUI. public: others than this machine can.  gradio_auth: its pages ask for a password.
    api_credentials: user and password pairs of --api-auth.  api_only: it runs without pages (--nowebui).
    remedy: what helps where passwords cannot be asked for."""

    public: bool = False
    gradio_auth: bool = False
    api_credentials: tuple[tuple[str, str], ...] = ()
    api_only: bool = False
    remedy: str = ""

    @property
    def restriction(self) -> str:
        """Why nobody may delete, download, install or spend money here; empty if these are allowed."""
        guarded = self.api_credentials if self.api_only else self.gradio_auth
        if guarded or not self.public:
            return ""
        flag = "--api-auth" if self.api_only else "--gradio-auth"
        remedy = self.remedy or f"start it with {flag} user:password"
        return f"others can reach this WebUI and it asks for no password: {remedy}"


@dataclass(frozen=True)
class OwnApi:
    """The WebUI's own API. url: of the WebUI.  on: it was started with --api.  guarded: it asks for a password."""

    url: str
    on: bool
    guarded: bool


class Host(ABC):
    """What the program that shows the tab is and can."""

    name: str
    home: Path
    """Folder of the engine's state."""
    outputs: Path
    """Folder of the films."""
    model_roots: tuple[Path, ...]
    """Folders in which models are looked for, the one for new models first."""
    environment: Path
    """Folder of the engine's Python environment."""

    @property
    @abstractmethod
    def access(self) -> Access:
        """Who can reach it."""

    @property
    def api(self) -> OwnApi | None:
        """Its own API, by which it may be asked for pictures; None where there is none, or not yet."""
        return None

    @abstractmethod
    def release_vram(self) -> None:
        """Move its own model out of the GPU. May wait long: for the picture that is being made."""

    @abstractmethod
    def restore_vram(self) -> None:
        """Undo `release_vram`."""

    @abstractmethod
    def report(self, message: str) -> None:
        """Show an error with the exception that is being handled where the host shows its own."""


class Alone(Host):
    """No WebUI: a page of its own. public: other machines can reach it."""

    name = "alone"

    def __init__(
        self, outputs: Path, model_roots: tuple[Path, ...] = (), home: Path | None = None, public: bool = False
    ) -> None:
        self._public = public
        self.home = home or state_home()
        self.outputs = outputs
        self.model_roots = model_roots or (self.home / "models",)
        self.environment = chosen_folder(os.environ.get("WAN_ENGINE_VENV"), PROJECT / ".venv")

    @property
    def access(self) -> Access:
        return Access(self._public, remedy="start it without --listen and reach it through a tunnel or a proxy")

    def release_vram(self) -> None:
        """There is no model of its own."""

    def restore_vram(self) -> None:
        """There is no model of its own."""

    def report(self, message: str) -> None:
        import logging

        logging.getLogger(__name__).exception(message)


class WebUI(Host):
    """What A1111 and its descendants share."""

    def __init__(self) -> None:
        from modules import paths, paths_internal, shared

        models = Path(paths.models_path).absolute()
        flags = shared.cmd_opts
        films = getattr(shared.opts, "outdir_samples", "") or paths_internal.default_output_dir
        environ = os.environ
        self.home = chosen_folder(flag(flags, "wan_home") or environ.get("WAN_HOME"), models / "wan" / "state")
        self.outputs = chosen_folder(flag(flags, "wan_outputs"), Path(films) / "wan")
        self.model_roots = tuple(models / folder for folder in MODEL_FOLDERS)
        venv = flag(flags, "wan_engine_venv") or environ.get("WAN_ENGINE_VENV")
        self.environment = chosen_folder(venv, PROJECT / ".venv")
        self._holds_lock = False
        self._lent = False

    @property
    def access(self) -> Access:
        from modules import shared

        flags = shared.cmd_opts
        name = flag(flags, "server_name") or os.environ.get("GRADIO_SERVER_NAME", "")
        asked = any(getattr(flags, each, None) for each in _PUBLIC_FLAGS)
        pairs = (text.strip().partition(":") for text in flag(flags, "api_auth").split(","))
        return Access(
            public=asked or name not in ("", "localhost", "127.0.0.1", "::1"),
            gradio_auth=bool(flag(flags, "gradio_auth") or flag(flags, "gradio_auth_path")),
            api_credentials=tuple((user, password) for user, _, password in pairs if user),
            api_only=bool(getattr(flags, "nowebui", False)),
        )

    @property
    def api(self) -> OwnApi | None:
        from modules import shared

        flags, alone = shared.cmd_opts, self.access.api_only
        served = getattr(getattr(shared, "demo", None), "server_port", None)
        port = served or flag(flags, "port") or (_API_ONLY_PORT if alone else "")
        if not port:
            return None
        name = flag(flags, "server_name")
        name = "127.0.0.1" if name in ("", "localhost", "0.0.0.0", "::") else name  # noqa: S104  asked, not bound
        scheme = "https" if flag(flags, "tls_keyfile") and flag(flags, "tls_certfile") else "http"
        url = f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}"
        return OwnApi(url, alone or bool(getattr(flags, "api", False)), bool(self.access.api_credentials))

    def on(self, **callbacks: Callable[..., Any]) -> None:
        """Have the WebUI call back, by event: `ui_settings`, `ui_tabs`, `app_started`, `script_unloaded`."""
        from modules import script_callbacks

        def register() -> None:
            for event, callback in callbacks.items():
                getattr(script_callbacks, f"on_{event}")(callback)

        # The WebUI asks for the module of every caller up the stack, 0.2 s a callback here. A thread has few callers.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(register).result()

    def add_options(self) -> None:
        """Enter the extension's settings in the WebUI's own; called when it asks for them."""
        from modules import shared

        hold = shared.OptionInfo(False, "Make no pictures while a film is made", section=("wan", "Wan"))
        hold.info("the WebUI's own queue waits for the film, so that both never need the GPU at once")
        shared.opts.add_option(HOLD_LOCK, hold)

    def add_scripts(self) -> None:
        """Take part in the making of pictures; called whenever the WebUI loads its scripts."""

    def allow_output_folder(self) -> None:
        """Let gradio show films of a folder outside the WebUI; heard at its next start of the pages."""
        from modules import shared

        allowed = getattr(shared.cmd_opts, "gradio_allowed_path", None)
        if allowed is not None and str(self.outputs) not in allowed:
            allowed.append(str(self.outputs))

    def release_vram(self) -> None:
        from modules import call_queue, shared

        if self._holds_lock:
            return
        call_queue.queue_lock.acquire()
        try:
            self._move_out()
            self._lent = True
            self._holds_lock = bool(getattr(shared.opts, HOLD_LOCK, False))
        finally:
            if not self._holds_lock:
                call_queue.queue_lock.release()

    def restore_vram(self) -> None:
        from modules import call_queue

        if not self._holds_lock:
            call_queue.queue_lock.acquire()
        try:
            self._move_back()
        finally:
            self._holds_lock = self._lent = False
            call_queue.queue_lock.release()

    @abstractmethod
    def _move_out(self) -> None:
        """Free the GPU; the queue is closed."""

    def _move_back(self) -> None:
        """Nothing: a model comes back when it is needed. The queue is closed."""

    def report(self, message: str) -> None:
        from modules import errors

        errors.report(message, exc_info=True)


class A1111(WebUI):
    """AUTOMATIC1111: a model that was moved out stays out until it is moved back."""

    name = "a1111"

    def add_scripts(self) -> None:
        """Have the model back for each picture that is made while it is lent; without it the picture would fail."""
        from modules import scripts

        host = self

        class BackForPictures(scripts.Script):  # type: ignore[misc]
            create_group = False

            def title(self) -> str:
                return "Wan: the model comes back for pictures"

            def show(self, _is_img2img: bool) -> Any:
                return scripts.AlwaysVisible

            def ui(self, _is_img2img: bool) -> list[Any]:
                return []

            def before_process(self, _picture: Any, *_args: Any) -> None:
                if host._lent:
                    host._move_back()

            def postprocess(self, _picture: Any, _made: Any, *_args: Any) -> None:
                if host._lent:
                    host._move_out()

        entry = str(PROJECT / "scripts" / "wan_tab.py")
        # What the WebUI does itself with classes that it finds in that file.
        scripts.scripts_data.append(scripts.ScriptClassData(BackForPictures, entry, str(PROJECT), None))

    def _move_out(self) -> None:
        self._move("cpu")

    def _move_back(self) -> None:
        self._move("device")

    def _move(self, where: str) -> None:
        from modules import sd_models

        # Not shared.sd_model, which loads a model if there is none.
        model = sd_models.model_data.sd_model
        if model is not None:
            getattr(sd_models, f"send_model_to_{where}")(model)


class Reforge(WebUI):
    """reForge, and older Forge."""

    name = "reforge"

    def _move_out(self) -> None:
        from ldm_patched.modules import model_management

        model_management.unload_all_models()
        model_management.soft_empty_cache()


class Forge(WebUI):
    """Forge and Forge Neo."""

    name = "forge"

    def _move_out(self) -> None:
        from backend import memory_management

        memory_management.unload_all_models()
        memory_management.soft_empty_cache()


class Neo(Forge):
    """Forge Neo."""

    name = "neo"


def flag(flags: Any, name: str) -> str:
    """A launch flag's text; empty if the WebUI does not know the flag or it is not given."""
    return str(getattr(flags, name, None) or "")


def chosen_folder(text: str | None, default: Path) -> Path:
    """The folder that a user named, absolute, else the default."""
    return (Path(text).expanduser() if text and text.strip() else default).absolute()


@cache
def current_host() -> WebUI:
    """The WebUI that this process is. Raises ImportError outside of one."""
    from modules import shared

    # The Forge family has loaded these long before any extension. Some extensions bring an ldm_patched to A1111.
    if "modules_forge.initialization" not in sys.modules:
        return A1111()
    if "backend.memory_management" in sys.modules:
        return Neo() if hasattr(shared.cmd_opts, "model_ref") else Forge()
    return Reforge()
