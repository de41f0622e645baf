"""Turns the tensor names of every published layout into those of diffusers and transformers, one file a layout."""
