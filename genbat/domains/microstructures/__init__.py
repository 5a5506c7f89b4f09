"""Electrode microstructures: volumes, what counting and transport say of them, a generator."""
