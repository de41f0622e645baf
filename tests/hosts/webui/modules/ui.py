"""Builds the page: a small tab of the WebUI's own, then those of the extensions."""

import gradio as gr

from modules import errors, processing, script_callbacks, shared


def create_ui():
    """The page as gradio Blocks; settings come before tabs."""
    script_callbacks.run("ui_settings")
    tabs = [(_txt2img(), "txt2img", "txt2img")]
    for added in script_callbacks.run("ui_tabs"):
        tabs += added or []
    tabs.append((_settings(), "Settings", "settings"))
    with gr.Blocks(analytics_enabled=False, title="Stable Diffusion") as demo, gr.Tabs(elem_id="tabs"):
        for blocks, title, name in tabs:
            if title in shared.opts.hidden_tabs:
                continue
            with gr.TabItem(title, id=name, elem_id=f"tab_{name}"):
                blocks.render()
    return demo


def _txt2img():
    with gr.Blocks(analytics_enabled=False) as blocks:
        prompt = gr.Textbox(label="Prompt", elem_id="txt2img_prompt")
        seconds = gr.Number(label="Seconds", value=0.2)
        button = gr.Button("Generate", elem_id="txt2img_generate", variant="primary")
        gr.Button("Interrupt", elem_id="txt2img_interrupt")
        gr.Button("Skip", elem_id="txt2img_skip")
        picture = gr.Image(label="Picture", elem_id="txt2img_picture", interactive=False)
        said = gr.HTML(elem_id="html_info_txt2img")
        button.click(_generate, [prompt, seconds], [picture, said], queue=False)
    return blocks


def _generate(prompt, seconds):
    try:
        return processing.process_images(prompt, seconds), "<p class='time'>Time taken</p>"
    except RuntimeError as error:
        errors.report(f"Error completing request: {error}")
        return None, f"<div class='error'>RuntimeError: {error}</div>"


def _settings():
    with gr.Blocks(analytics_enabled=False) as blocks:
        for key, info in shared.opts.data_labels.items():
            gr.Checkbox(label=info.label, value=bool(info.default), elem_id=f"setting_{key}")
        gr.Button("Reload UI", elem_id="settings_restart_gradio").click(shared.restart.set, [], [], queue=False)
    return blocks
