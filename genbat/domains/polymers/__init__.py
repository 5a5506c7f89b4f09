"""Polymer electrolytes: repeat units as text, what is known of them, and a surrogate."""
