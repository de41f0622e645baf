"""The names of Deforum's settings files: which there are, and which ask for something that Wan does not do. Pure data.

Facts about deforum-art/sd-webui-deforum and Tok/sd-forge-deforum, from the files they ship and write.
"""

from __future__ import annotations

import re

SAME = {
    "W": "width",
    "H": "height",
    "seed_iter_N": "seed_iter_n",
    "cfg_scale_schedule": "guidance_scale",
    "animation_prompts_positive": "positive_prompt",
    "animation_prompts_negative": "negative_prompt",
}
"""Deforum's name and ours, where the value means the same. Names that are equal are not listed."""

_FAMILIES = re.compile(
    r"cn_[0-9]+_|hybrid_|perspective_flip_|wan_|freeu_|kohya_hrfix_|r_upscale_|frame_interpolation_|parseq_|shake_"
    r"|color_|rotation_3d_|translation_[xyz]$|transform_center_|seed_resize_|extract_|perlin_|sd_model_|deforum_"
    r"|optical_flow_|diffusion_|blendFactor|flux_|mask_|enable_\w+_scheduling$|\w+_schedule$|resume_|overlay_mask"
    r"|image_strength|keyframe_|use_|full_res_mask|reroll_|delete_|video_(init|mask)_path$"
)

_OTHERS = re.compile(
    r"W|H|show_info_on_ui|tiling|restore_faces|scheduler|seed_iter_N|strength|strength_0_no_init|invert_mask|fill"
    r"|motion_preview_mode|positive_prompts|negative_prompts|animation_mode|border|angle|zoom|enable_perspective_flip"
    r"|flip_2d_perspective|aspect_ratio_use_old_formula|legacy_colormatch|noise_type|depth_algorithm|midas_weight"
    r"|padding_mode|sampling_mode|save_depth_maps|overwrite_extracted_frames|init_images"
    r"|animation_prompts(_positive|_negative)?|skip_video_creation|skip_video_for_run_all|add_soundtrack"
    r"|soundtrack_path|store_frames_in_ram|prompt_authored_fps|clips"
)


def is_deforum_name(name: str) -> bool:
    """Whether Deforum's files, old or new, know this name. Names that our settings share with them are not counted."""
    return bool(_OTHERS.fullmatch(name) or _FAMILIES.match(name))


SWITCHES = {
    "use_mask": "masks",
    "use_mask_video": "masks",
    "use_noise_mask": "masks",
    "parseq_manifest": "Parseq",
    "hybrid_composite": "hybrid video",
    "hybrid_motion": "hybrid motion",
    "enable_perspective_flip": "perspective flip",
    "flip_2d_perspective": "perspective flip",
    "shake_name": "camera shake",
    "color_force_grayscale": "forced grey",
    "optical_flow_redo_generation": "optical flow redo",
    "enable_checkpoint_scheduling": "checkpoint schedule",
    "enable_subseed_scheduling": "subseed schedule",
    "enable_clipskip_scheduling": "CLIP skip schedule",
    "enable_scheduler_scheduling": "scheduler schedule",
    "tiling": "tiling",
    "restore_faces": "face restoring",
    "freeu_enabled": "FreeU",
    "kohya_hrfix_enabled": "Kohya HR fix",
    "frame_interpolation_engine": "frame interpolation",
    "r_upscale_video": "upscaling",
    "resume_from_timestring": "resuming by timestring",
    "motion_preview_mode": "motion preview",
    "prompt_authored_fps": "prompts authored at another frame rate",
}
"""What Deforum does when this setting is on, in words for a note."""

CAMERA = {
    "2D": {"angle": 0.0, "zoom": 1.0, "translation_x": 0.0, "translation_y": 0.0},
    "3D": {
        "translation_x": 0.0,
        "translation_y": 0.0,
        "translation_z": 0.0,
        "rotation_3d_x": 0.0,
        "rotation_3d_y": 0.0,
        "rotation_3d_z": 0.0,
        "fov_schedule": 70.0,
    },
}
"""The camera's schedules by animation mode, with the value at which the camera stands still."""

FRAME_LOOP = (
    "strength_schedule",
    "keyframe_strength_schedule",
    "noise_schedule",
    "contrast_schedule",
    "distilled_cfg_scale_schedule",
)
"""Schedules of Deforum's frame-by-frame redrawing; named in a note when they change over the film."""

MODES = {
    "interpolation": "prompts blended from key to key (each is held instead)",
    "video input": "drawing over a video",
}
"""Animation modes that Wan has no counterpart for, by lower-case name."""

SAMPLERS = {"unipc": "unipc", "uni_pc": "unipc", "uni-pc": "unipc", "euler": "euler", "flow euler": "euler"}
"""Samplers that Wan has, by lower-case name."""

SAMPLER_NUMBERS = {0: "Euler a", 1: "Euler"}
"""What the numbers meant that very old files hold; the WebUI's list began so."""
