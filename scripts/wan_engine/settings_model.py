"""The settings of which model renders, where and how. A part of `settings`' one table."""

from __future__ import annotations

from dataclasses import dataclass

from wan_engine.setting_spec import setting


@dataclass(frozen=True)
class ModelSettings:
    """Models, LoRAs, device, number format, memory."""

    model: str = setting(
        "",
        "model",
        "Model",
        "model",
        "A transformer's file (safetensors, GGUF, pth), a folder of the diffusers or the official layout, or a name "
        "that models list shows. Empty takes the embedded small model.",
    )
    i2v_model: str = setting(
        "", "model", "Image-to-video model", "model", "The model that continues from a picture, if another."
    )
    flf2v_model: str = setting(
        "", "model", "First-last-frame model", "model", "The model that goes between two pictures, if another."
    )
    vace_model: str = setting(
        "",
        "model",
        "VACE model",
        "model",
        "The model that fills what is masked: overlaps, pictures inside a clip, seam repair; if another.",
    )
    transformer_2: str = setting(
        "",
        "model",
        "Low-noise expert",
        "model",
        "File of the expert for low noise of Wan 2.2 A14B, where model names the one for high noise. Empty takes the "
        "file whose name goes with the model's.",
    )
    vace_module: str = setting(
        "", "model", "VACE module", "model", "File of VACE blocks that are put on the T2V transformer of model."
    )
    vae: str = setting("", "model", "VAE", "model", "File or folder of the VAE. Empty takes the nearest that fits.")
    text_encoder: str = setting(
        "", "model", "Text encoder", "model", "File or folder of UMT5-XXL. Empty takes the nearest that fits."
    )
    image_encoder: str = setting(
        "",
        "model",
        "Image encoder",
        "model",
        "File or folder of OpenCLIP ViT-H/14, for Wan 2.1 I2V and FLF2V. Empty takes the nearest that fits.",
    )
    model_dirs: str = setting(
        "",
        "paths",
        "Model folders",
        "model",
        "Folders that are searched for models and their parts, one a line: ComfyUI's or a WebUI's folder, its models, "
        "any other.",
    )
    backend: str = setting(
        "wan",
        "choice",
        "Backend",
        "model",
        "wan renders with the model; dry_run draws prompt, clip and frame number without one, to look at the pacing.",
        choices=("wan", "dry_run"),
    )
    device: str = setting("auto", "text", "Device", "model", "Where the model runs: auto, cpu, cuda, cuda:1, mps, xpu.")
    devices: str = setting(
        "",
        "text",
        "Devices",
        "model",
        "Devices in place of the one, such as cuda:0, cuda:1: parts of the film that do not need each other's frames "
        "are rendered side by side, each in a process of its own; the first also mends seams. A service's job leaves "
        "out those on which other jobs run, and says so.",
    )
    dtype: str = setting(
        "auto",
        "choice",
        "Precision",
        "model",
        "Number format of the transformer. auto is bfloat16 on a GPU that has it and float32 on a CPU.",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    memory_profile: str = setting(
        "auto",
        "choice",
        "Memory profile",
        "model",
        "What lies in the GPU's memory and what waits in main memory: fast keeps all on the GPU, minimal the least, "
        "decodes in tiles and encodes texts on the CPU. auto takes the first that fits; a full memory steps down.",
        choices=("auto", "fast", "balanced", "low", "minimal"),
    )
    fp8_weights: bool = setting(
        False,
        "bool",
        "Weights in fp8",
        "model",
        "Keep the transformer's weights in 8 bits and compute in the precision set: half the memory, other pictures.",
    )
    attention: str = setting(
        "auto",
        "choice",
        "Attention",
        "model",
        "Kernel of the attention. auto times those that work here and takes the fastest; sage, which computes in 8 "
        "bits, only when you say so.",
        choices=("auto", "sdpa", "cudnn", "flash", "xformers", "sage"),
    )
    compile: str = setting(
        "auto",
        "choice",
        "Compiled blocks",
        "model",
        "Compile the transformer's blocks with torch.compile. auto does it on a CUDA GPU where the film's steps save "
        "more time than the compiling takes; pictures change within the rounding of 16-bit numbers.",
        choices=("auto", "on", "off"),
    )

    loras: str = setting(
        "",
        "text",
        "LoRAs",
        "model",
        "LoRAs of the whole film, one a line: name: weight, where the weight may be a schedule. high or low behind it "
        "puts it on one expert of Wan 2.2. A tag <lora:name:weight> in a prompt holds for that prompt's clips.",
    )
    lora_dir: str = setting(
        "",
        "path",
        "LoRA folder",
        "model",
        "Folder that is searched for LoRAs, with the folders in it. Empty takes loras in the engine's state folder "
        "and the folders Lora and loras among the model folders.",
    )
