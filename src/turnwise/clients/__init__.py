"""Small programs that talk to a server over its public API, as any client does. They import no other room."""
