"""Small frozen dataclasses that every ring shares; imports nothing of GenBat."""
