"""Puts the WebUI's and the extensions' scripts and styles into gradio's page, before the page's own."""

import os
from pathlib import Path

import gradio as gr

from modules import scripts, shared

FILE_ROUTE = "file=" if int(gr.__version__.split(".")[0]) < 5 else "gradio_api/file="
HOST_SCRIPT = str(Path(__file__).resolve().parents[1] / "host.js")

_original = gr.routes.templates.TemplateResponse


def _address(path):
    return f"{FILE_ROUTE}{path}?{os.path.getmtime(path)}"


def _head():
    paths = [HOST_SCRIPT, *scripts.list_files("javascript", ".js")]
    tags = [f'<script type="text/javascript" src="{_address(path)}"></script>' for path in paths]
    tags += [
        f'<script type="module" src="{_address(path)}"></script>' for path in scripts.list_files("javascript", ".mjs")
    ]
    if shared.cmd_opts.theme:
        tags.append(f'<script type="text/javascript">set_theme("{shared.cmd_opts.theme}");</script>')
    return "\n".join(tags)


def _styles():
    paths = [os.path.join(folder, "style.css") for folder in scripts.extension_folders()]
    return "\n".join(
        f'<link rel="stylesheet" property="stylesheet" href="{_address(path)}">'
        for path in paths
        if os.path.isfile(path)
    )


def install():
    """From now on every page of gradio carries them."""
    head, styles = _head(), _styles()

    def with_assets(*args, **kwargs):
        answer = _original(*args, **kwargs)
        body = answer.body.replace(b"</head>", f"{head}</head>".encode())
        answer.body = body.replace(b"</body>", f"{styles}</body>".encode())
        answer.init_headers()
        return answer

    gr.routes.templates.TemplateResponse = with_assets
