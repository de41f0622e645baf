"""A stand-in for what this WebUI adds to A1111."""
