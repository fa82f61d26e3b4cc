"""Version: which one this is, as `pyproject.toml` has it."""

VERSION = "0.1.0"
