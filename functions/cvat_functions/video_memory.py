"""What a video network of the SAM 2 family remembers of an object, as a state that travels: no picture, a few arrays of
fixed size."""

from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import torch

#: What a network puts down of a frame, by its own names.
Output = dict[str, torch.Tensor]


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

    @classmethod
    def of(cls, kind: str, size: tuple[int, int], output: Output) -> "State":
        """From what the network put down of the first frame."""
        return cls(kind, size, 0, Memory.of(output["maskmem_features"]), {}, {0: _pointer(output)})

    def recall(self, outputs: dict[str, Any], positions: torch.Tensor) -> None:
        """Lays the memories where a session keeps them; `positions` are the same for each."""
        for frame, pointer in self.pointers.items():
            memory = self.first if frame == 0 else self.recent.get(frame)
            recalled = {"object_pointer": torch.from_numpy(pointer.copy()).to(positions.device)}
            if memory is not None:
                recalled |= {"maskmem_features": memory.features(positions), "maskmem_pos_enc": positions}
            outputs["cond_frame_outputs" if frame == 0 else "non_cond_frame_outputs"][frame] = recalled

    def remember(self, output: Output, frame: int, memories: int, pointers: int) -> None:
        """Adds a frame; of the latest so many are kept, the first among them for good."""
        self.frame = frame
        self.recent[frame] = Memory.of(output["maskmem_features"])
        self.pointers[frame] = _pointer(output)
        for kept, most in ((self.recent, memories - 1), (self.pointers, pointers - 1)):
            for old in [number for number in kept if 0 < number <= frame - most]:
                del kept[old]


def _pointer(output: Output) -> npt.NDArray[np.float32]:
    return np.asarray(output["object_pointer"].float().cpu())
