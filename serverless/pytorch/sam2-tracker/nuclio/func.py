"""Segment Anything 2 (SAM 2) as a tracker of masks and rectangles.

Any SAM 2 or 2.1 in the form of the Hugging Face hub: `facebook/sam2.1-hiera-tiny`, its larger sisters, or a folder
with `config.json` and `model.safetensors`. A state holds what SAM 2 remembers of an object and no picture: the first
frame's memory, those of the last six frames, and sixteen pointers. It is a few arrays of fixed size, so that any
worker can go on from it.

    cvat-cli function create-native NAME --function-file func.py -p model=str:facebook/sam2.1-hiera-tiny
"""

import os
import sys
import time
from pathlib import Path
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
from transformers import Sam2VideoInferenceSession, Sam2VideoModel

Bitmap = npt.NDArray[np.bool_]

#: ImageNet's, for values between 0 and 1.
MEAN: Final = (0.485, 0.456, 0.406)
DEVIATION: Final = (0.229, 0.224, 0.225)
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
        array = features[:, 0].float().cpu().numpy()
        low = array.min(0)
        step = np.maximum((array.max(0) - low) / 255, np.float32(1e-12))
        return cls(((array - low) / step).round().astype(np.uint8), low, step)

    def features(self, device: torch.device) -> torch.Tensor:
        """(cells, 1, channels) as SAM 2 has it."""
        array = self.low + self.step * self.values
        return torch.from_numpy(array)[:, None].to(device, torch.bfloat16)


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


class Sam2Tracker:
    """The tracker over one model."""

    spec = cvataa.TrackingFunctionSpec(supported_shape_types=["mask", "rectangle"])

    def __init__(self, model: Sam2VideoModel, device: torch.device) -> None:
        self._model = model.to(device).eval()
        self._device = device
        self._side = int(model.image_size)
        rows, columns = model.backbone_feature_sizes[-1]
        shape = torch.Size((1, model.mem_dim, rows, columns))
        encoded = model.memory_encoder.position_encoding(shape, device, torch.float32)
        # The same for every memory: it need not travel.
        self._memory_positions = encoded.flatten(2).permute(2, 0, 1)

    @torch.inference_mode()
    def preprocess_image(self, context: cvataa.TrackingFunctionContext, image: PIL.Image.Image) -> Seen:
        """Encodes the frame, stretched to the network's square, once for all objects on it."""
        square = to_rgb(image).resize((self._side, self._side), PIL.Image.Resampling.BILINEAR)
        pixels = (np.asarray(square, np.float32) / 255 - MEAN) / DEVIATION
        batch = torch.from_numpy(pixels).to(self._device, torch.float32).permute(2, 0, 1)[None]
        encoded = self._model.get_image_features(batch, return_dict=True)
        return Seen(list(encoded.fpn_hidden_states), list(encoded.fpn_position_encoding), image.size)

    @torch.inference_mode()
    def init_tracking_state(
        self, context: cvataa.TrackingFunctionShapeContext, pp_image: Seen, shape: cvataa.TrackableShape
    ) -> State:
        """Remembers the object in the shape."""
        session = self._session(pp_image, 0)
        if shape.type == "mask":
            width, height = pp_image.size
            bitmap = decode_mask(shape.points, image_width=width, image_height=height)
            session.add_mask_inputs(0, 0, self._squared(bitmap))
        else:
            corners = np.sort(np.reshape(shape.points, (2, 2)), axis=0) * np.divide(self._side, pp_image.size)
            coordinates = torch.as_tensor(corners, dtype=torch.float32).reshape(1, 1, 2, 2)
            labels = torch.tensor(CORNERS, dtype=torch.int32).reshape(1, 1, 2)
            session.add_point_inputs(0, 0, {"point_coords": coordinates, "point_labels": labels})
        session.obj_with_new_inputs.append(0)
        self._model(inference_session=session, frame_idx=0)
        output = session.output_dict_per_obj[0]["cond_frame_outputs"][0]
        memory, pointer = Memory.of(output["maskmem_features"]), _pointer(output)
        return State(shape.type, pp_image.size, 0, memory, {}, {0: pointer})

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

    def _session(self, seen: Seen, frame: int) -> Sam2VideoInferenceSession:
        """A session of one object whose only known frame is this one."""
        session = Sam2VideoInferenceSession(
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

    def _recall(self, session: Sam2VideoInferenceSession, state: State) -> None:
        outputs = session.output_dict_per_obj[0]
        for frame, pointer in state.pointers.items():
            memory = state.first if frame == 0 else state.recent.get(frame)
            recalled = {"object_pointer": torch.from_numpy(pointer.copy()).to(self._device)}
            if memory is not None:
                recalled["maskmem_features"] = memory.features(self._device)
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


def shape_of(bitmap: Bitmap, kind: str) -> cvataa.TrackableShape | None:
    """The mask itself, or the rectangle around it without its specks; None for an empty one."""
    if not bitmap.any():
        return None
    if kind == "mask":
        return cvataa.TrackableShape(type="mask", points=encode_mask(bitmap))
    _, _, pieces, _ = cv2.connectedComponentsWithStats(bitmap.astype(np.uint8))
    pieces = pieces[1:]
    pieces = pieces[pieces[:, cv2.CC_STAT_AREA] >= SPECK * pieces[:, cv2.CC_STAT_AREA].max()]
    left, top = pieces[:, cv2.CC_STAT_LEFT], pieces[:, cv2.CC_STAT_TOP]
    right, bottom = left + pieces[:, cv2.CC_STAT_WIDTH], top + pieces[:, cv2.CC_STAT_HEIGHT]
    points = [float(value) for value in (left.min(), top.min(), right.max(), bottom.max())]
    return cvataa.TrackableShape(type="rectangle", points=points)


# As in other functions' files, too: cvat-cli loads one file, which has no neighbours to import.
def to_rgb(image: PIL.Image.Image) -> PIL.Image.Image:
    """Three bytes a pixel from any mode; sixteen bits are scaled, which Pillow's `convert` would cut off."""
    if image.mode == "F" or image.mode.startswith("I"):
        grey = np.asarray(image, np.float32)
        image = PIL.Image.fromarray((grey / (257 if grey.max() > 255 else 1)).clip(0, 255).astype(np.uint8))
    return image.convert("RGB")


def load_model(kind: Any, model: str) -> Any:
    """`kind` with the weights of a folder beside this module, or else of a folder or a model of the hub."""
    beside = Path(__file__).resolve().parent / model
    source = str(beside) if (beside / "config.json").is_file() else model
    try:
        return kind.from_pretrained(source, dtype=torch.float32)
    except OSError as fault:
        cache = os.environ.get("HF_HOME", "~/.cache/huggingface")
        raise FileNotFoundError(
            f"no model {model!r} beside the function, in the working directory or in the cache of the Hugging Face hub "
            f"({cache}): let the image fetch it while it is built (generate --bake), lay its folder with config.json "
            "and model.safetensors beside the function, or name another with -p model=str:FOLDER"
        ) from fault


def describe(device: torch.device) -> str:
    """The device, for the log."""
    if device.type != "cuda":
        return f"cpu, {torch.get_num_threads()} threads"
    free, total = torch.cuda.mem_get_info(device)
    return f"{torch.cuda.get_device_name(device)}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


def create(model: str = "facebook/sam2.1-hiera-tiny", device: str | None = None) -> Sam2Tracker:
    """The tracker with the weights of `model`; on CUDA where torch sees it, unless `device` says otherwise."""
    started = time.monotonic()
    chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    function = Sam2Tracker(load_model(Sam2VideoModel, model), chosen)
    seconds = time.monotonic() - started
    print(f"{model}: SAM 2 loaded in {seconds:.1f} s, on {describe(chosen)}", file=sys.stderr, flush=True)
    return function
