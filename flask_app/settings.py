"""The settings that the app was made with."""

from flask import current_app

from shared.ops.settings import Settings


def current_settings() -> Settings:
    """Those of the app that handles this request."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings
