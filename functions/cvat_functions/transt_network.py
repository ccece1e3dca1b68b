"""TransT's network, written from the paper (Chen et al., "Transformer Tracking", CVPR 2021).

Its parts have the names that the original checkpoint's weights have.
"""

import math
import pickle
from pathlib import Path
from typing import Any, Final

import torch
import torchvision.models
from torch import Tensor, nn

WIDTH, HEADS, HIDDEN, LAYERS = 256, 8, 2048, 4
#: Pixels of the input for one feature: the backbone ends at stride 8.
STRIDE: Final = 8


def positions(side: int) -> Tensor:
    """Sine encodings of a square grid, (side * side, 1, WIDTH): rows in the first half, columns in the second."""
    place = torch.arange(1, side + 1, dtype=torch.float32) / (side + 1e-6) * 2 * math.pi
    channel = torch.arange(WIDTH // 2, dtype=torch.float32)
    angle = place[:, None] / 10000 ** (2 * (channel // 2) / (WIDTH // 2))
    code = torch.stack([angle[:, 0::2].sin(), angle[:, 1::2].cos()], -1).flatten(1)
    rows = code[:, None].expand(side, side, -1)
    columns = code[None].expand(side, side, -1)
    return torch.cat([rows, columns], -1).reshape(side * side, 1, WIDTH)


class Perceptron(nn.Module):
    """Three linear layers with ReLU between them."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, outputs)])

    def forward(self, x: Tensor) -> Tensor:
        first, second, last = self.layers
        answer: Tensor = last(second(first(x).relu()).relu())
        return answer


class FusionLayer(nn.Module):
    """Each of template (1) and search region (2) looks at itself (the paper's ECA), then at the other (CFA)."""

    def __init__(self) -> None:
        super().__init__()
        for branch in (1, 2):
            self.add_module(f"self_attn{branch}", nn.MultiheadAttention(WIDTH, HEADS))
            self.add_module(f"multihead_attn{branch}", nn.MultiheadAttention(WIDTH, HEADS))
            self.add_module(f"linear{branch}1", nn.Linear(WIDTH, HIDDEN))
            self.add_module(f"linear{branch}2", nn.Linear(HIDDEN, WIDTH))
            for place in (1, 2, 3):
                self.add_module(f"norm{branch}{place}", nn.LayerNorm(WIDTH))

    def forward(self, inputs: tuple[Tensor, Tensor], places: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        own = [self._look_at_itself(branch, x, p) for branch, x, p in zip((1, 2), inputs, places, strict=True)]
        template = self._look_at_other(1, own[0], places[0], own[1], places[1])
        search = self._look_at_other(2, own[1], places[1], own[0], places[0])
        return template, search

    def _look_at_itself(self, branch: int, x: Tensor, place: Tensor) -> Tensor:
        found = getattr(self, f"self_attn{branch}")(x + place, x + place, x, need_weights=False)[0]
        return self._part(f"norm{branch}1", x + found)

    def _look_at_other(self, branch: int, x: Tensor, place: Tensor, other: Tensor, other_place: Tensor) -> Tensor:
        attention = getattr(self, f"multihead_attn{branch}")
        x = self._part(f"norm{branch}2", x + attention(x + place, other + other_place, other, need_weights=False)[0])
        fed = self._part(f"linear{branch}2", self._part(f"linear{branch}1", x).relu())
        return self._part(f"norm{branch}3", x + fed)

    def _part(self, name: str, x: Tensor) -> Tensor:
        answer: Tensor = getattr(self, name)(x)
        return answer


class DecoderLayer(nn.Module):
    """The last look of the search region at the template."""

    def __init__(self) -> None:
        super().__init__()
        self.multihead_attn = nn.MultiheadAttention(WIDTH, HEADS)
        self.linear1 = nn.Linear(WIDTH, HIDDEN)
        self.linear2 = nn.Linear(HIDDEN, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH)

    def forward(self, search: Tensor, template: Tensor, search_place: Tensor, template_place: Tensor) -> Tensor:
        found = self.multihead_attn(search + search_place, template + template_place, template, need_weights=False)[0]
        search = self.norm1(search + found)
        answer: Tensor = self.norm2(search + self.linear2(self.linear1(search).relu()))
        return answer


class Fusion(nn.Module):
    """The feature fusion network: the names of its parts are the checkpoint's."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"layers": nn.ModuleList(FusionLayer() for _ in range(LAYERS))})
        self.decoder = nn.ModuleDict({"layers": nn.ModuleList([DecoderLayer()]), "norm": nn.LayerNorm(WIDTH)})

    def forward(self, template: Tensor, search: Tensor, places: tuple[Tensor, Tensor]) -> Tensor:
        """`(HW, N, WIDTH)` of both to that of the search region."""
        for layer in self.encoder["layers"]:  # type: ignore[union-attr]
            template, search = layer((template, search), places)
        for layer in self.decoder["layers"]:  # type: ignore[union-attr]
            search = layer(search, template, places[1], places[0])
        answer: Tensor = self.decoder["norm"](search)
        return answer


def backbone() -> nn.Module:
    """ResNet-50 without its last stage; the stage before it keeps its input's size and is dilated at its start."""
    net = torchvision.models.resnet50(weights=None)
    for name in ("layer4", "avgpool", "fc"):
        delattr(net, name)
    start = net.layer3[0]
    start.conv2.stride, start.conv2.dilation, start.conv2.padding = (1, 1), (2, 2), (2, 2)
    start.downsample[0].stride = (1, 1)
    return net


class TransT(nn.Module):
    """The whole network; its state dict has the names and shapes of the original checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.featurefusion_network = Fusion()
        self.class_embed = Perceptron(2)
        self.bbox_embed = Perceptron(4)
        self.input_proj = nn.Conv2d(1024, WIDTH, 1)
        self.backbone = nn.ModuleList([nn.ModuleDict({"body": backbone()})])

    def features(self, crop: Tensor) -> Tensor:
        """`(N, 3, S, S)` to `(N, WIDTH, S / 8, S / 8)`."""
        body: Any = self.backbone[0]["body"]  # type: ignore[index]
        x = body.maxpool(body.relu(body.bn1(body.conv1(crop))))
        answer: Tensor = self.input_proj(body.layer3(body.layer2(body.layer1(x))))
        return answer

    def forward(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor]:
        """Features of both to `(cells,)` probabilities and `(cells, 4)` boxes: x, y, width, height of the region."""
        places = tuple(positions(x.shape[-1]).to(x.device) for x in (template, search))
        flat = (x.flatten(2).permute(2, 0, 1) for x in (template, search))
        fused = self.featurefusion_network(*flat, places)[:, 0]
        return self.class_embed(fused).softmax(-1)[:, 0], self.bbox_embed(fused).sigmoid()


class Unread:
    """Stands for the training's own objects in the checkpoint (settings, statistics): read over, never used."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def load_network(file: Path) -> TransT:
    """The network with a checkpoint's weights. Nothing in the file is executed. ValueError for another file."""
    try:
        strangers = torch.serialization.get_unsafe_globals_in_checkpoint(str(file))
        with torch.serialization.safe_globals([(Unread, name) for name in strangers]):
            checkpoint = torch.load(file, map_location="cpu", weights_only=True)
        weights = checkpoint.get("net", checkpoint)
        with torch.device("meta"):
            network = TransT()
        network.load_state_dict(weights, assign=True)
    except (AttributeError, RuntimeError, ValueError, TypeError, pickle.UnpicklingError) as fault:
        raise ValueError(f"{file.name} is not a checkpoint of TransT: {str(fault)[:500]}") from fault
    return network
