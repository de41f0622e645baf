"""Fetches models from the Hugging Face hub: only when asked, by name, whole and checked."""
