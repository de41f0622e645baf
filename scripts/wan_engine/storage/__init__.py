"""Where everything the engine writes lies, and how it gets there whole: places, names, atomic files, hashes."""
