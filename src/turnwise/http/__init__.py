"""How it is served: routes, bodies, streams, keys. What is served is decided in `engine/`; how it looks, in `wire/`."""
