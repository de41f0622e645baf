"""reForge's ways to free the GPU; models come back when they are needed."""

from modules import sd_models


def unload_all_models():
    """Take every model out of the GPU."""
    if sd_models.model_data.sd_model is not None:
        sd_models.model_data.sd_model.device = "cpu"


def soft_empty_cache(force=False):
    """Give the freed memory back to the system."""
