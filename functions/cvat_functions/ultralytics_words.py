"""Words for the networks of Ultralytics that find what words name: World and YOLOE.

CLIP or MobileCLIP turns words into embeddings, once, where the function is first loaded: `generate` does so, and what
comes of it lies beside the checkpoint, so that an image needs neither of them, and no network.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ultralytics import YOLO
from ultralytics.nn.tasks import WorldModel, YOLOEModel

from cvat_functions.shared import Floats, kept


def teach(network: Any, file: Path, words: list[str] | None) -> None:
    """Makes the words the classes of a network that was loaded from `file`.

    ValueError where it takes none, and where it needs some; RuntimeError where nothing here can read words.
    """
    inner = network.model
    if words is None:
        if isinstance(inner, YOLOEModel) and not (hasattr(inner, "pe") or _has_classes(inner.model[-1])):
            raise ValueError(f'{file} finds what words name: -p labels=str:"helmet; person with a bag"')
        return
    if not isinstance(inner, (WorldModel, YOLOEModel)) or _has_classes(inner.model[-1]):
        raise ValueError(f"{file} finds its own classes, not what words name: leave labels out")
    embeddings = torch.from_numpy(kept(kept_beside(file), _key(file, words), lambda: _read(file, words)))
    if isinstance(inner, YOLOEModel):
        inner.set_classes(words, embeddings)
    else:
        inner.txt_feats, inner.model[-1].nc, inner.names = embeddings, len(words), dict(enumerate(words))


def kept_beside(file: Path) -> Path:
    """Where the embeddings are: `best.pt` has them in `best.words.npz`."""
    return file.with_suffix(".words.npz")


def _has_classes(head: Any) -> bool:
    """Whether a head's words are part of its weights: prompt-free networks and fine-tuned ones."""
    return hasattr(head, "lrpc") or bool(getattr(head, "is_fused", False))


def _key(file: Path, words: list[str]) -> str:
    with file.open("rb") as stream:
        return "; ".join([hashlib.file_digest(stream, "sha256").hexdigest(), *words])


def _read(file: Path, words: list[str]) -> Floats:
    """The embeddings (1, words, width), by Ultralytics' own code in a process of its own: what reads words is then no
    part of the function, and of no image."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "embeddings.npy")
        # Ultralytics would install the package that it lacks by itself.
        done = subprocess.run(
            [sys.executable, __file__, str(file), str(answer), *words], capture_output=True, text=True, check=False,
            env={**os.environ, "YOLO_AUTOINSTALL": "false"},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(
                f"no embeddings of {'; '.join(words)!r} lie beside {file}, and nothing here can make them "
                f"({(done.stderr.strip() or 'no output').splitlines()[-1]}). Where `cvat-nuclio generate` runs: pip "
                "install git+https://github.com/ultralytics/CLIP.git, and once a network, for CLIP's weights. An image "
                "knows the words alone that it was generated with: cvat-nuclio generate DIR -p labels=..."
            )
        return np.asarray(np.load(answer, allow_pickle=False), np.float32)


if __name__ == "__main__":
    with torch.inference_mode():
        np.save(sys.argv[2], YOLO(sys.argv[1]).model.get_text_pe(sys.argv[3:]).float().cpu().numpy())
