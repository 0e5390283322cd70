"""Names of the API whose models paint or speak. Where `"*"` answers such a name, it answers in that modality.

From the founding document and the model lists of the SDKs up to 3.4.0.
"""

from collections.abc import Mapping

from turnwise.domain.formats import Modality

PAINTERS = (
    "gemini-2.5-flash-image",
    "gemini-2.5-flash-image-preview",
    "gemini-3-pro-image",
    "gemini-3-pro-image-preview",
    "gemini-3.1-flash-image",
    "gemini-3.1-flash-image-preview",
    "gemini-3.1-flash-lite-image",
    "gemini-nano-banana-2.1",
    "nano-banana-pro-preview",
)

SPEAKERS = (
    "gemini-2.5-flash-preview-tts",
    "gemini-2.5-pro-preview-tts",
    "gemini-3.1-flash-tts-preview",
    "gemini-3.8-flash-tts",
    "gemini-3.8-flash-lite-tts",
)

ANSWERS_IN: Mapping[str, Modality] = {**dict.fromkeys(PAINTERS, "image"), **dict.fromkeys(SPEAKERS, "audio")}
"""What each of these names answers in when the request does not say."""
