"""`FunctionYaml` by the names that `serve` still uses."""

from pathlib import Path

from .nuclio.function_yaml import CONFIG, FunctionYaml

__all__ = ["CONFIG", "Bundle"]


class Bundle(FunctionYaml):
    """What a deployed bundle is to Nuclio and CVAT."""

    @property
    def config_file(self) -> Path:
        """`file`."""
        return self.file

    @property
    def num_workers(self) -> int:
        """Worker processes of the http trigger."""
        return self.trigger.num_workers
