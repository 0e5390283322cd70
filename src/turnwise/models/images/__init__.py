"""Models that make images, behind an API of theirs or in a process of ours.

    asking.py             what a conversation asks them for: words, and pictures to start from
    sizes.py              which pixels a server makes, and which of them to ask for
    openai.py             servers that speak `POST /images/generations` and `/images/edits`
    gemini.py             Gemini's models that answer with images
    diffusers.py          weights of the user's own, by the package diffusers
    diffusers_worker.py   the process in which it runs

What needs no weights at all is in `models/drawing`.
"""
