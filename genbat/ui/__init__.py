"""Streamlit parts: state, caches, cards, progress; the live components lie in `components`."""
