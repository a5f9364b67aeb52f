"""Called by hatchling when it builds a wheel: makes the shell completions from the command line's definition."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHELLS = {  # shell -> the path of its completion below the prefix
    "bash": "share/bash-completion/completions/slabtui",
    "zsh": "share/zsh/site-functions/_slabtui",
    "fish": "share/fish/vendor_completions.d/slabtui.fish",
}


class Completions(BuildHookInterface[Any]):
    """Adds the completions to the data files of the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write each completion to a temporary file, and add it to the data files of the wheel."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from slabtui.cli import completion  # noqa: PLC0415  hatchling does not put the project on the path
        from slabtui.cli.parser import parser  # noqa: PLC0415

        self.made = tempfile.TemporaryDirectory()
        for shell, target in SHELLS.items():
            path = Path(self.made.name, shell)
            path.write_text(completion.script(parser(), shell), encoding="utf-8")
            path.chmod(0o644)
            build_data["shared_data"][str(path)] = target

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the files."""
        if version != "editable":
            self.made.cleanup()
