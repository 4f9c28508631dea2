"""Tunings: what SHOP_TUNINGS asks for is done where a server loads the app."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from loadtests.machine.services import Services
from tests.support.shop import JWT_SECRET

LOADED = "import gc, flask_app.main; print(gc.get_freeze_count())"


@pytest.mark.parametrize(("tunings", "frozen"), [("", False), ("frozen", True)])
def test_what_lives_as_long_as_flask_is_frozen_if_that_is_asked_for(
    running_services: Services, new_database: Callable[[], str], tunings: str, frozen: bool
) -> None:
    environment = os.environ | {
        "DATABASE_URL": new_database(),
        "REDIS_URL": running_services.redis_url,
        "JWT_SECRET": JWT_SECRET,
        "SHOP_TUNINGS": tunings,
    }
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED], env=environment, capture_output=True, text=True, check=True
    )
    assert (int(loaded.stdout) > 10_000) is frozen
