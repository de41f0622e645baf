"""A model for pictures that knows where it lies, and the ways by which each WebUI moves it."""

import os

from modules.paths_internal import KIND


class Model:
    """Stands for the weights of an image model."""

    def __init__(self):
        self.device = "cuda"


class ModelData:
    """Holds the model; `sd_model` alone does not load one."""

    def __init__(self):
        self.sd_model = Model() if os.environ.get("STANDIN_MODEL", "1") == "1" else None


model_data = ModelData()


def send_model_to_cpu(model):
    """Move it out of the GPU; in the Forge family this does nothing."""
    if KIND == "a1111":
        model.device = "cpu"


def send_model_to_device(model):
    """Move it back."""
    if KIND == "a1111":
        model.device = "cuda"


def use():
    """The model for a picture, as txt2img needs it. A1111 does not move it back by itself; the others do."""
    if model_data.sd_model is None:
        model_data.sd_model = Model()
    if model_data.sd_model.device != "cuda":
        if KIND == "a1111":
            raise RuntimeError("Expected all tensors to be on the same device, but found cuda:0 and cpu")
        model_data.sd_model.device = "cuda"
    return model_data.sd_model
