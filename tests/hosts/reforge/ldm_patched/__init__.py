"""A stand-in for the package by which reForge runs models."""
