"""A language model that sees, as small as llama.cpp takes one: two real GGUF files with weights by chance.

    write_model(folder / "tiny.gguf")
    write_eyes(folder / "eyes.gguf")

What it says means nothing. What it is given is counted as any model's is: a picture is IMAGE_TOKENS tokens, beside
those of the words that llama.cpp puts around it.
"""

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

WIDTH = 64
HEADS = 2
SIDE = 64
"""Pixels of a picture, either way."""
PATCH = 8
MERGED = 4
"""How many patches become one token, either way."""
IMAGE_TOKENS = (SIDE // PATCH // MERGED) ** 2

TEMPLATE = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant:"

_CHANCE = np.random.default_rng(1)


def write_model(path: Path) -> Path:
    """One layer, and a token for each byte."""
    writer = GGUFWriter(path, "llama")
    tokens = [*_letters(), "he", "<s>", "</s>"]
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.NORMAL] * 257 + [TokenType.CONTROL] * 2)
    writer.add_token_merges(["h e"])
    writer.add_bos_token_id(257)
    writer.add_eos_token_id(258)
    writer.add_chat_template(TEMPLATE)
    _tensors(writer, "", {"token_embd": len(tokens), "output": len(tokens)}, norms=["output_norm"])
    names = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    _tensors(writer, "blk.0.", dict.fromkeys(names, WIDTH), norms=["attn_norm", "ffn_norm"])
    return _written(writer, path)


def write_eyes(path: Path, width: int = WIDTH) -> Path:
    """One layer of the kind that SigLIP is, and a projector as Gemma 3 has it. `width`: that of the model it is for."""
    writer = GGUFWriter(path, "clip")
    writer.add_string("clip.projector_type", "gemma3")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.use_gelu", True)
    sizes = {"image_size": SIDE, "patch_size": PATCH, "embedding_length": WIDTH, "feed_forward_length": WIDTH}
    for name, value in {**sizes, "block_count": 1, "projection_dim": width, "attention.head_count": HEADS}.items():
        writer.add_uint32(f"clip.vision.{name}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    for name in ("image_mean", "image_std"):
        writer.add_array(f"clip.vision.{name}", [0.5, 0.5, 0.5])
    writer.add_tensor("v.patch_embd.weight", _chance(WIDTH, 3, PATCH, PATCH))
    writer.add_tensor("v.patch_embd.bias", _zeros())
    writer.add_tensor("v.position_embd.weight", _chance((SIDE // PATCH) ** 2, WIDTH))
    names = ("attn_q", "attn_k", "attn_v", "attn_out", "ffn_up", "ffn_down")
    _tensors(writer, "v.blk.0.", dict.fromkeys(names, WIDTH), norms=["ln1", "ln2"])
    _tensors(writer, "v.", {}, norms=["post_ln"])
    for name in (*names, "ln1", "ln2"):
        writer.add_tensor(f"v.blk.0.{name}.bias", _zeros())
    writer.add_tensor("v.post_ln.bias", _zeros())
    writer.add_tensor("mm.input_projection.weight", _chance(WIDTH, width))
    writer.add_tensor("mm.soft_emb_norm.weight", np.ones(WIDTH, np.float32))
    return _written(writer, path)


def _letters() -> list[str]:
    """A letter for each byte, as the tokenizer of GPT-2 has them."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def _tensors(writer: GGUFWriter, place: str, rows: dict[str, int], norms: list[str]) -> None:
    for name, count in rows.items():
        writer.add_tensor(f"{place}{name}.weight", _chance(count, WIDTH))
    for name in norms:
        writer.add_tensor(f"{place}{name}.weight", np.ones(WIDTH, np.float32))


def _chance(*shape: int) -> np.ndarray:
    return (_CHANCE.standard_normal(shape) * 0.1).astype(np.float32)


def _zeros() -> np.ndarray:
    return np.zeros(WIDTH, np.float32)


def _written(writer: GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
