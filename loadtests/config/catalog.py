"""A catalog: the TOML files of one folder as records, each file read once, when it is first asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from loadtests.config.contestants import Contestant, load_contestants
from loadtests.config.profiles import Claim, Profile, load_claims, load_profiles
from loadtests.config.scenarios import Scenario, load_scenarios


@dataclass(frozen=True)
class Catalog:
    """All records of a folder by name, in the order of its files. Raises CatalogError where a file is wrong."""

    folder: Path

    @cached_property
    def scenarios(self) -> Mapping[str, Scenario]:
        """What can be asked of a server."""
        return load_scenarios(self.folder)

    @cached_property
    def contestants(self) -> Mapping[str, Contestant]:
        """The servers that can be started."""
        return load_contestants(self.folder, self.scenarios)

    @cached_property
    def profiles(self) -> Mapping[str, Profile]:
        """How much can be measured."""
        return load_profiles(self.folder, self.contestants, self.scenarios)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """The pairs that are compared."""
        return load_claims(self.folder)
