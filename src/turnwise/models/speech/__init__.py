"""Models that speak: text in, sound out.

    speech.py       a model of a speaker: what is asked for, in fragments
    script.py       a prompt as lines, each with its voice; directions.py and style.py tell text from how to say it
    speaker.py      the contract: a line in, sound out
    espeak.py       espeak-ng, which needs no weights
    piper.py, kokoro.py     with the user's weights
    openai.py       a server with OpenAI's API of speech
    gemini.py       Gemini's voices, a model by itself
    sound.py        resampling and encoding, in one place
    voices.py       the thirty names; languages.py: which language, and who speaks it
    workers.py      processes of their own, in which engines under the GPL run (`*_worker.py`, `worker.py`)

Nothing is imported before an entry of the settings chooses it.
"""
