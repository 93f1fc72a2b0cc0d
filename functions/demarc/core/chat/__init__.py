"""Findings and digests as chats show them, and what people answer there; pure, like all of the core."""
