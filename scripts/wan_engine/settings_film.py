"""The settings of what the film is: prompts, size and length, what it starts from. A part of `settings`' one table."""

from __future__ import annotations

from dataclasses import dataclass

from wan_engine.setting_spec import setting


@dataclass(frozen=True)
class FilmSettings:
    """What is seen, how large, how long, and from which pictures."""

    prompts: dict[str, str] = setting(
        {},
        "prompts",
        "Prompts",
        "prompts",
        "What is seen from which frame on: an object of key and text. A key is a frame number, arithmetic with max_f, "
        "or seconds (12.5s). A prompt holds until the next key; --neg starts its negative part.",
    )
    positive_prompt: str = setting("", "text", "Positive prompt", "prompts", "Put before every prompt.")
    negative_prompt: str = setting("", "text", "Negative prompt", "prompts", "Added to every prompt's negative part.")

    max_frames: int = setting(
        120, "int", "Frames", "film", "Length of the film.", minimum=1, maximum=1_000_000, unit="frames"
    )
    fps: str = setting(
        "16",
        "fps",
        "Frames per second",
        "film",
        "Frame rate of the film: a number or a ratio such as 30000/1001. 23.976, 29.97 and 59.94 mean the exact "
        "ratios.",
        minimum=1,
        maximum=240,
        unit="frames/s",
    )
    width: int = setting(
        0,
        "int",
        "Width",
        "film",
        "Width of the film; 0 takes the model family's own. Rounded down to what the family can do, noted in the plan.",
        minimum=0,
        maximum=8192,
        unit="pixels",
    )
    height: int = setting(
        0,
        "int",
        "Height",
        "film",
        "Height of the film; 0 takes the model family's own. Rounded down like the width.",
        minimum=0,
        maximum=8192,
        unit="pixels",
    )
    model_fps: str = setting(
        "0",
        "fps",
        "Model frames per second",
        "film",
        "Rate at which the model's frames are played. 0 takes the family's own (16, or 24 for TI2V-5B); set it to the "
        "film's rate to use the model's frames as they come.",
        minimum=0,
        maximum=240,
        unit="frames/s",
    )
    resample: str = setting(
        "blend",
        "choice",
        "Resampling in time",
        "film",
        "How film frames between two model frames are made: the nearest one, a linear "
        "blend of both, or both moved along their optical flow, which keeps moving things sharp.",
        choices=("nearest", "blend", "flow"),
    )
    smoothing: str = setting(
        "none",
        "choice",
        "Smoothing",
        "film",
        "Softens the three frames on each side of a seam, wanted cuts left out: temporal_filter mixes neighbours, "
        "optical_flow moves them onto each other first.",
        choices=("none", "temporal_filter", "optical_flow"),
    )
    clip_duration: float = setting(
        0.0,
        "float",
        "Longest clip",
        "film",
        "Longest clip asked of the model at once; longer prompts are split into equal parts. 0 takes the family's "
        "native length.",
        minimum=0,
        maximum=60,
        unit="seconds",
    )

    init_image: str = setting("", "path", "Start image", "start", "Picture the film starts from.")
    init_video: str = setting(
        "", "path", "Start video", "start", "Film that is continued: its last frame is the film's first."
    )
    end_image: str = setting("", "path", "End image", "start", "Picture the film's last frame arrives at.")
    guided_images: dict[str, str] = setting(
        {},
        "images",
        "Guided images",
        "start",
        "Pictures by frame: the film arrives at each on its own frame. Keys as in prompts.",
    )
    inner_images: str = setting(
        "never",
        "choice",
        "Pictures inside clips",
        "start",
        "Which guided images of a prompt one clip passes through instead of ending there, by VACE: near takes those "
        "that would make clips of under 16 model frames, always as many as fit into a clip.",
        choices=("never", "near", "always"),
    )
    image_fit: str = setting(
        "cover",
        "choice",
        "Image fit",
        "start",
        "How pictures of another shape are fitted: cropped to cover, bars around to contain, or stretched.",
        choices=("cover", "contain", "stretch"),
    )
    continuity: str = setting(
        "auto",
        "choice",
        "Continuity",
        "start",
        "How a clip follows the one before: from its last frame, from its last few frames, which carry its motion on, "
        "by a hard cut, or by the best the model can do.",
        choices=("auto", "last_frame", "overlap", "cut"),
    )
    overlap_frames: int = setting(
        9,
        "int",
        "Overlap",
        "start",
        "With continuity overlap: last frames of a clip that the next one begins with. 5, 9, 13 or 17.",
        minimum=5,
        maximum=17,
        unit="model frames",
    )
    overlap_noise: int = setting(
        20,
        "int",
        "Overlap noise",
        "start",
        "Share of noise, in thousandths, in what the model is shown of an overlap: some keeps small faults from "
        "growing from clip to clip.",
        minimum=0,
        maximum=1000,
    )
    spare_frames: int = setting(
        0,
        "int",
        "Spare frames",
        "start",
        "Frames rendered behind the one that a clip hands over, and dropped, for clips get worse towards their end. A "
        "multiple of 4.",
        minimum=0,
        maximum=40,
        unit="model frames",
    )
    hold_colour: bool = setting(
        False,
        "bool",
        "Hold colours",
        "start",
        "Takes back from each clip the change of colour that it brings in, learned from the frames it has in common "
        "with the clip before and from the pictures it starts from and arrives at.",
    )
    pin_colour: float = setting(
        0.0,
        "float",
        "Pin colours",
        "start",
        "Share by which each clip that goes on with the same prompt is pulled back, slowly and never much, to the "
        "colours of the first one: 0 not at all, 0.3 is good for a scene that stays as it is.",
        minimum=0,
        maximum=1,
    )
    seam_retries: int = setting(
        0,
        "int",
        "Seam retries",
        "start",
        "Clips of the film that may be rendered again, with another seed, because the seam in front of them is bad; "
        "the best version is kept. Wanted cuts are left alone.",
        minimum=0,
        maximum=10_000,
        unit="clips",
    )
    seam_repair: str = setting(
        "none",
        "choice",
        "Seam repair",
        "start",
        "Mends the seams that can be seen, when all clips are there: cross_fade fades one clip into the other along "
        "their motion; vace has the frames around the seam made anew with both sides in view, and needs a VACE model.",
        choices=("none", "cross_fade", "vace"),
    )
    repair_frames: int = setting(
        8,
        "int",
        "Repaired frames",
        "start",
        "Frames around a seam that seam repair makes anew at most, half of them on each side: 8, 12 or 16.",
        minimum=8,
        maximum=16,
        unit="model frames",
    )
    loop: bool = setting(
        False, "bool", "Loop", "start", "The film's end joins its beginning, so that it can be played over and over."
    )
