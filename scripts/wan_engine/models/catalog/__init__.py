"""Finds the models that are on disk without loading them, and puts single files together to what a film needs."""
