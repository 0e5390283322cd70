"""Tests of the models, and what they share: a fake upstream that is a real server, and prompts."""
