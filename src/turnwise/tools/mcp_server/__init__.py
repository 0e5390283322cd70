"""The tools of servers that speak the Model Context Protocol.

`tool.py` is the tool, `session.py` speaks the protocol by the official SDK, and `transport.py` carries it over
connections that only reach what requests may reach.
"""
