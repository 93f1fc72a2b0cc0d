"""Pure: what we know and what we conclude. Nothing here reads a clock, an environment or a network."""
