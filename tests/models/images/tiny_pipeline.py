"""Writes a pipeline as small as it can be, of a few thousand weights by chance: it makes images of 64 x 64 pixels.

python tiny_pipeline.py FOLDER
"""

import json
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
WORDS = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
CHANNELS = (8, 16)
WIDTH = 16


def tokenizer(folder: Path) -> CLIPTokenizer:
    (folder / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(WORDS)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=WIDTH)


def reader() -> CLIPTextModel:
    end = len(WORDS) - 1
    sizes = {"hidden_size": WIDTH, "intermediate_size": WIDTH, "num_hidden_layers": 1, "num_attention_heads": 2}
    marks = {"bos_token_id": end - 1, "eos_token_id": end, "pad_token_id": end}
    return CLIPTextModel(CLIPTextConfig(vocab_size=len(WORDS), max_position_embeddings=WIDTH, **sizes, **marks))


def painter() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        layers_per_block=1,
        block_out_channels=CHANNELS,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
    )


def developer() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 8, 8),
        norm_num_groups=4,
    )


def main(folder: Path) -> None:
    torch.manual_seed(0)
    StableDiffusionPipeline(
        vae=developer(),
        unet=painter(),
        text_encoder=reader(),
        tokenizer=tokenizer(folder),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
