"""LoRAs: every layout found in the wild becomes one form, is checked against a model, and is applied to it."""
