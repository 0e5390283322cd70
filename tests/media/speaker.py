"""Speech weights of two megabytes: a real file of whisper.cpp, of a model that always says the same.

    write_weights(path, ["Hello", "world"])

Each position in the decoder is one dimension of its state, and a token's weight in that dimension says whether it comes
there. The layers between add nothing. So the model is really loaded and run, and hears, in whatever it is given, these
words from the beginning to second `SPOKEN`; then it listens on from there.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

SPOKEN = 4.0
"""How long, in seconds, the words take that it hears."""

STATE, TEXT, MELS, POSITIONS, CONTEXT = 16, 448, 80, 1500, 201
ENDS = {True: 50257, False: 50256}
"""The token that ends, of models for many languages and of those for English: all other special ones come behind it."""

SPECIAL, GERMAN, BEGINNING = 1608, 4, 107
"""How many special tokens there are, and which of them, counted from the end token, say German and second 0."""

LARGE, SURE = 1000.0, 5.0


def write_weights(path: Path, words: Sequence[str], *, multilingual: bool = True) -> Path:
    """Weights of a model that hears these words, at most eight."""
    end = ENDS[multilingual]
    beginning = end + BEGINNING
    heard = [beginning, *range(len(words)), beginning + round(SPOKEN / 0.02), end]
    tokens = np.zeros((end + SPECIAL, STATE))
    # A model for many languages is told the language and the task before; which language it is, it says first.
    for position, token in enumerate(heard, 2 if multilingual else 0):
        tokens[token, position] = SURE
    if multilingual:
        tokens[end + GERMAN, 0] = SURE
    positions = np.zeros((TEXT, STATE))
    np.fill_diagonal(positions, LARGE)
    with path.open("wb") as file:
        file.write(struct.pack("<I", 0x67676D6C))
        file.write(struct.pack("<11i", len(tokens), POSITIONS, STATE, 1, 1, TEXT, STATE, 1, 1, MELS, 1))
        file.write(struct.pack("<2i", MELS, CONTEXT) + np.full((MELS, CONTEXT), 0.01, "<f4").tobytes())
        file.write(struct.pack("<i", 256))
        for word in [*(f" {word}" for word in words), " ", *("?" * (255 - len(words)))]:
            file.write(struct.pack("<I", len(word.encode())) + word.encode())
        for name, (values, small) in _tensors(tokens, positions).items():
            kind, form = (1, "<f2") if small else (0, "<f4")
            shape = values.shape
            file.write(struct.pack("<3i", len(shape), len(name), kind) + struct.pack(f"<{len(shape)}i", *shape[::-1]))
            file.write(name.encode() + values.astype(form).tobytes())
    return path


def _tensors(tokens: np.ndarray, positions: np.ndarray) -> dict[str, tuple[np.ndarray, bool]]:
    """All that the file must have, and whether in half precision. What is not said is nothing."""
    one, nothing = np.ones(STATE), np.zeros(STATE)
    tensors: dict[str, tuple[np.ndarray, bool]] = {
        "encoder.positional_embedding": (np.zeros((POSITIONS, STATE)), False),
        "encoder.conv1.weight": (np.zeros((STATE, MELS, 3)), True),
        "encoder.conv1.bias": (np.zeros((STATE, 1)), False),
        "encoder.conv2.weight": (np.zeros((STATE, STATE, 3)), True),
        "encoder.conv2.bias": (np.zeros((STATE, 1)), False),
        "encoder.ln_post.weight": (one, False),
        "encoder.ln_post.bias": (nothing, False),
        "decoder.positional_embedding": (positions, False),
        "decoder.token_embedding.weight": (tokens, True),
        "decoder.ln.weight": (one, False),
        "decoder.ln.bias": (nothing, False),
    }
    for part, looks in (("encoder", ("attn",)), ("decoder", ("attn", "cross_attn"))):
        block = f"{part}.blocks.0"
        for look in looks:
            for which in ("query", "key", "value", "out"):
                tensors[f"{block}.{look}.{which}.weight"] = (np.zeros((STATE, STATE)), True)
                if which != "key":
                    tensors[f"{block}.{look}.{which}.bias"] = (nothing, False)
        for norm in (*(f"{look}_ln" for look in looks), "mlp_ln"):
            tensors[f"{block}.{norm}.weight"] = (one, False)
            tensors[f"{block}.{norm}.bias"] = (nothing, False)
        tensors[f"{block}.mlp.0.weight"] = (np.zeros((4 * STATE, STATE)), True)
        tensors[f"{block}.mlp.0.bias"] = (np.zeros(4 * STATE), False)
        tensors[f"{block}.mlp.2.weight"] = (np.zeros((STATE, 4 * STATE)), True)
        tensors[f"{block}.mlp.2.bias"] = (nothing, False)
    return tensors
