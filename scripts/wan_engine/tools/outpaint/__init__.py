"""Makes films larger, or parts of them anew: known pixels stay, a VACE model paints the rest, chunk after chunk."""
