"""Two small clients that add up a stream, as the SDKs of either dialect tell their users to. What a client has at the
end must be what a reply shows at once."""

from copy import deepcopy
from typing import Any

import orjson

from turnwise.wire.common import Frame


def add_up_outputs(frames: list[Frame]) -> list[Any]:
    """The outputs of a stream in the founding dialect. Each index starts once, in order, and nothing comes outside."""
    outputs: list[Any] = []
    opened: int | None = None
    for name, data in frames:
        match name:
            case "content.start":
                assert opened is None
                assert data["index"] == len(outputs), "an index was reused or left out"
                opened = data["index"]
                outputs.append(deepcopy(data["content"]))
            case "content.delta":
                assert data["index"] == opened
                outputs[opened] = _more_of_output(outputs[opened], data["delta"])
            case "content.stop":
                assert data["index"] == opened
                opened = None
            case _:
                assert opened is None
    return outputs


def _more_of_output(output: Any, delta: Any) -> Any:
    match delta["type"]:
        case "text":
            more = {**output, "text": output["text"] + delta["text"]}
            notes = [*output.get("annotations", []), *delta.get("annotations", [])]
            return {**more, "annotations": notes} if notes else more
        case "thought_summary":
            return {**output, "summary": [*output.get("summary", []), delta["content"]]}
        case "thought_signature":
            return {**output, "signature": delta["signature"]}
        case "image" | "audio" | "video" | "document":
            return _more_media(output, delta)
        case _:
            return delta


def add_up_steps(frames: list[Frame]) -> list[Any]:
    """The steps of a stream in the current dialect. Each index starts once, in order, and nothing comes outside."""
    steps: list[Any] = []
    arguments = ""
    opened: int | None = None
    for name, data in frames:
        match name:
            case "step.start":
                assert opened is None
                assert data["index"] == len(steps), "an index was reused or left out"
                opened, arguments = data["index"], ""
                steps.append(deepcopy(data["step"]))
                if steps[-1]["type"] in ("user_input", "model_output"):
                    steps[-1]["content"] = []
            case "step.delta":
                assert data["index"] == opened
                if data["delta"]["type"] == "arguments_delta":
                    arguments += data["delta"]["arguments"]
                    assert data["delta"]["partial_arguments"] == data["delta"]["arguments"]
                else:
                    _more_of_step(steps[opened], data["delta"])
            case "step.stop":
                assert data["index"] == opened
                if arguments:
                    steps[opened]["arguments"] = orjson.loads(arguments)
                opened = None
            case _:
                assert opened is None
    return steps


def _more_of_step(step: Any, delta: Any) -> None:
    content = step.get("content")
    match delta["type"]:
        case "text" if content and content[-1]["type"] == "text":
            content[-1]["text"] += delta["text"]
        case "text":
            content.append(deepcopy(delta))
        case "text_annotation_delta":
            content[-1].setdefault("annotations", []).extend(delta["annotations"])
        case "image" | "audio" | "video" | "document" if content and content[-1]["type"] == delta["type"]:
            content[-1] = _more_media(content[-1], delta)
        case "image" | "audio" | "video" | "document":
            content.append(deepcopy(delta))
        case "thought_summary":
            step.setdefault("summary", []).append(delta["content"])
        case "thought_signature":
            step["signature"] = delta["signature"]
        case _:
            assert not {"id", "call_id"} & set(delta), "the ids stand in the start"
            step.update(delta)


def _more_media(media: Any, delta: Any) -> Any:
    if "data" not in media or "data" not in delta:
        return {**media, **delta}
    return {**media, **delta, "data": media["data"] + delta["data"]}
