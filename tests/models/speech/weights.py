"""Weights for Piper and Kokoro, made by tests: real ONNX files of a few nodes that hum, at the length and the pitch
that their inputs ask for. The engines' own libraries load them; only what they say is no speech.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

SAMPLES_A_PHONEME = 600

LETTERS = "abcdefghijklmnopqrstuvwxyzæðŋɐɑɔəɚɛɜɡɪɫɹɾʃʊʌʒθɔɑːˈˌ .,!?"


def write_piper(folder: Path, name: str, *, language: str = "en_US", rate: int = 22_050, speakers: int = 1) -> Path:
    """A voice of Piper's: the first hums at 200 Hz, each further speaker 100 Hz higher."""
    inputs = [
        ("input", TensorProto.INT64, [1, "n"]),
        ("input_lengths", TensorProto.INT64, [1]),
        ("scales", TensorProto.FLOAT, [3]),
    ]
    higher = [helper.make_node("Identity", ["nought"], ["higher"])]
    if speakers > 1:
        higher = [
            helper.make_node("Cast", ["sid"], ["speaker"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["speaker", "hundred"], ["higher"]),
        ]
    nodes = [
        helper.make_node("Slice", ["scales", "one", "two"], ["scale"]),
        *higher,
        helper.make_node("Add", ["higher", "twohundred"], ["hertz"]),
        *_hum("input", "scale"),
        helper.make_node("Reshape", ["sound", "shape"], ["output"]),
    ]
    if speakers > 1:
        inputs.append(("sid", TensorProto.INT64, [1]))
    constants = _constants(rate) | {
        "one": np.array([1], np.int64),
        "two": np.array([2], np.int64),
        "nought": np.array([0], np.float32),
        "hundred": np.array([100], np.float32),
        "twohundred": np.array([200], np.float32),
        "shape": np.array([1, 1, 1, -1], np.int64),
    }
    path = folder / f"{name}.onnx"
    _save(path, inputs, nodes, constants, "output", [1, 1, 1, "m"])
    config = {
        "audio": {"sample_rate": rate, "quality": "low"},
        "espeak": {"voice": language.lower().replace("_", "-")},
        "language": {"code": language},
        "phoneme_type": "espeak",
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "num_symbols": 256,
        "num_speakers": speakers,
        "speaker_id_map": {f"speaker{index}": index for index in range(speakers)} if speakers > 1 else {},
        "phoneme_id_map": {letter: [index + 3] for index, letter in enumerate(dict.fromkeys(LETTERS))}
        | {"_": [0], "^": [1], "$": [2]},
    }
    path.with_name(f"{path.name}.json").write_text(json.dumps(config))
    return path


def write_kokoro(folder: Path, **voices: float) -> Path:
    """Weights of Kokoro's, with voices that hum at these frequencies."""
    rate = 24_000
    nodes = [
        helper.make_node("Div", ["float_one", "speed"], ["scale"]),
        helper.make_node("Reshape", ["style", "flat"], ["styles"]),
        helper.make_node("Slice", ["styles", "nought", "one"], ["hertz"]),
        *_hum("tokens", "scale"),
        helper.make_node("Identity", ["sound"], ["audio"]),
    ]
    constants = _constants(rate) | {
        "float_one": np.array([1], np.float32),
        "flat": np.array([-1], np.int64),
        "nought": np.array([0], np.int64),
        "one": np.array([1], np.int64),
    }
    inputs = [
        ("tokens", TensorProto.INT64, [1, "n"]),
        ("style", TensorProto.FLOAT, [1, 256]),
        ("speed", TensorProto.FLOAT, [1]),
    ]
    _save(folder / "kokoro.onnx", inputs, nodes, constants, "audio", ["m"])
    with (folder / "voices-v1.0.bin").open("wb") as file:
        np.savez(file, **{name: np.full((511, 1, 256), hertz, np.float32) for name, hertz in voices.items()})
    return folder / "kokoro.onnx"


def _hum(phonemes: str, scale: str) -> list[Any]:
    """A tone of `hertz`, some samples for each phoneme, times `scale`: the result is called `sound`."""
    return [
        helper.make_node("Size", [phonemes], ["count"]),
        helper.make_node("Cast", ["count"], ["counted"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["counted", "each"], ["plain_length"]),
        helper.make_node("Mul", ["plain_length", scale], ["lengths"]),
        helper.make_node("ReduceSum", ["lengths"], ["length"], keepdims=0),
        helper.make_node("Range", ["start", "length", "step"], ["times"]),
        helper.make_node("Mul", ["times", "hertz"], ["turns"]),
        helper.make_node("Mul", ["turns", "angle"], ["angles"]),
        helper.make_node("Sin", ["angles"], ["sine"]),
        helper.make_node("Mul", ["sine", "half"], ["sound"]),
    ]


def _constants(rate: int) -> dict[str, np.ndarray]:
    return {
        "each": np.array(SAMPLES_A_PHONEME, np.float32),
        "start": np.array(0, np.float32),
        "step": np.array(1, np.float32),
        "angle": np.array(2 * np.pi / rate, np.float32),
        "half": np.array(0.5, np.float32),
    }


def _save(
    path: Path,
    inputs: list[Any],
    nodes: list[Any],
    constants: dict[str, np.ndarray],
    output: str,
    shape: list[int | str],
) -> None:
    graph = helper.make_graph(
        nodes,
        "hum",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
