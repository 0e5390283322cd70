"""The whole of turnwise from outside: real processes, real sockets, real signals, as people and programs meet them."""
