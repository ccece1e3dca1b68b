"""What the user asked `deploy` for."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from ..errors import UserError
from ..limits import NAMESPACE
from .build_arguments import BuildArguments


@attrs.frozen(kw_only=True)
class DeployOptions:
    """One run of `deploy`. CVAT lists only the functions of project cvat in namespace nuclio (nuctl's default)."""

    bundles: Sequence[Path]
    gpu: bool = False
    platform: str = "local"
    registry: str | None = None
    run_registry: str | None = None
    namespace: str | None = None
    project: str = "cvat"
    prebuilt: bool = False
    offline: bool = False
    parallel: int = 1
    force: bool = False
    keep_serving: bool = False
    """Put the last good version back after a failed update."""
    goes_back: bool = False
    """Deploy versions that ran before."""
    dry_run: bool = False
    verbose: bool = False
    state_key_env: str = "AA_STATE_KEY"
    """The variable of this process's environment that holds trackers' key, if it is not the kept one."""
    log_folder: Path | None = None
    """None: the user's own state folder."""
    dashboard: str | None = None
    """Where Nuclio's dashboard listens as seen from here; None: kubectl makes a way to it."""
    env: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Set over those of the function's file."""
    build: BuildArguments = attrs.field(factory=BuildArguments)
    limit: float = 3600.0
    """Seconds for one nuctl deploy, the build included: nuctl itself waits without any."""

    @property
    def of_rollback(self) -> "DeployOptions":
        """The same for a version that ran before: its image is where the functions' host gets it from."""
        return attrs.evolve(
            self, goes_back=True, prebuilt=True, registry=None, run_registry=None, keep_serving=False, env={},
            build=BuildArguments(),
        )  # fmt: skip

    def rollback_of(self, name: str) -> str:
        """The command that puts the function's last good version back."""
        words = ["cvat-nuclio", "deploy", "--rollback", name]
        words += ["--platform", self.platform] if self.platform != "local" else []
        words += ["--namespace", self.namespace] if self.namespace not in (None, NAMESPACE) else []
        words += ["--dashboard", self.dashboard] if self.dashboard else []
        return shlex.join(words)

    @property
    def file_name(self) -> str:
        """Which of a bundle's files is deployed."""
        if self.prebuilt:
            return "function-prebuilt-gpu.yaml" if self.gpu else "function-prebuilt.yaml"
        return "function-gpu.yaml" if self.gpu else "function.yaml"

    def file_of(self, bundle: Path) -> Path:
        """The file to deploy of this bundle (its folder, or the folder above `nuclio/`).

        Raises UserError where the bundle has none of that kind.
        """
        folder = bundle / "nuclio" if (bundle / "nuclio").is_dir() else bundle
        file = folder / self.file_name
        if not file.is_file():
            remedy = {
                "function-gpu.yaml": "the function's framework may have no GPU form: deploy without --gpu",
                "function.yaml": "name a folder that `cvat-nuclio generate` wrote",
            }.get(self.file_name, "generate the bundle with --prebuilt IMAGE")
            raise UserError(f"{folder} holds no {self.file_name}", remedy=remedy)
        return file.resolve()
