"""Kinds of matter and the physics that judges them; knows no generative model."""
