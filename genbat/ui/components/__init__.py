"""Live parts of the pages, written as Streamlit components: the latent map and the 3D viewer.

`latmap` draws up to a million points and reports picks, lassos and steps; `viewer3d` shows one
molecule or crystal; `html_view` writes a structure into one self-contained HTML file.
"""
