"""A structure as one HTML file that turns in any browser, without internet."""

from __future__ import annotations

import html
import json
from functools import cache

from genbat.core import paths
from genbat.ui.components.viewer3d import CRYSTAL, MOLECULE

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';
  script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ margin: 0 auto; max-width: 960px; padding: 24px;
         font: 16px/1.5 system-ui, sans-serif; color: #1f2430; }}
  h1 {{ font-size: 20px; font-weight: 600; overflow-wrap: anywhere; }}
  p {{ color: #667085; font-size: 14px; }}
</style>
</head>
<body>
<h1>{title}</h1>
{view}
<p>Drag to turn, wheel to zoom.
Drawn by 3Dmol.js {version} (BSD-3-Clause), which this file carries.</p>
</body>
</html>
"""
# The library is in the page: py3Dmol finds its promise kept and loads nothing.
_LIBRARY = "<script>{script}</script>\n<script>var $3Dmolpromise = Promise.resolve();</script>\n"


def standalone_html(xyz_text: str, title: str) -> str:
    """One HTML page of about 550 kB that shows the molecule in `xyz_text` and fetches nothing."""
    import py3Dmol

    size = {"width": "100%", "height": 560}
    view = py3Dmol.view(data=xyz_text, format="xyz", style=dict(MOLECULE), js="", **size)
    body = _harmless(view._make_html(), xyz_text)
    page = _PAGE.format(title=html.escape(title), version=py3Dmol.__version__, view="@view@")
    return page.replace("@view@", _LIBRARY.replace("{script}", _script()) + body, 1)


# One canvas for all views of a page: it moves to the one that was opened last.
_ONE_CANVAS = """
<style>.view3d .stage { position: relative; width: 100%; height: 300px; }
.view3d summary { cursor: pointer; }</style>
<script>
let stage, viewer;
document.addEventListener("toggle", ({ target }) => {
  if (!target.matches("details.view3d") || !target.open) return;
  document.querySelectorAll("details.view3d[open]").forEach((d) => { d.open = d === target; });
  if (!stage) { stage = document.createElement("div"); stage.className = "stage"; }
  target.append(stage);
  viewer ??= $3Dmol.createViewer(stage, { backgroundColor: "white" });
  viewer.removeAllModels();
  viewer.removeAllShapes();
  viewer.removeAllLabels();
  viewer.addModel(target.dataset.text, target.dataset.format);
  viewer.setStyle({}, JSON.parse(target.dataset.style));
  if (target.dataset.format === "cif") viewer.addUnitCell(viewer.getModel());
  viewer.resize(); viewer.zoomTo(); viewer.render();
}, true);
</script>
"""


def report_head() -> str:
    """What a page with any number of `report_view` carries once: library and canvas."""
    return f"<script>{_script()}</script>" + _ONE_CANVAS


def report_view(text: str, fmt: str) -> str:
    """A fold that shows a structure in 3D once it is opened; needs `report_head` in its page."""
    style = CRYSTAL if fmt == "cif" else MOLECULE
    parts = {"text": text, "format": fmt, "style": json.dumps(dict(style))}
    data = " ".join(f'data-{k}="{html.escape(v, quote=True)}"' for k, v in parts.items())
    return f'<details class="view3d" {data}><summary>3D view</summary></details>'


def _harmless(page: str, text: str) -> str:
    """No tag in a structure's text may end the script that it stands in."""
    plain = json.dumps(text)
    return page.replace(plain, plain.replace("<", "\\u003c"))


@cache
def _script() -> str:
    return (paths.STATIC / "3Dmol-min.js").read_text("utf-8")
