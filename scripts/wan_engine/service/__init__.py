"""The engine as a service: jobs in a database, worker processes that render them, an API in front."""
