"""`--env`: what a worker's variables say counts when the function is loaded to be described."""

from typing import Any

FUNCTION = """
import cvat_sdk.auto_annotation as cvataa
from cvat_functions.shared import phrases


class Finder:
    def __init__(self, labels):
        found = [cvataa.label_spec(name, number) for number, name in enumerate(phrases(labels))]
        self.spec = cvataa.DetectionFunctionSpec(labels=found)

    def detect(self, context, image):
        return []


def create(labels: str) -> Finder:
    return Finder(labels)
"""


def test_another_vocabulary_changes_what_cvat_reads_and_nothing_that_is_in_the_image(workshop: Any) -> None:
    (workshop.folder / "func.py").write_text(FUNCTION)
    words = ["func.py", "--output", "out", "-p", "labels=str:helmet; bag", "--prebuilt", "registry/finder:1"]
    assert workshop.run(*words).status == 0
    bundle = workshop.folder / "out/nuclio"
    before = {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    run = workshop.run("out", "--env", "AA_LABELS=cat; red dog")
    assert run.status == 0, run.err
    changed = {path.name for path, text in before.items() if path.read_bytes() != text}
    assert changed == {"function.yaml", "function-prebuilt.yaml", "README.md", "test_function.py"}
    text = (bundle / "function-prebuilt.yaml").read_text()
    assert "red dog" in text.partition("spec:")[2]
    assert "AA_LABELS" in text
    assert "helmet" not in text
    # What the families share needs no framework.
    assert "torch" not in (bundle / "requirements.txt").read_text()
    assert not (bundle / "function-gpu.yaml").exists()
