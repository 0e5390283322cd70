"""Tokens: what a vendor gave with a thought or a call and wants back with it, as one text for the engine to keep. Pure.

A vendor checks them, and nobody else can read them. So a token names its maker, a vendor and one of its models, and is
given back to that one alone; any other is shown a thought's raw text, or a call, as if there had been none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import orjson
from pydantic_ai.messages import ModelResponsePart, ThinkingPart, ToolCallPart

Signable = TypeVar("Signable", ThinkingPart, ToolCallPart)
"""The parts of an answer whose tokens are kept."""


def read_token(part: ModelResponsePart, maker: str) -> str | None:
    """What is to be given back with a part that is whole. None: nothing."""
    match part:
        case ThinkingPart(signature=signature, provider_details=details):
            pass
        case ToolCallPart(provider_details=details):
            signature = None
        case _:
            return None
    if not signature and not details:
        return None
    return orjson.dumps({"by": maker, "id": part.id, "signature": signature, "details": details}).decode()


def with_token(part: Signable, token: str | None, maker: str, provider: str) -> Signable:
    """A part as it came, if this maker gave the token. `provider`: how the layer calls the vendor, by which it tells
    parts of its own from those of others."""
    given = {} if token is None else orjson.loads(token)
    if given.get("by") != maker:
        return part
    signed = replace(part, id=given["id"], provider_name=provider, provider_details=given["details"])
    return replace(signed, signature=given["signature"]) if isinstance(signed, ThinkingPart) else signed
