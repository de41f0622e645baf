"""A stand-in for the package by which Forge and Forge Neo run models."""
