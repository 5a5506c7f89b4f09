"""Molecules for liquid electrolytes: data, codec, physics, drawing."""
