"""An extension for the tests: a tab with the id and the labels of the Deforum extension's (sd-webui-deforum), no more.

What of Deforum's tab the Wan tab takes over stands here as it stands there: kind of control, label, nesting in tabs.
"""

import gradio as gr
from modules import script_callbacks

PROMPTS = '{"0": "a red circle on a black background", "12": "a blue square on a black background"}'


def on_ui_tabs():
    """The tab, as Deforum gives it to the WebUI."""
    with gr.Blocks(analytics_enabled=False) as deforum_interface, gr.Tabs():
        with gr.TabItem("Run"):
            gr.Slider(label="Width", minimum=64, maximum=2048, step=64, value=64)
            gr.Slider(label="Height", minimum=64, maximum=2048, step=64, value=64)
            gr.Slider(label="Resize seed from width", minimum=0, maximum=2048, step=64, value=0)
            gr.Number(label="Seed", value=7, precision=0)
            gr.Slider(label="Steps", minimum=1, maximum=200, step=1, value=25)
            gr.Textbox(label="Batch name", value="from_deforum")
            gr.Radio(["iter", "fixed", "random"], label="Seed behavior", value="fixed")
            gr.Number(label="Seed iter N", value=1, precision=0)
        with gr.TabItem("Keyframes"):
            gr.Number(label="Max frames", value=24, precision=0)
            gr.Textbox(label="CFG scale schedule", value="0: (3)")
            gr.Textbox(label="Seed schedule", value="0: (s)")
        with gr.TabItem("Prompts"):
            gr.Textbox(label="Prompts", lines=8, value=PROMPTS, info="full prompts list in a JSON format")
            gr.Textbox(label="Prompts positive", lines=1, placeholder="words in here will be added")
            gr.Textbox(label="Prompts negative", lines=1, value="blur")
        with gr.TabItem("Output"):
            gr.Slider(label="FPS", minimum=1, maximum=240, step=1, value=8)
            gr.Checkbox(label="Make GIF", value=True)
    return [(deforum_interface, "Deforum", "deforum_interface")]


script_callbacks.on_ui_tabs(on_ui_tabs)
