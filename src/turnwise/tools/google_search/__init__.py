"""Search, behind the function `google_search`, by the engine that whoever runs this server has chosen.

tool.py            the tool: several queries side by side, and what clients and models are told of them
hits.py            what was found: merged, fitted and shown. Pure
engine.py          the contract of an engine
engines.py         which engines there are
asking.py          HTTP, as three of the engines use it
searxng.py         a SearXNG server
brave.py           the Brave Search API
tavily.py          the Tavily API
public.py          public search engines by the package ddgs, in a process of its own: public_worker.py
folder.py          a folder of one's own documents
index.py           where the words of these documents are kept
indexing.py        how they come there
chunks.py          documents in pieces that can be found by themselves. Pure
words.py           texts and queries as SQLite's full-text index takes them. Pure
"""
