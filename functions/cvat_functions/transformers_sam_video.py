"""Follows masks, polygons and rectangles, by SAM 2 and 2.1, EdgeTAM or SAM 3's tracker of transformers.

A state holds what the network remembers of an object and no picture: the first frame's memory, those of the last six
frames, and sixteen pointers. It is a few arrays of fixed size, so that any worker can go on from it.

    cvat-cli function create-native NAME --function-module cvat_functions.transformers_sam_video \
        -p model=str:facebook/sam2.1-hiera-small
"""

from typing import Any, Final

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import torch
import torch.nn.functional
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

from cvat_functions.hub import Loaded, load, pretrained
from cvat_functions.shared import Bitmap, to_rgb
from cvat_functions.tracked_shapes import bitmap_of, shape_of
from cvat_functions.video_memory import Output, State

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


@attrs.frozen(eq=False)
class Seen:
    """A frame as the encoder leaves it: features and positions by level, finest first, and the frame's size."""

    features: list[torch.Tensor]
    positions: list[torch.Tensor]
    size: tuple[int, int]


class Tracker:
    """The tracker over one network and its preprocessing."""

    spec = cvataa.TrackingFunctionSpec(supported_shape_types=["mask", "polygon", "rectangle"])

    def __init__(self, loaded: Loaded, session: Any) -> None:
        self._model, self._processor, self._device = loaded.network, loaded.processor, loaded.device
        self._session_kind, self._side = session, int(loaded.network.image_size)
        # The same for every memory, so that it need not travel: taken from the memory of a blank frame.
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
        return State.of(shape.type, pp_image.size, self._first(pp_image, shape.type, shape.points))

    def _first(self, seen: Seen, kind: str, points: list[float]) -> Output:
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
        found: Output = session.output_dict_per_obj[0]["cond_frame_outputs"][0]
        return found

    @torch.inference_mode()
    def track(
        self, context: cvataa.TrackingFunctionShapeContext, pp_image: Seen, state: State
    ) -> cvataa.TrackableShape | None:
        """The object on the next frame, or None where SAM 2 sees it hidden or gone; it may come back later."""
        frame = state.frame + 1
        session = self._session(pp_image, frame)
        outputs = session.output_dict_per_obj[0]
        state.recall(outputs, self._memory_positions)
        answer = self._model(inference_session=session, frame_idx=frame)
        config = self._model.config
        new = outputs["non_cond_frame_outputs"][frame]
        state.remember(new, frame, config.num_maskmem, config.max_object_pointers_in_encoder)
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

    def _squared(self, bitmap: Bitmap) -> torch.Tensor:
        mask = torch.from_numpy(bitmap.astype(np.float32))[None, None]
        square = torch.nn.functional.interpolate(mask, (self._side, self._side), mode="bilinear", antialias=True)
        return (square >= 0.5).float()


def create(
    model: str, revision: str | None = None, sha256: str | None = None, device: str | None = None
) -> Tracker:  # fmt: skip
    """The tracker with the weights of `model`; on CUDA where torch sees it, unless `device` says otherwise.

    ValueError for a network that is none of `NETWORKS`.
    """
    kind = pretrained(AutoConfig, model, revision).model_type
    if kind not in NETWORKS:
        raise ValueError(f"{model} is a {kind}, which follows nothing: {', '.join(NETWORKS)}")
    network, session = NETWORKS[kind]
    return Tracker(load(network, AutoImageProcessor, model, revision, sha256, device), session)
