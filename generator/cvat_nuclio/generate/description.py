"""All that the templates say about one bundle."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..data import tables
from .annotations import annotations
from .bundle_options import AnswerOptions, BundleOptions, FunctionOptions, ImageOptions, ServiceOptions
from .forms import Form, Forms
from .parameters import Parameters
from .probe import Probe
from .requirements import Requirements
from .texts import joined
from .weights import Weights, seen, weights_in

_TITLES = {"torch": "PyTorch", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
#: Loading a function on one of these is likely to fetch weights.
_DOWNLOADERS = {"torch", "huggingface-hub", "transformers", "timm", "diffusers", "ultralytics", "open-clip-torch"}


@attrs.frozen(kw_only=True)
class Description:
    """One bundle, before it is written."""

    function: FunctionOptions
    image: ImageOptions
    answers: AnswerOptions
    service: ServiceOptions
    parameters: Parameters
    probe: Probe
    forms: Forms
    annotations: Mapping[str, Any]
    """CVAT's, with comments."""
    display_name: str
    text: str
    """`spec.description`."""
    added: Mapping[str, Path]
    """Files that --add brings, by their place in the bundle."""
    weights: Sequence[Weights]

    @property
    def kind(self) -> str:
        """CVAT's kind: detector, interactor, tracker or reid."""
        return self.probe.kind

    @property
    def in_memory(self) -> bool:
        """Whether a tracker's states stay in one process."""
        return self.kind == "tracker" and self.answers.state == "in-memory"

    @property
    def refused_state(self) -> str:
        """Why tracking will fail in the image, or an empty text."""
        states = self.probe.states
        return states.refused if states and not self.in_memory else ""

    def form(self, *, gpu: bool) -> Form:
        """What an image is built on; without a GPU form that is the CPU form."""
        return self.forms.gpu if gpu and self.forms.gpu else self.forms.cpu

    @property
    def requirements(self) -> Requirements:
        """The CPU form's."""
        return self.forms.cpu.pinned.requirements

    def requirements_files(self, *, gpu: bool) -> list[str]:
        """What pip reads in the image of a form: the requirements, then the constraints that they name, if any.

        The GPU form has files of its own where they differ.
        """
        cpu, pinned = self.forms.cpu.pinned, self.form(gpu=gpu).pinned
        own = "-gpu" if gpu and self.forms.gpu and (pinned != cpu or self.cpu_index_url) else ""
        names = [f"requirements{own}.txt"]
        if pinned.constraints:
            names.append(f"constraints{own if pinned.constraints != cpu.constraints else ''}.txt")
        return names

    @property
    def cpu_index_url(self) -> str:
        """Where the CPU image finds builds without CUDA, or an empty text."""
        options = self.image
        if not options.cpu_index or (options.cpu_index_url is None and not self._has_torch):
            return ""
        return options.cpu_index_url or tables.framework("torch")["cpu-index"]

    @property
    def _has_torch(self) -> bool:
        constraints = self.forms.cpu.pinned.constraints
        return "torch" in {*self.probe.frameworks, *self.requirements.names(), *constraints}

    @property
    def downloads(self) -> list[str]:
        """What building each form downloads, such as `0.4 GB`; nothing where no index told."""
        cpu, gpu = (form.pinned.download if form else None for form in (self.forms.cpu, self.forms.gpu))
        sizes = [cpu.without_cuda if self.cpu_index_url else cpu.whole] if cpu else []
        return [f"{size / 1e9:.1f} GB" for size in [*sizes, *([gpu.whole] if cpu and gpu else [])]]

    @property
    def framework_title(self) -> str:
        """The framework as people write it, or an empty text."""
        return _TITLES.get(self.forms.framework, "")

    @property
    def bake(self) -> bool:
        """Whether the function is loaded once while the image is built."""
        if self.image.bake is not None:
            return self.image.bake
        if self.service.volume:
            # What lies in a volume is not there while the image is built.
            return False
        return bool(_DOWNLOADERS & {*self.probe.loaded, *self.requirements.names()})

    @property
    def bake_files(self) -> list[str]:
        """What loading the function takes, as paths in the bundle."""
        if not self.bake:
            return []
        own = ["func.py"] if self.function.file else []
        runtime = ["aa_runtime/"] if self._imports_runtime else []
        return ["bake.py", *own, *(module.path for module in self.probe.local), *self.added, *runtime]

    @property
    def _imports_runtime(self) -> bool:
        file = self.function.file
        sources = [*([file] if file else []), *(module.file for module in self.probe.local)]
        return self.kind == "reid" or any(b"aa_runtime" in source.read_bytes() for source in sources)

    @property
    def runtime_options(self) -> dict[str, Any]:
        """`aa_runtime.Options` that concern this kind."""
        found: dict[str, Any] = {"name": self.function.name}
        if self.kind == "interactor":
            found["interactor_answer"] = self.answers.interactor_answer
        if self.kind == "tracker":
            found |= {"lost_shape": self.answers.lost_shape, "state": self.answers.state or "token"}
        return found


def describe(
    options: BundleOptions, parameters: Parameters, probe: Probe, forms: Forms, added: Mapping[str, Path]
) -> Description:
    """Puts it together. Raises UserError for a spec that CVAT would refuse."""
    function = options.function
    display_name = function.display_name.strip() or function.name.replace("-", " ").capitalize()
    framework = tables.framework(forms.framework)["metadata"] if forms.framework else ""
    return Description(
        function=function,
        image=options.image,
        answers=options.answers,
        service=options.service,
        parameters=parameters,
        probe=probe,
        forms=forms,
        annotations=annotations(function, probe, display_name, framework),
        display_name=display_name,
        text=function.description.strip() or _first_sentence(probe.doc) or f"{display_name}: {probe.kind} for CVAT",
        added=added,
        weights=[
            seen(one, added.get(one.file, function.nuclio / one.file)) for one in weights_in(options.image.weights)
        ],
    )


def _first_sentence(doc: str) -> str:
    paragraph = joined(doc.split("\n\n")[0])
    return paragraph if len(paragraph) <= 200 else paragraph[:199] + "…"
