"""Networks of transformers with small random weights, one for each architecture that `cvat_functions` names.

`save` writes what a fine-tuned network's folder has: `config.json`, `model.safetensors`, the preprocessing.
The shapes are small, the code that makes and loads them is transformers' own.
"""

# transformers' classes are found by their names here, as `config.json` names them:
# mypy: disable-error-code="attr-defined"
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as hf

SIDE = 64
NAMES = {0: "cat", 1: "dog", 2: "hat"}
LABELS: dict[str, Any] = {"id2label": NAMES, "label2id": {name: number for number, name in NAMES.items()}}
SQUARE = {"height": SIDE, "width": SIDE}
WORDS = ["cat", "dog", "hat", "a", "red", "helmet", "person", "with", "bag", "detect", ".", ",", "photo", "of"]


def _resnet(kind: Any = None, stages: tuple[str, ...] = ("stage2", "stage3", "stage4")) -> Any:
    return (kind or hf.ResNetConfig)(
        embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], layer_type="basic", out_features=[*stages]
    )


def _hgnet() -> Any:
    return hf.HGNetV2Config(
        stem_channels=[3, 8, 16], stage_in_channels=[16, 16, 16, 16], stage_mid_channels=[8, 8, 8, 8],
        stage_out_channels=[16, 16, 16, 16], stage_num_blocks=[1, 1, 1, 1], stage_numb_of_layers=[1, 1, 1, 1],
        hidden_sizes=[16, 16, 16, 16], depths=[1, 1, 1, 1], out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip


def _swin(**more: Any) -> Any:
    return hf.SwinConfig(
        image_size=SIDE, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=2,
        out_features=["stage1", "stage2", "stage3", "stage4"], **more,
    )  # fmt: skip


def _detr(kind: str, **more: Any) -> Any:
    single = kind != "DeformableDetrConfig"
    given = {
        "d_model": 32, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2,
        "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "num_queries": 12,
        "backbone_config": _resnet(stages=("stage4",) if single else ("stage2", "stage3", "stage4")),
        "use_timm_backbone": False, "backbone": None, "use_pretrained_backbone": False, **LABELS, **more,
    }  # fmt: skip
    return getattr(hf, kind)(**{key: value for key, value in given.items() if value != "leave out"})


def _rt_detr(kind: str, backbone: Any, channels: list[int], **more: Any) -> Any:
    return getattr(hf, kind)(
        backbone_config=backbone, d_model=16, encoder_hidden_dim=16, encoder_in_channels=channels, encoder_layers=1,
        feat_strides=[8, 16, 32], encoder_ffn_dim=16, encoder_attention_heads=2, decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=16, num_queries=12, decoder_layers=2, decoder_attention_heads=2, num_denoising=0,
        **LABELS, **more,
    )  # fmt: skip


def _vit(kind: str, **more: Any) -> Any:
    return getattr(hf, kind)(
        **{
            "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16,
            "image_size": SIDE, "patch_size": 16, **more,
        }
    )  # fmt: skip


Built = tuple[str, Any, Any]
"""The class of the model, its configuration, its preprocessing."""

DETECTION: dict[str, Callable[[], Built]] = {
    "detr": lambda: ("DetrForObjectDetection", _detr("DetrConfig"), hf.DetrImageProcessor(size=SQUARE)),
    "conditional_detr": lambda: (
        "ConditionalDetrForObjectDetection", _detr("ConditionalDetrConfig"),
        hf.ConditionalDetrImageProcessor(size=SQUARE),
    ),
    "dab-detr": lambda: (
        "DabDetrForObjectDetection", _detr("DabDetrConfig", d_model="leave out", hidden_size=32),
        hf.ConditionalDetrImageProcessor(size=SQUARE),
    ),
    "deformable_detr": lambda: (
        "DeformableDetrForObjectDetection", _detr("DeformableDetrConfig"),
        hf.DeformableDetrImageProcessor(size={"height": 128, "width": 128})
    ),
    "table-transformer": lambda: (
        "TableTransformerForObjectDetection", _detr("TableTransformerConfig"), hf.DetrImageProcessor(size=SQUARE)
    ),
    "yolos": lambda: (
        "YolosForObjectDetection", _vit("YolosConfig", num_detection_tokens=12, image_size=[SIDE, SIDE], **LABELS),
        hf.YolosImageProcessor(size=SQUARE),
    ),
    "rt_detr": lambda: (
        "RTDetrForObjectDetection", _rt_detr("RTDetrConfig", _resnet(hf.RTDetrResNetConfig), [8, 16, 16]),
        hf.RTDetrImageProcessor(size=SQUARE),
    ),
    "rt_detr_v2": lambda: (
        "RTDetrV2ForObjectDetection", _rt_detr("RTDetrV2Config", _resnet(hf.RTDetrResNetConfig), [8, 16, 16]),
        hf.RTDetrImageProcessor(size=SQUARE),
    ),
    "d_fine": lambda: (
        "DFineForObjectDetection", _rt_detr("DFineConfig", _hgnet(), [16, 16, 16]), hf.RTDetrImageProcessor(size=SQUARE)
    ),
    "deimv2": lambda: (
        "Deimv2ForObjectDetection", _rt_detr("Deimv2Config", _hgnet(), [16, 16, 16]),
        hf.RTDetrImageProcessor(size=SQUARE),
    ),
    "lw_detr": lambda: ("LwDetrForObjectDetection", _lw_detr(), hf.DeformableDetrImageProcessor(size=SQUARE)),
    "rf_detr": lambda: ("RfDetrForObjectDetection", _rf_detr(), hf.RfDetrImageProcessor(size=SQUARE)),
}  # fmt: skip


def _lw_detr() -> Any:
    backbone = hf.LwDetrViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=SIDE, pretrain_image_size=SIDE,
        num_windows=4, window_block_indices=[0], out_features=["stage1", "stage2"],
    )  # fmt: skip
    return hf.LwDetrConfig(
        backbone_config=backbone, projector_scale_factors=[1.0], d_model=16, projector_out_channels=16,
        c2f_num_blocks=1, **_DECODER,
    )  # fmt: skip


def _rf_detr() -> Any:
    backbone = hf.RfDetrDinov2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=SIDE, patch_size=16, num_windows=2,
        window_block_indexes=[0], out_features=["stage1", "stage2"],
    )  # fmt: skip
    return hf.RfDetrConfig(backbone_config=backbone, d_model=16, c2f_num_blocks=1, intermediate_size=16, **_DECODER)


_DECODER = {
    "decoder_ffn_dim": 16, "decoder_n_points": 2, "decoder_layers": 2, "decoder_self_attention_heads": 2,
    "decoder_cross_attention_heads": 2, "num_queries": 12, "group_detr": 1, **LABELS,
}  # fmt: skip


def _mask2former(kind: str, **more: Any) -> Any:
    return getattr(hf, kind)(
        backbone_config=_swin(), feature_size=32, mask_feature_size=32, hidden_dim=32, encoder_feedforward_dim=16,
        encoder_layers=1, decoder_layers=2, num_attention_heads=2, dim_feedforward=16, num_queries=12, **LABELS, **more,
    )  # fmt: skip


def _maskformer() -> Any:
    decoder = hf.DetrConfig(
        d_model=32, decoder_layers=2, encoder_layers=1, decoder_attention_heads=2, encoder_attention_heads=2,
        decoder_ffn_dim=16, encoder_ffn_dim=16, num_queries=12,
    )  # fmt: skip
    return hf.MaskFormerConfig(
        backbone_config=_swin(), decoder_config=decoder, fpn_feature_size=32, mask_feature_size=32, **LABELS
    )


def _upernet() -> Any:
    return hf.UperNetConfig(
        backbone_config=_swin(), hidden_size=16, auxiliary_in_channels=32, auxiliary_channels=8,
        use_auxiliary_head=False, **LABELS,
    )  # fmt: skip


SEGMENTATION: dict[str, Callable[[], Built]] = {
    "mask2former": lambda: (
        "Mask2FormerForUniversalSegmentation", _mask2former("Mask2FormerConfig"),
        hf.Mask2FormerImageProcessor(size=SQUARE),
    ),
    "maskformer": lambda: (
        "MaskFormerForInstanceSegmentation", _maskformer(), hf.MaskFormerImageProcessor(size=SQUARE)
    ),
    "eomt": lambda: (
        "EomtForUniversalSegmentation",
        hf.EomtConfig(
            hidden_size=16, num_hidden_layers=3, num_attention_heads=2, image_size=SIDE, num_blocks=2, num_queries=12,
            num_upscale_blocks=2, **LABELS,
        ),
        hf.EomtImageProcessor(size={"shortest_edge": SIDE, "longest_edge": SIDE}, do_pad=True),
    ),
    "eomt_dinov3": lambda: (
        "EomtDinov3ForUniversalSegmentation",
        hf.EomtDinov3Config(
            hidden_size=16, intermediate_size=16, num_hidden_layers=3, num_attention_heads=2, image_size=SIDE,
            num_blocks=2, num_queries=12, num_upscale_blocks=2, **LABELS,
        ),
        hf.EomtImageProcessor(size={"shortest_edge": SIDE, "longest_edge": SIDE}, do_pad=True),
    ),
    "rf_detr_segmentation": lambda: (
        "RfDetrForInstanceSegmentation", _rf_detr(), hf.RfDetrImageProcessor(size=SQUARE)
    ),
    "segformer": lambda: (
        "SegformerForSemanticSegmentation",
        hf.SegformerConfig(
            depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=16,
            **LABELS,
        ),
        hf.SegformerImageProcessor(size=SQUARE),
    ),
    "upernet": lambda: ("UperNetForSemanticSegmentation", _upernet(), hf.SegformerImageProcessor(size=SQUARE)),
    "beit": lambda: (
        "BeitForSemanticSegmentation",
        _vit(
            "BeitConfig", num_hidden_layers=4, out_indices=[1, 2, 3, 4], use_auxiliary_head=False, vocab_size=16,
            **LABELS,
        ),
        hf.BeitImageProcessor(size=SQUARE, do_center_crop=False),
    ),
    "dpt": lambda: (
        "DPTForSemanticSegmentation",
        _vit(
            "DPTConfig", num_hidden_layers=4, backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[8, 8, 16, 16],
            fusion_hidden_size=16, is_hybrid=False, use_auxiliary_head=False, **LABELS,
        ),
        hf.DPTImageProcessor(size=SQUARE),
    ),
    "mobilevit": lambda: (
        "MobileViTForSemanticSegmentation",
        hf.MobileViTConfig(
            image_size=SIDE, hidden_sizes=[8, 8, 8], neck_hidden_sizes=[8, 8, 8, 8, 8, 8, 16], num_attention_heads=2,
            aspp_out_channels=16, **LABELS,
        ),
        hf.MobileViTImageProcessor(size={"shortest_edge": SIDE}, crop_size=SQUARE),
    ),
}  # fmt: skip

CLASSIFICATION: dict[str, Callable[[], Built]] = {
    "vit": lambda: ("ViTForImageClassification", _vit("ViTConfig", **LABELS), hf.ViTImageProcessor(size=SQUARE)),
    "deit": lambda: (
        "DeiTForImageClassification", _vit("DeiTConfig", **LABELS),
        hf.DeiTImageProcessor(size=SQUARE, crop_size=SQUARE),
    ),
    "dinov2": lambda: (
        "Dinov2ForImageClassification", _vit("Dinov2Config", **LABELS),
        hf.BitImageProcessor(size=SQUARE, crop_size=SQUARE)
    ),
    "convnextv2": lambda: (
        "ConvNextV2ForImageClassification",
        hf.ConvNextV2Config(hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], **LABELS),
        hf.ConvNextImageProcessor(size={"shortest_edge": SIDE}),
    ),
    "resnet": lambda: (
        "ResNetForImageClassification",
        hf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], **LABELS),
        hf.ConvNextImageProcessor(size={"shortest_edge": SIDE}),
    ),
    "swinv2": lambda: (
        "Swinv2ForImageClassification",
        hf.Swinv2Config(
            image_size=SIDE, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=2, **LABELS
        ),
        hf.ViTImageProcessor(size=SQUARE),
    ),
    "siglip": lambda: (
        "SiglipForImageClassification",
        hf.SiglipConfig(vision_config=_SIGLIP, text_config=_SIGLIP_TEXT, **LABELS),
        hf.SiglipImageProcessor(size=SQUARE),
    ),
}  # fmt: skip

_SIGLIP: dict[str, int] = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16,
    "image_size": SIDE, "patch_size": 16,
}  # fmt: skip
_SIGLIP_TEXT: dict[str, int] = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
    "vocab_size": 32, "projection_size": 16,
}  # fmt: skip

#: SAM's prompt encoder has 16 cells a side, so that its masks have 64.
_PROMPT = {"hidden_size": 32, "image_size": 256, "patch_size": 16}
_DECODER_SAM = {"hidden_size": 32, "mlp_dim": 16, "iou_head_hidden_dim": 16, "num_attention_heads": 2}
_SAM_VISION = {
    "hidden_size": 16, "output_channels": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 256,
    "window_size": 4, "global_attn_indexes": [1], "num_pos_feats": 16, "mlp_dim": 16,
}  # fmt: skip


def _hiera(side: int = 128, width: int = 32) -> dict[str, Any]:
    cells = side // 4
    return {
        "model_type": "sam2_vision_model",
        "backbone_config": {
            "model_type": "sam2_hiera_det_model", "hidden_size": 8, "image_size": [side, side],
            "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
            "num_attention_heads_per_stage": [1, 2, 4, 8], "window_size_per_stage": [8, 4, 4, 2],
            "window_positional_embedding_background_size": [4, 4], "global_attention_blocks": [3],
        },
        "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": [[cells, cells], [cells // 2] * 2, [cells // 4] * 2],
        "fpn_hidden_size": width,
    }  # fmt: skip


def _edgetam(width: int = 32) -> Any:
    return hf.EdgeTamVisionConfig(
        backbone_config=hf.TimmWrapperConfig(
            architecture="repvit_m0_9", model_args={"in_chans": 3, "features_only": True, "out_indices": [0, 1, 2, 3]}
        ),
        backbone_channel_list=[384, 192, 96, 48], backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]],
        fpn_hidden_size=width,
    )  # fmt: skip


def _sam3_vision(width: int = 32) -> dict[str, Any]:
    return {
        "backbone_config": {
            "model_type": "sam3_vit_model", "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2,
            "num_attention_heads": 2, "image_size": 112, "patch_size": 14, "window_size": 4, "global_attn_indexes": [1],
            "pretrain_image_size": 56,
        },
        "fpn_hidden_size": width, "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
    }  # fmt: skip


def _sam_prompts(side: int, patch: int = 16, width: int = 32) -> dict[str, Any]:
    return {
        "prompt_encoder_config": {"hidden_size": width, "image_size": side, "patch_size": patch},
        "mask_decoder_config": {**_DECODER_SAM, "hidden_size": width},
    }


def _processor_of_sam(kind: str, side: int = 128) -> Any:
    if kind in ("SamProcessor", "SamHQProcessor"):
        sizes = {"size": {"longest_edge": 256}, "pad_size": {"height": 256, "width": 256}}
        masks = {"mask_size": {"longest_edge": 64}, "mask_pad_size": {"height": 64, "width": 64}}
        return getattr(hf, kind)(hf.SamImageProcessor(**sizes, **masks))
    image = hf.Sam3ImageProcessor if kind == "Sam3TrackerProcessor" else hf.Sam2ImageProcessor
    return getattr(hf, kind)(image(size={"height": side, "width": side}))


INTERACTORS: dict[str, Callable[[], Built]] = {
    "sam": lambda: (
        "SamModel",
        hf.SamConfig(vision_config=_SAM_VISION, prompt_encoder_config=_PROMPT, mask_decoder_config=_DECODER_SAM),
        _processor_of_sam("SamProcessor"),
    ),
    "sam_hq": lambda: (
        "SamHQModel",
        hf.SamHQConfig(
            vision_config=_SAM_VISION, prompt_encoder_config=_PROMPT,
            mask_decoder_config={**_DECODER_SAM, "vit_dim": 16},
        ),
        _processor_of_sam("SamHQProcessor"),
    ),
    "sam2": lambda: (
        "Sam2Model", hf.Sam2Config(vision_config=_hiera(), **_sam_prompts(128)), _processor_of_sam("Sam2Processor")
    ),
    "edgetam": lambda: (
        "EdgeTamModel", hf.EdgeTamConfig(vision_config=_edgetam(), **_sam_prompts(128)),
        _processor_of_sam("Sam2Processor"),
    ),
    "sam3_tracker": lambda: (
        "Sam3TrackerModel", hf.Sam3TrackerConfig(vision_config=_sam3_vision(), **_sam_prompts(112, 14)),
        _processor_of_sam("Sam3TrackerProcessor", 112),
    ),
}  # fmt: skip


def _memory(side: int, width: int = 128) -> dict[str, Any]:
    return {
        "image_size": side, "memory_attention_hidden_size": width, "memory_attention_num_layers": 2,
        "memory_attention_rope_feat_sizes": [8, 8], "memory_encoder_hidden_size": width,
        "memory_encoder_output_channels": 64, "mask_downsampler_embed_dim": width, "memory_fuser_embed_dim": width,
        "memory_fuser_intermediate_dim": 64,
    }  # fmt: skip


TRACKERS: dict[str, Callable[[], Built]] = {
    "sam2_video": lambda: (
        "Sam2VideoModel",
        hf.Sam2VideoConfig(
            vision_config=_hiera(128, 128), memory_attention_feed_forward_hidden_size=64, **_sam_prompts(128, 16, 128),
            **_memory(128),
        ),
        _processor_of_sam("Sam2Processor"),
    ),
    "edgetam_video": lambda: (
        "EdgeTamVideoModel",
        hf.EdgeTamVideoConfig(
            vision_config=_edgetam(128), memory_attention_mlp_hidden_size=64, memory_attention_rope_k_sizes=[4, 4],
            perceiver_resampler_num_latents=16, perceiver_resampler_num_latents_2d=16,
            perceiver_resampler_mlp_intermediate_size=16, **_sam_prompts(128, 16, 128), **_memory(128),
        ),
        _processor_of_sam("Sam2Processor"),
    ),
    "sam3_tracker_video": lambda: (
        "Sam3TrackerVideoModel",
        hf.Sam3TrackerVideoConfig(
            vision_config=_sam3_vision(128), memory_attention_feed_forward_hidden_size=64,
            **_sam_prompts(112, 14, 128), **_memory(112),
        ),
        _processor_of_sam("Sam3TrackerProcessor", 112),
    ),
}  # fmt: skip

POSE: dict[str, Callable[[], Built]] = {
    name: lambda experts=experts: (  # type: ignore[misc]
        "VitPoseForPoseEstimation",
        hf.VitPoseConfig(
            backbone_config=hf.VitPoseBackboneConfig(
                image_size=[64, 48], hidden_size=16, num_hidden_layers=2, num_attention_heads=2, num_experts=experts,
                part_features=4, out_features=["stage2"],
            ),
            id2label={0: "nose", 1: "left_eye", 2: "right_eye"}, num_labels=3, use_simple_decoder=True,
        ),
        hf.VitPoseImageProcessor(size={"height": 64, "width": 48}),
    )
    for name, experts in (("vitpose", 1), ("vitpose_plus", 2))
}  # fmt: skip

EMBEDDERS: dict[str, Callable[[], Built]] = {
    "dinov3_vit": lambda: (
        "DINOv3ViTModel", _vit("DINOv3ViTConfig"), hf.DINOv3ViTImageProcessor(size=SQUARE)
    ),
    "dinov2": lambda: ("Dinov2Model", _vit("Dinov2Config"), hf.BitImageProcessor(size=SQUARE, crop_size=SQUARE)),
    "vit": lambda: ("ViTModel", _vit("ViTConfig"), hf.ViTImageProcessor(size=SQUARE)),
    "convnextv2": lambda: (
        "ConvNextV2Model", hf.ConvNextV2Config(hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1]),
        hf.ConvNextImageProcessor(size={"shortest_edge": SIDE}),
    ),
    "siglip": lambda: (
        "SiglipModel", hf.SiglipConfig(vision_config=_SIGLIP, text_config=_SIGLIP_TEXT),
        hf.SiglipImageProcessor(size=SQUARE),
    ),
    "clip": lambda: (
        "CLIPModel", hf.CLIPConfig(vision_config=_SIGLIP, text_config={**_SIGLIP_TEXT, "eos_token_id": 2}),
        hf.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=SQUARE),
    ),
}  # fmt: skip


def _bert() -> Any:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    return hf.BertTokenizer(vocab={word: number for number, word in enumerate(words)}, model_max_length=32)


def _clip(length: int = 16) -> Any:
    """Letters alone, each with the ending that closes a word."""
    letters = [chr(code) for code in range(33, 127)]
    known = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(known)}
    return hf.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=length)


_CLIP_TEXT = {
    "vocab_size": 256, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
    "max_position_embeddings": 16, "projection_dim": 16, "bos_token_id": 188, "eos_token_id": 189, "pad_token_id": 1,
}  # fmt: skip


def _grounding_dino(kind: str) -> Any:
    text = hf.BertConfig(
        vocab_size=32, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64,
    )  # fmt: skip
    backbone = _swin()
    backbone.out_features = ["stage2", "stage3", "stage4"]
    return getattr(hf, kind)(
        backbone_config=backbone, text_config=text, d_model=32, encoder_layers=1, encoder_ffn_dim=16,
        encoder_attention_heads=2, decoder_layers=2, decoder_ffn_dim=16, decoder_attention_heads=2, num_queries=12,
        fusion_dropout=0.0, max_text_len=64,
    )  # fmt: skip


def _owl(kind: str) -> Any:
    text = {**_CLIP_TEXT, "model_type": kind.replace("Config", "").lower() + "_text_model"}
    return getattr(hf, kind)(
        vision_config={
            "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16,
            "image_size": SIDE, "patch_size": 16,
        },
        text_config=text, projection_dim=16,
    )  # fmt: skip


def _omdet() -> Any:
    backbone = hf.TimmBackboneConfig(
        backbone="swin_tiny_patch4_window7_224", out_indices=[1, 2, 3], img_size=SIDE, always_partition=True
    )
    return hf.OmDetTurboConfig(
        text_config={**_CLIP_TEXT, "model_type": "clip_text_model", "max_position_embeddings": 77, "hidden_size": 32},
        backbone_config=backbone, image_size=SIDE,
        text_projection_in_dim=32, text_projection_out_dim=32, task_encoder_hidden_dim=16, class_embed_dim=32,
        num_queries=12, d_model=16, vision_features_channels=[16, 16, 16], encoder_attention_heads=2,
        encoder_dim_feedforward=16, decoder_hidden_dim=16, decoder_num_heads=2, decoder_num_layers=2,
        decoder_dim_feedforward=16, disable_custom_kernels=True,
    )  # fmt: skip


def _owl_processor(kind: str) -> Any:
    image = hf.Owlv2ImageProcessor if kind == "Owlv2" else hf.OwlViTImageProcessor
    return getattr(hf, f"{kind}Processor")(
        image(size=SQUARE, **({} if kind == "Owlv2" else {"crop_size": SQUARE})), _clip()
    )


ZERO_SHOT: dict[str, Callable[[], Built]] = {
    "grounding-dino": lambda: (
        "GroundingDinoForObjectDetection", _grounding_dino("GroundingDinoConfig"),
        hf.GroundingDinoProcessor(hf.GroundingDinoImageProcessor(size={"height": 128, "width": 128}), _bert()),
    ),
    "mm-grounding-dino": lambda: (
        "MMGroundingDinoForObjectDetection", _grounding_dino("MMGroundingDinoConfig"),
        hf.GroundingDinoProcessor(hf.GroundingDinoImageProcessor(size={"height": 128, "width": 128}), _bert()),
    ),
    "owlv2": lambda: ("Owlv2ForObjectDetection", _owl("Owlv2Config"), _owl_processor("Owlv2")),
    "owlvit": lambda: ("OwlViTForObjectDetection", _owl("OwlViTConfig"), _owl_processor("OwlViT")),
    "omdet-turbo": lambda: (
        "OmDetTurboForObjectDetection", _omdet(), hf.OmDetTurboProcessor(hf.DetrImageProcessor(size=SQUARE), _clip())
    ),
}  # fmt: skip


def _sam3() -> Any:
    part = {"hidden_size": 32, "num_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    return hf.Sam3Config(
        vision_config=_sam3_vision(), text_config={**_CLIP_TEXT, "max_position_embeddings": 32},
        geometry_encoder_config=part, detr_encoder_config=part,
        detr_decoder_config={**part, "num_queries": 12},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )  # fmt: skip


CONCEPTS: dict[str, Callable[[], Built]] = {
    "sam3": lambda: (
        "Sam3Model", _sam3(), hf.Sam3Processor(hf.Sam3ImageProcessor(size={"height": 112, "width": 112}), _clip(32))
    ),
}  # fmt: skip

FAMILIES = {
    "transformers_detection": DETECTION, "transformers_segmentation": SEGMENTATION,
    "transformers_classification": CLASSIFICATION, "transformers_sam": INTERACTORS,
    "transformers_sam_video": TRACKERS, "transformers_zero_shot": ZERO_SHOT, "transformers_sam3": CONCEPTS,
    "transformers_pose": POSE, "transformers_reid": EMBEDDERS,
}  # fmt: skip
"""By the module of `cvat_functions`: an architecture's name, and what makes one."""


def save(family: str, name: str, folder: Path, **changes: Any) -> Any:
    """A network of the family as a folder of the Hugging Face hub; returns the model. The same each time.

    `changes` are attributes of its configuration, such as `id2label`.
    """
    torch.manual_seed(sum(map(ord, name)))
    kind, config, processor = FAMILIES[family][name]()
    for key, value in changes.items():
        setattr(config, key, value)
    model = getattr(hf, kind)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # As wide as keeps a signal's size, so that boxes and masks differ from each other.
            spread = max(parameter[0].numel(), 1) ** -0.5 if parameter.ndim > 1 else 0.1
            parameter.add_(torch.randn_like(parameter) * spread)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return model


def save_in_cache(family: str, name: str, home: Path, source: str) -> None:
    """The same under the name of a large one, as the hub's cache in `home` (HF_HOME) holds it: nobody asks the hub."""
    commit, folder = "0123456789abcdef0123456789abcdef01234567", home / "hub" / f"models--{source.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs/main").write_text(commit)
    save(family, name, folder / "snapshots" / commit)
