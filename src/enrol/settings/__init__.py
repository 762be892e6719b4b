"""Settings: one TOML file, overrides from ``ENROL_…`` variables, checked whole at start."""

from enrol.settings.load import load_settings
from enrol.settings.secret import read_secret
from enrol.settings.settings import Settings

__all__ = ["Settings", "load_settings", "read_secret"]
