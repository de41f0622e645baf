"""The settings of what an outpainted film's canvas is. A part of `settings_outpaint`'s one table."""

from __future__ import annotations

from dataclasses import dataclass

from wan_engine.setting_spec import setting

SIDE_HELP = "Per cent of the film's own width or height that is added at this side."


@dataclass(frozen=True)
class CanvasSettings:
    """How large the new picture is, where the old one lies on it, and what is shown where it is to be made.

    The size comes from target_width and target_height, from aspect, or from the four sides; or from the film itself
    when a mask says what is to be made anew.
    """

    target_width: int = setting(
        0,
        "int",
        "Width",
        "outpaint canvas",
        "Width of the outpainted film. With no size, aspect, side and mask at all it is 1280x720.",
        minimum=0,
        maximum=8192,
        unit="pixels",
    )
    target_height: int = setting(
        0,
        "int",
        "Height",
        "outpaint canvas",
        "Height of the outpainted film. The film is scaled to fit inside width and height.",
        minimum=0,
        maximum=8192,
        unit="pixels",
    )
    aspect: str = setting(
        "",
        "text",
        "Aspect",
        "outpaint canvas",
        "Shape of the outpainted film, such as 16:9 or 2.39: the film keeps its pixels, and sides are added.",
    )
    left: float = setting(0.0, "float", "Left", "outpaint canvas", SIDE_HELP, minimum=0, maximum=400, unit="%")
    right: float = setting(0.0, "float", "Right", "outpaint canvas", SIDE_HELP, minimum=0, maximum=400, unit="%")
    top: float = setting(0.0, "float", "Top", "outpaint canvas", SIDE_HELP, minimum=0, maximum=400, unit="%")
    bottom: float = setting(0.0, "float", "Bottom", "outpaint canvas", SIDE_HELP, minimum=0, maximum=400, unit="%")
    position: str = setting(
        "center",
        "choice",
        "Position",
        "outpaint canvas",
        "Where the film lies on a canvas of a given size or aspect.",
        choices=(
            *("center", "left", "right", "top", "bottom"),
            *("top_left", "top_right", "bottom_left", "bottom_right"),
        ),
    )
    source_fit: str = setting(
        "contain",
        "choice",
        "Source fit",
        "outpaint canvas",
        "On a canvas of a given size: contain scales the film until it touches two sides, keep leaves its pixels as "
        "they are.",
        choices=("contain", "keep"),
    )
    mask: str = setting(
        "",
        "path",
        "Mask",
        "outpaint canvas",
        "Inpainting in place of outpainting: a picture or a film of which the white parts are made anew. A film has a "
        "frame for each frame.",
    )
    box: str = setting(
        "",
        "text",
        "Box",
        "outpaint canvas",
        "Inpainting by a box in place of a mask: left, top, width and height in pixels, such as 40,40,320,180.",
    )
    canvas: str = setting(
        "grey",
        "choice",
        "Canvas",
        "outpaint canvas",
        "What the model is shown where it is to paint: grey, which VACE was trained on; noise, a picture decoded from "
        "noise; mirror, the film mirrored at its border and blurred.",
        choices=("grey", "noise", "mirror"),
    )
    noise_vae: str = setting(
        "",
        "path",
        "Noise VAE",
        "outpaint canvas",
        "With canvas noise: folder of the FLUX Fill VAE. Empty takes the downloaded one, else the model's own VAE, and "
        "says so.",
    )
    gradient_width: int = setting(
        25,
        "int",
        "Feather",
        "outpaint canvas",
        "Pixels inside the film, along the sides that are added, over which it turns into what is made. Behind them "
        "its pixels stay as they are.",
        minimum=0,
        maximum=512,
        unit="pixels",
    )
    scale_factor: float = setting(
        1.0,
        "float",
        "Scale factor",
        "outpaint canvas",
        "Size at which the model works, as a part of the film's; what it made is scaled back with Lanczos. 0.5 takes a "
        "quarter of the time.",
        minimum=0.1,
        maximum=4,
    )
