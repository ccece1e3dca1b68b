"""Follows masks, polygons and rectangles, by SAM 2 and 2.1, EdgeTAM or SAM 3's tracker of transformers.

A state holds what the network remembers of an object and no picture: the first frame's memory, those of the last six
frames, and sixteen pointers. It is a few arrays of fixed size, so that any worker can go on from it.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_sam_video \
        -p model=str:facebook/sam2.1-hiera-small
"""

import time
from typing import Any, Final

import attrs
import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import numpy.typing as npt
import PIL.Image
import torch
import torch.nn.functional
from cvat_sdk.masks import decode_mask, encode_mask
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    EdgeTamVideoInferenceSession,
    EdgeTamVideoModel,
    Sam2VideoInferenceSession,
    Sam2VideoModel,
    Sam3TrackerVideoInferenceSession,
    Sam3TrackerVideoModel,
)

from cvat_functions.hub import pretrained, verify
from cvat_functions.on_torch import device_of, report
from cvat_functions.shared import Bitmap, to_rgb

#: By `config.json`'s model_type: the network, and the session that it keeps its memories in.
NETWORKS: Final = {
    "sam2_video": (Sam2VideoModel, Sam2VideoInferenceSession),
    "sam2": (Sam2VideoModel, Sam2VideoInferenceSession),
    "edgetam_video": (EdgeTamVideoModel, EdgeTamVideoInferenceSession),
    "edgetam": (EdgeTamVideoModel, EdgeTamVideoInferenceSession),
    "sam3_tracker_video": (Sam3TrackerVideoModel, Sam3TrackerVideoInferenceSession),
    "sam3_video": (Sam3TrackerVideoModel, Sam3TrackerVideoInferenceSession),
}
#: SAM 2's labels of the two points that a box is.
CORNERS: Final = (2, 3)
#: Pieces of a mask this much smaller than its largest do not count for a rectangle.
SPECK: Final = 0.1


@attrs.frozen(eq=False)
class Seen:
    """A frame as the encoder leaves it: features and positions by level, finest first, and the frame's size."""

    features: list[torch.Tensor]
    positions: list[torch.Tensor]
    size: tuple[int, int]


@attrs.frozen(eq=False)
class Memory:
    """What SAM 2 keeps of a frame, (cells, channels), in a byte a value: `low + step * values`, by channel.

    SAM 2 itself keeps bfloat16, whose steps are of the same order, in twice the room.
    """

    values: npt.NDArray[np.uint8]
    low: npt.NDArray[np.float32]
    step: npt.NDArray[np.float32]

    @classmethod
    def of(cls, features: torch.Tensor) -> "Memory":
        array = features.reshape(-1, features.shape[-1]).float().cpu().numpy()
        low = array.min(0)
        step = np.maximum((array.max(0) - low) / 255, np.float32(1e-12))
        return cls(((array - low) / step).round().astype(np.uint8), low, step)

    def features(self, like: torch.Tensor) -> torch.Tensor:
        """In the shape of the positions that go with it, as the network has it."""
        array = self.low + self.step * self.values
        return torch.from_numpy(array).reshape(like.shape).to(like)


@attrs.define(eq=False)
class State:
    """What is known of one object after `frame` frames since the first; all of it travels."""

    kind: str
    size: tuple[int, int]
    frame: int
    first: Memory
    recent: dict[int, Memory]
    pointers: dict[int, npt.NDArray[np.float32]]
    """By frame; the first frame's is 0."""


class Tracker:
    """The tracker over one network and its preprocessing."""

    spec = cvataa.TrackingFunctionSpec(supported_shape_types=["mask", "polygon", "rectangle"])

    def __init__(self, model: Any, session: Any, processor: Any, device: torch.device) -> None:
        self._model, self._session_kind, self._processor = model.to(device).eval(), session, processor
        self._device, self._side = device, int(model.image_size)
        # The same for every memory, so that it need not travel: taken from the memory of a blank frame.
        self._memory_positions: torch.Tensor | None = None
        blank = self.preprocess_image(None, PIL.Image.new("RGB", (64, 64)))
        self._memory_positions = self._first(blank, "rectangle", [16.0, 16.0, 48.0, 48.0])["maskmem_pos_enc"]

    @torch.inference_mode()
    def preprocess_image(self, context: Any, image: PIL.Image.Image) -> Seen:
        """Encodes the frame, stretched to the network's square, once for all objects on it."""
        pixels = self._processor(images=to_rgb(image), return_tensors="pt")["pixel_values"].to(self._device)
        encoded = self._model.get_image_features(pixels, return_dict=True)
        return Seen(list(encoded.fpn_hidden_states), list(encoded.fpn_position_encoding), image.size)

    @torch.inference_mode()
    def init_tracking_state(
        self, context: cvataa.TrackingFunctionShapeContext, pp_image: Seen, shape: cvataa.TrackableShape
    ) -> State:
        """Remembers the object in the shape."""
        output = self._first(pp_image, shape.type, shape.points)
        memory, pointer = Memory.of(output["maskmem_features"]), _pointer(output)
        return State(shape.type, pp_image.size, 0, memory, {}, {0: pointer})

    def _first(self, seen: Seen, kind: str, points: list[float]) -> dict[str, torch.Tensor]:
        session = self._session(seen, 0)
        if kind == "rectangle":
            corners = np.sort(np.reshape(points, (2, 2)), axis=0) * np.divide(self._side, seen.size)
            coordinates = torch.as_tensor(corners, dtype=torch.float32).reshape(1, 1, 2, 2)
            labels = torch.tensor(CORNERS, dtype=torch.int32).reshape(1, 1, 2)
            session.add_point_inputs(0, 0, {"point_coords": coordinates, "point_labels": labels})
        else:
            session.add_mask_inputs(0, 0, self._squared(bitmap_of(kind, points, seen.size)))
        session.obj_with_new_inputs.append(0)
        self._model(inference_session=session, frame_idx=0)
        found: dict[str, torch.Tensor] = session.output_dict_per_obj[0]["cond_frame_outputs"][0]
        return found

    @torch.inference_mode()
    def track(
        self, context: cvataa.TrackingFunctionShapeContext, pp_image: Seen, state: State
    ) -> cvataa.TrackableShape | None:
        """The object on the next frame, or None where SAM 2 sees it hidden or gone; it may come back later."""
        frame = state.frame + 1
        session = self._session(pp_image, frame)
        self._recall(session, state)
        answer = self._model(inference_session=session, frame_idx=frame)
        self._remember(session.output_dict_per_obj[0]["non_cond_frame_outputs"][frame], state, frame)
        if float(answer.object_score_logits.reshape(-1)[0]) <= 0:
            return None
        width, height = pp_image.size
        logits = answer.pred_masks.reshape(1, 1, *answer.pred_masks.shape[-2:]).float()
        bitmap = torch.nn.functional.interpolate(logits, (height, width), mode="bilinear")[0, 0] > 0
        return shape_of(np.asarray(bitmap.cpu()), state.kind)

    def _session(self, seen: Seen, frame: int) -> Any:
        """A session of one object whose only known frame is this one."""
        session = self._session_kind(
            video_height=seen.size[1],
            video_width=seen.size[0],
            inference_device=self._device,
            inference_state_device=self._device,
            video_storage_device=self._device,
            dtype=torch.float32,
        )
        # As many frames as there were, so that SAM 2 counts back to all of its pointers; none is looked at.
        session.processed_frames = dict.fromkeys(range(frame + 1))
        session.cache.cache_vision_features(frame, {"vision_feats": seen.features, "vision_pos_embeds": seen.positions})
        session.obj_id_to_idx(0)
        return session

    def _recall(self, session: Any, state: State) -> None:
        outputs = session.output_dict_per_obj[0]
        for frame, pointer in state.pointers.items():
            memory = state.first if frame == 0 else state.recent.get(frame)
            recalled = {"object_pointer": torch.from_numpy(pointer.copy()).to(self._device)}
            if memory is not None:
                recalled["maskmem_features"] = memory.features(self._memory_positions)
                recalled["maskmem_pos_enc"] = self._memory_positions
            outputs["cond_frame_outputs" if frame == 0 else "non_cond_frame_outputs"][frame] = recalled

    def _remember(self, output: dict[str, torch.Tensor], state: State, frame: int) -> None:
        config = self._model.config
        state.frame = frame
        state.recent[frame] = Memory.of(output["maskmem_features"])
        state.pointers[frame] = _pointer(output)
        # The first frame is always among the memories and the pointers.
        for kept, most in (
            (state.recent, config.num_maskmem - 1),
            (state.pointers, config.max_object_pointers_in_encoder - 1),
        ):
            for old in [number for number in kept if 0 < number <= frame - most]:
                del kept[old]

    def _squared(self, bitmap: Bitmap) -> torch.Tensor:
        mask = torch.from_numpy(bitmap.astype(np.float32))[None, None]
        square = torch.nn.functional.interpolate(mask, (self._side, self._side), mode="bilinear", antialias=True)
        return (square >= 0.5).float()


def _pointer(output: dict[str, torch.Tensor]) -> npt.NDArray[np.float32]:
    return np.asarray(output["object_pointer"].float().cpu())


def bitmap_of(kind: str, points: list[float], size: tuple[int, int]) -> Bitmap:
    """The pixels of a mask or a polygon in a frame of `size`."""
    width, height = size
    if kind == "mask":
        return np.asarray(decode_mask(points, image_width=width, image_height=height))
    canvas = np.zeros((height, width), np.uint8)
    cv2.fillPoly(canvas, [np.reshape(points, (-1, 2)).round().astype(np.int32)], 1)
    return canvas > 0


def shape_of(bitmap: Bitmap, kind: str) -> cvataa.TrackableShape | None:
    """The mask itself, the outline of its largest piece, or the rectangle around it without its specks; None for an
    empty one."""
    if not bitmap.any():
        return None
    if kind == "mask":
        return cvataa.TrackableShape(type="mask", points=encode_mask(bitmap))
    found = cv2.findContours(bitmap.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_KCOS)[0]
    if kind == "polygon":
        ring = max(found, key=cv2.contourArea)
        return cvataa.TrackableShape(type=kind, points=[float(v) for v in ring.ravel()]) if len(ring) >= 3 else None
    _, _, pieces, _ = cv2.connectedComponentsWithStats(bitmap.astype(np.uint8))
    pieces = pieces[1:]
    pieces = pieces[pieces[:, cv2.CC_STAT_AREA] >= SPECK * pieces[:, cv2.CC_STAT_AREA].max()]
    left, top = pieces[:, cv2.CC_STAT_LEFT], pieces[:, cv2.CC_STAT_TOP]
    right, bottom = left + pieces[:, cv2.CC_STAT_WIDTH], top + pieces[:, cv2.CC_STAT_HEIGHT]
    points = [float(value) for value in (left.min(), top.min(), right.max(), bottom.max())]
    return cvataa.TrackableShape(type="rectangle", points=points)


def create(
    model: str, revision: str | None = None, sha256: str | None = None, device: str | None = None
) -> Tracker:  # fmt: skip
    """The tracker with the weights of `model`; on CUDA where torch sees it, unless `device` says otherwise.

    ValueError for a network that is none of `NETWORKS`.
    """
    started, place = time.monotonic(), device_of(device)
    verify(model, sha256, revision)
    kind = pretrained(AutoConfig, model, revision).model_type
    if kind not in NETWORKS:
        raise ValueError(f"{model} is a {kind}, which follows nothing: {', '.join(NETWORKS)}")
    network, session = NETWORKS[kind]
    loaded = pretrained(network, model, revision, dtype=torch.float32)
    function = Tracker(loaded, session, pretrained(AutoImageProcessor, model, revision), place)
    report(f"{model}: {network.__name__}", place, started)
    return function
