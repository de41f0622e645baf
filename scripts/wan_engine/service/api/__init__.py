"""The engine's HTTP API: routes under /wan/v1, on loopback, with a token; errors are problem documents."""
