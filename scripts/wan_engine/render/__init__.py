"""Renders one chain of clips: denoising, handing the last frame on, resuming and cancelling."""
