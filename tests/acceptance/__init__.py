"""The whole of turnwise from outside: real processes, real sockets, real signals, as a person or a program meets them."""
