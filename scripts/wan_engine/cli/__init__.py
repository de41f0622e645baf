"""The command line: reads arguments, calls the engine, shows what comes back. No film logic lives here."""
