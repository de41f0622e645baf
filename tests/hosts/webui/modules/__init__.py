"""A stand-in for the package that A1111 and its descendants offer to extensions: what the extension uses, no more."""
