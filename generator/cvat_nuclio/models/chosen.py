"""What a model was taken for."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..errors import UserError
from . import hub
from .table import family


@attrs.frozen(kw_only=True)
class Chosen:
    """A ready function and what it gets."""

    module: str
    """Of `cvat_functions`, or cvat-sdk's own by its whole name."""
    parameters: Mapping[str, str]
    """`TYPE:VALUE` by name."""
    name: str
    """For people: `facebook/sam2.1-hiera-small`, `best.pt`."""
    licence: str
    """Of the weights, as far as it is known."""
    looked_at: str
    """What it was recognised by, for people."""
    architecture: str = ""
    """`model_type` of its config.json, where it has one."""
    what: str = ""
    """The task in words, where the table of families has none."""
    add: Sequence[str] = ()
    """Files that have to lie beside the weights."""
    bake: bool = False
    """Whether the image has to fetch the weights while it is built."""

    @property
    def function_module(self) -> str:
        """The module's whole name."""
        return self.module if "." in self.module else f"cvat_functions.{self.module}"

    @property
    def folder(self) -> str:
        """A bundle's folder, where none is named: `best.pt` → `best`, `facebook/sam2.1-hiera-small` →
        `sam2-1-hiera-small`."""
        plain = re.sub(r"\.(pt|pth|onnx|xml)$", "", self.name.rpartition("/")[2].removeprefix("torchvision's ").lower())
        return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "model"

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options of `generate`, those that the user gave first. Raises UserError where one that it needs is left
        out."""
        own = dict(item.partition("=")[::2] for item in given.get("function_parameters", ()))
        self._check(own)
        second = _pins_of_detector(own) if self.module == "transformers_pose" else {}
        parameters = {**self.parameters, **second, **own}
        if "revision" in own and "sha256" not in own:
            parameters.pop("sha256", None)  # the other revision's
        what = self.what or family(self.module)["what"]
        chosen = {
            "function_module": self.function_module,
            "function_parameters": [f"{name}={value}" for name, value in parameters.items()],
            "bake": self.bake or bool(second),
            "description": f"{what}: {self.name}. Licence of the weights: {self.licence}.",
        }
        add = [*self.add]
        if self.module == "ultralytics_yolo" and "labels" in own:
            # What the words come to: cvat_functions.ultralytics_words lays it beside the checkpoint.
            add.append(str(Path(self.parameters["model"].removeprefix("file:")).with_suffix(".words.npz")))
        if add:
            chosen["add"] = [*add, *given.get("add", ())]
        return {**chosen, **{key: value for key, value in given.items() if key not in ("function_parameters", "add")}}

    def _check(self, own: Mapping[str, str]) -> None:
        for module, name, example in (
            ("transformers_zero_shot", "labels", 'str:"helmet; person with a bag"'),
            ("transformers_sam3", "labels", 'str:"helmet; person with a bag"'),
            ("transformers_pose", "detector", "str:PekingU/rtdetr_r50vd_coco_o365"),
            ("rtmpose_onnx", "detector", "file:yolo11n.onnx"),
            ("mask_rcnn_openvino", "labels", "file:labels.txt (a name a line)"),
        ):
            if self.module == module and name not in own:
                raise UserError(f"{self.name} needs {name}", why=family(module)["what"], remedy=f"-p {name}={example}")


def _pins_of_detector(own: Mapping[str, str]) -> Mapping[str, str]:
    """The parameters that pin the second network as the first; none for a folder's. Raises UserError."""
    kind, _, source = own["detector"].partition(":")
    if kind != "str" or Path(source).is_dir():
        return {}
    revision = own.get("detector_revision", "str:main").partition(":")[2]
    return hub.look(source, revision).pins("detector_")
