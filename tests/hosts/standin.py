"""Runs a stand-in for a WebUI that loads this extension as a WebUI does: `python tests/hosts/standin.py --help`.

It speaks the contract that A1111, reForge, Forge and Forge Neo share with extensions, needs no model and no torch, and
runs on the gradio of the Python that starts it. What it does not know itself are flags of the WebUI: --gradio-auth u:p,
--api-auth a:b, --subpath x (behind a proxy), --theme dark, --listen, --nowebui, --api, --wan-home DIR ...

`GET /standin` tells the tests how it stands; `POST /standin/reload` and the button on its Settings tab reload the page.
"""

import argparse
import base64
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
KINDS = {"a1111": (), "reforge": ("reforge",), "forge": ("forge",), "neo": ("forge",)}


def main():
    """Read the command line, then be the WebUI until stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the WebUI's folder, made if it is not there")
    parser.add_argument("--host", choices=KINDS, default="a1111")
    parser.add_argument("--extension", type=Path, default=PROJECT, help="folder of the extension")
    given, rest = parser.parse_known_args()
    data = given.data.resolve()
    (data / "extensions").mkdir(parents=True, exist_ok=True)
    link = data / "extensions" / "sd-webui-wan"
    if not link.is_symlink():
        link.symlink_to(given.extension.resolve(), target_is_directory=True)
    os.environ["STANDIN_HOST"] = given.host
    # The WebUIs read the command line wherever they need it.
    sys.argv = [sys.argv[0], "--port", str(given.port), "--data-dir", str(data), *rest]
    sys.path[:0] = [str(HERE / folder) for folder in ("webui", *KINDS[given.host])]
    os.chdir(data)
    from modules import shared

    load_scripts(given.host)
    serve_api() if shared.cmd_opts.nowebui else serve_pages()


def load_scripts(kind):
    """Load what a WebUI has loaded by then, and the extensions' scripts."""
    import gradio  # noqa: F401
    from modules import scripts

    if kind != "a1111":
        import modules_forge.initialization  # noqa: F401
    began = time.perf_counter()
    scripts.load_scripts()
    print(f"scripts loaded in {time.perf_counter() - began:.3f} s", flush=True)


def serve_pages():
    """Show the page; again and again, for Reload UI."""
    from modules import assets, script_callbacks, scripts, shared, ui

    while True:
        script_callbacks.run("before_ui")
        assets.install()
        shared.demo = ui.create_ui()
        app = launch(shared.demo)
        setup_server(app)
        script_callbacks.run("app_started", shared.demo, app)
        print("Startup time: done", flush=True)
        shared.restart.wait()
        shared.restart.clear()
        print("Restarting UI...", flush=True)
        shared.demo.close()
        time.sleep(0.5)
        script_callbacks.run("before_reload")
        script_callbacks.run("script_unloaded")
        scripts.load_scripts()


def launch(demo):
    """Start gradio's server in a thread; its app."""
    from modules import shared

    flags = shared.cmd_opts
    pairs = [tuple(pair.split(":", 1)) for pair in (flags.gradio_auth or "").split(",") if pair]
    demo.queue()
    app, _, _ = demo.launch(
        server_name="127.0.0.1",
        server_port=flags.port,
        auth=pairs or None,
        prevent_thread_lock=True,
        allowed_paths=[*flags.gradio_allowed_path, str(HERE)],
        root_path=f"/{flags.subpath}" if flags.subpath else "",
    )
    return app


def setup_server(app):
    """The WebUIs' own routes and middleware: no foreign sites, compressed answers."""
    from modules import shared
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware

    app.user_middleware = [each for each in app.user_middleware if each.cls.__name__ != "CORSMiddleware"]
    app.user_middleware.insert(0, Middleware(GZipMiddleware, minimum_size=1000))
    app.middleware_stack = None
    app.add_api_route("/standin", state, methods=["GET"])
    app.add_api_route("/standin/reload", reload, methods=["POST"])
    if shared.cmd_opts.api:
        add_api(app)


def add_api(app):
    """One route of the WebUI's API, which asks for --api-auth."""
    from fastapi import HTTPException, Request
    from modules import shared

    right = shared.cmd_opts.api_auth

    def options(request: Request):
        sent = request.headers.get("authorization", "")
        if right and sent != "Basic " + base64.b64encode(right.encode()).decode():
            raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Basic"})
        return shared.opts.data

    app.add_api_route("/sdapi/v1/options", options, methods=["GET"])


def state():
    """How the WebUI stands."""
    from modules import call_queue, errors, script_callbacks, sd_models, shared

    model = sd_models.model_data.sd_model
    return {
        "model_device": model.device if model else None,
        "queue_locked": call_queue.queue_lock.locked(),
        "errors": errors.reported,
        "callbacks": {name: len(entries) for name, entries in script_callbacks.callbacks.items()},
        "options": sorted(shared.opts.data_labels),
        "allowed_paths": shared.cmd_opts.gradio_allowed_path,
        "on_path": [path for path in sys.path if "sd-webui-wan" in path or path == str(PROJECT / "scripts")],
    }


def reload():
    """Ask for Reload UI."""
    from modules import shared

    shared.restart.set()


def serve_api():
    """Without pages: the API alone, on a plain app; the page is built once, for its settings."""
    import uvicorn
    from fastapi import FastAPI
    from modules import script_callbacks, shared, ui

    app = FastAPI()
    setup_server(app)
    script_callbacks.run("before_ui")
    ui.create_ui()
    script_callbacks.run("app_started", None, app)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=shared.cmd_opts.port,
        root_path=f"/{shared.cmd_opts.subpath}" if shared.cmd_opts.subpath else "",
    )


if __name__ == "__main__":
    main()
