"""`generate --labels-from-project`: a project's label names are what the function looks for."""

from typing import Any

FUNCTION = """
import cvat_sdk.auto_annotation as cvataa


class Finder:
    def __init__(self, labels):
        names = labels.split("; ")
        found = [cvataa.label_spec(name, number) for number, name in enumerate(names)]
        self.spec = cvataa.DetectionFunctionSpec(labels=found)

    def detect(self, context, image):
        return []


def create(labels: str) -> Finder:
    return Finder(labels)
"""


def test_the_names_become_the_parameter_and_the_spec(workshop: Any, standin_place: Any) -> None:
    points = [{"name": "nose", "type": "points"}]
    labels = [
        {"name": "helmet"},
        {"name": "person with a bag"},
        {"name": "pose", "type": "skeleton", "sublabels": points},
    ]
    project = standin_place.connection.client.projects.create({"name": "p", "labels": labels})
    (workshop.folder / "func.py").write_text(FUNCTION)
    words = ["--labels-from-project", project.id, *standin_place.words]
    run = workshop.run("func.py", "--output", "out", *words)
    assert run.status == 0, run.err
    options = (workshop.folder / "out/cvat-nuclio.yaml").read_text()
    assert "labels: str:helmet; person with a bag; pose\n" in options
    assert "secret" not in options
    assert "person with a bag" in (workshop.folder / "out/nuclio/function.yaml").read_text()


def test_a_project_without_labels_and_one_that_is_not_there(workshop: Any, standin_place: Any) -> None:
    project = standin_place.connection.client.projects.create({"name": "p", "labels": []})
    (workshop.folder / "func.py").write_text(FUNCTION)
    run = workshop.run("func.py", "--labels-from-project", project.id, *standin_place.words)
    assert run.status == 2
    assert "has no labels" in run.err
    odd = standin_place.connection.client.projects.create({"name": "q", "labels": [{"name": "a;b"}]})
    run = workshop.run("func.py", "--labels-from-project", odd.id, *standin_place.words)
    assert "has a semicolon" in run.err
