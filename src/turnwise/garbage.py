"""When a server looks for garbage.

Almost all that a request leaves is gone at once. What refers to itself, as some errors do, has to be looked for, and
Python looks through everything that there is: after a start a hundred thousand things of which hardly any ever goes,
50 ms in which nobody is answered, and 6 % of the processor's time under load. So nothing is looked for while the server
starts, and what is there then is never looked through again.

What is made afterwards is looked through as often as Python does by itself. Ten times less often would save 3 % more;
but a client that leaves, or an upstream that cannot be reached, leaves a circle that holds a whole request, and these
would pile up to twice the memory.
"""

import gc


def put_off() -> None:
    """Look for no garbage until `settle`: nothing that is loaded goes."""
    gc.disable()


def settle() -> None:
    """Take all that is there now for what stays, and look for garbage from now on."""
    gc.freeze()
    gc.enable()
