"""Pictures without an image model: a prompt's words become a scene, the scene becomes SVG, and that becomes pixels.

`model.py` is the model; `scene.py` says what a picture consists of; `words/` reads a prompt; `composing/` arranges;
`changing.py` goes on from an earlier picture; `painting.py` and `symbols/` draw; `rendering.py` makes the bytes.
"""
