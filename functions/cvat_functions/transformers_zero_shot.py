"""Objects that words name, with boxes: Grounding DINO, MM Grounding DINO, OWL-ViT, OWLv2, OmDet-Turbo of transformers.

The labels are the vocabulary: `-p labels=str:"helmet; person with a bag"`.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_zero_shot \
        -p model=str:IDEA-Research/grounding-dino-tiny -p labels=str:"helmet; person with a bag"
"""

from typing import Any

import cvat_sdk.auto_annotation as cvataa
import PIL.Image
import torch
from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

from cvat_functions.hub import Loaded, load
from cvat_functions.shared import phrases, spec_of, to_rgb


class Finder:
    """The detector over one network, its preprocessing and a vocabulary."""

    def __init__(self, loaded: Loaded, words: list[str], confidence: float) -> None:
        self._loaded, self._words, self._confidence = loaded, words, confidence
        self.spec = spec_of(words, "rectangle")
        self._grounded = "grounding-dino" in loaded.network.config.model_type
        self._spans = self._tokens_of_words() if self._grounded else None

    @torch.inference_mode()
    def detect(self, context: cvataa.DetectionFunctionContext, image: PIL.Image.Image) -> list[Any]:
        """Boxes at least as sure as the context's threshold, else as `confidence`."""
        threshold = self._confidence if context.conf_threshold is None else context.conf_threshold
        text = self._sentence() if self._grounded else [self._words]
        answer = self._loaded.network(**self._loaded.inputs(images=to_rgb(image), text=text))
        size = (image.height, image.width)
        if self._grounded:
            found = self._by_tokens(answer, threshold, size)
        else:
            found = self._loaded.processor.post_process_grounded_object_detection(
                answer, text_labels=[self._words], threshold=threshold, target_sizes=[size]
            )[0]
        numbers = found["labels"] if "labels" in found else [self._words.index(word) for word in found["text_labels"]]
        return [
            cvataa.rectangle(int(number), box.tolist())
            for number, box in zip(numbers, found["boxes"].float().cpu(), strict=True)
        ]

    def _sentence(self) -> str:
        """All phrases as one text, which Grounding DINO was trained on: small letters, a full stop after each."""
        return " ".join(f"{word.lower().rstrip('.')}." for word in self._words)

    def _tokens_of_words(self) -> list[list[int]]:
        """The places of each phrase's tokens: those between full stops. ValueError for more than the network reads."""
        tokenizer, longest = self._loaded.processor.tokenizer, self._loaded.network.config.max_text_len
        ids, stop = tokenizer(self._sentence())["input_ids"], tokenizer.convert_tokens_to_ids(".")
        special, spans = set(tokenizer.all_special_ids), list[list[int]]([[]])
        for place, token in enumerate(ids):
            if token == stop:
                spans.append([])
            elif token not in special:
                spans[-1].append(place)
        whole = len(spans) == len(self._words) + 1 and all(spans[:-1])
        if len(ids) > longest or not whole:
            raise ValueError(
                f"the vocabulary has {len(ids)} tokens, the network reads {longest}, and every phrase needs one: "
                "fewer or shorter phrases, none with a full stop inside"
            )
        return spans[:-1]

    def _by_tokens(self, answer: Any, threshold: float, size: tuple[int, int]) -> dict[str, torch.Tensor]:
        """Each box with the phrase that it is surest of: a phrase counts as its surest token."""
        sure = answer.logits[0].sigmoid()
        by_word = torch.stack([sure[:, span].max(-1).values for span in self._spans or ()], -1)
        score, number = by_word.max(-1)
        kept = score > threshold
        x, y, width, height = answer.pred_boxes[0][kept].unbind(-1)
        corners = torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], -1)
        return {"labels": number[kept], "boxes": corners * torch.tensor([*size[::-1]] * 2).to(corners)}


def create(
    model: str, labels: str, revision: str | None = None, sha256: str | None = None, confidence: float = 0.3,
    device: str | None = None,
) -> Finder:  # fmt: skip
    """The detector of the phrases in `labels`, which semicolons part, with the weights of `model`.

    On CUDA where torch sees it, unless `device` says otherwise.
    """
    loaded = load(AutoModelForZeroShotObjectDetection, AutoProcessor, model, revision, sha256, device)
    return Finder(loaded, phrases(labels), confidence)
