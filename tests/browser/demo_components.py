"""A page with the map and the 3D viewer on synthetic data; tests and benchmarks drive it."""

import os

import numpy as np
import streamlit as st

from genbat.ui.components import latmap
from genbat.ui.components.viewer3d import viewer

N = int(st.query_params.get("n") or os.environ.get("DEMO_POINTS", "20000"))
FAMILIES = ["known", "VAE", "GAN", "diffusion", "GPT"]
HUES = ["#7f858f", "#0072b2", "#e69f00", "#009e73", "#cc79a7"]
COLOURS = ["LUMO", "vIP", "family", "nothing", "constant", "centred"]

ETHYLENE_CARBONATE = """10
ethylene carbonate
O  0.000  2.246 0.000
C  0.000  1.056 0.000
O  1.114  0.290 0.000
C  0.763 -1.096 0.000
C -0.763 -1.096 0.000
O -1.114  0.290 0.000
H  1.164 -1.576 0.895
H  1.164 -1.576 -0.895
H -1.164 -1.576 0.895
H -1.164 -1.576 -0.895
"""
WATER = "3\nwater\nO 0 0 0.117\nH 0 0.757 -0.471\nH 0 -0.757 -0.471\n"
LITHIA = """lithium chloride
1.0
5.13 0 0
0 5.13 0
0 0 5.13
Li Cl
1 1
Direct
0 0 0
0.5 0.5 0.5
"""
MOLECULES = {"EC": (ETHYLENE_CARBONATE, "xyz"), "water": (WATER, "xyz"), "LiCl": (LITHIA, "vasp"),
             "broken": ("no structure at all", "xyz")}  # fmt: skip


@st.cache_resource
def world(n: int) -> dict[str, np.ndarray]:
    """Clusters and thin rings: `xy` (n, 2), two numbers, a family and a mask of the known."""
    rng = np.random.default_rng(7)
    rings, groups = n // 10, 40
    angle = rng.uniform(0, 2 * np.pi, rings)
    radius = rng.choice([1.2, 2.6], rings) + rng.normal(0, 0.02, rings)
    ring = np.c_[radius * np.cos(angle) + 6, radius * np.sin(angle) - 2]
    which = rng.integers(groups, size=n - rings)
    centres, width = rng.uniform(-8, 8, (groups, 2)), rng.uniform(0.15, 0.9, groups)
    cloud = centres[which] + width[which, None] * rng.normal(size=(n - rings, 2))
    xy = np.concatenate([cloud, ring]).astype(np.float32)
    lumo = -6 + np.sin(xy[:, 0] / 2) + 0.3 * xy[:, 1] + rng.normal(0, 0.2, n)
    lumo[rng.random(n) < 0.02] = np.nan
    family = np.where(rng.random(n) < 0.8, 0, rng.integers(1, 5, n))
    vip = 14 + 0.2 * xy[:, 0] + rng.normal(0, 0.3, n)
    return {"xy": xy, "LUMO": lumo, "vIP": vip, "family": family, "known": family == 0}


@st.cache_resource
def columns(n: int) -> dict[str, latmap.Column]:
    """Everything packed for the browser, once."""
    data = world(n)
    names = ["C" * (1 + i % 9) + f"O{i}" for i in range(n)]
    names[:1] = ["<img src=x onerror='window.hacked=1'>"] * min(n, 1)
    return {
        "xy": latmap.positions(data["xy"]),
        "LUMO": latmap.numeric(data["LUMO"], "LUMO", "eV"),
        "vIP": latmap.numeric(data["vIP"], "vIP", "eV", latmap.CIVIDIS),
        "family": latmap.category(data["family"], FAMILIES, "Family", HUES),
        "nothing": latmap.numeric(np.full(n, np.nan), "Flash point", "K"),
        "constant": latmap.numeric(np.full(n, 3.0), "Charge", "e"),
        "centred": latmap.numeric(data["LUMO"], "LUMO", "eV", latmap.DIVERGING, centre=-7.0),
        "names": latmap.labels(names),
        "filter": latmap.mask(data["vIP"] > 14),
        "back": latmap.mask(data["known"], "known"),
    }


def path() -> tuple[np.ndarray, np.ndarray]:
    """A curved walk of 11 steps and the straight one."""
    t = np.linspace(0, 1, 11)[:, None]
    straight = (1 - t) * np.array([[-6.0, -5.0]]) + t * np.array([[5.0, 5.0]])
    return straight + np.sin(np.pi * t) * np.array([[-2.5, 2.5]]), straight


def describe(event: dict | None, column: dict[str, latmap.Column], colour: str) -> str:
    """What the server makes of the event."""
    if event is None:
        return "nothing yet"
    if event["kind"] != "lasso":
        return f"{event['kind']} {event.get('index', event.get('step', event.get('at')))}"
    live = world(N)["vIP"] > 14 if st.session_state.filter else None
    back = column["back"] if st.session_state.back else None
    hidden = latmap.unseen(event, column[colour], back)
    rows = latmap.lassoed(event, column["xy"], live, hidden)
    again = latmap.lassoed({**event, "indices": None}, column["xy"], live, hidden)
    return f"lasso {event['count']} {len(rows)} {len(again)} same={np.array_equal(rows, again)}"


@st.fragment
def map_part() -> None:
    """Map and its answer rerun together."""
    row = st.columns([3, 1, 1, 1], vertical_alignment="bottom")
    colour = row[0].radio("Colour", COLOURS, key="colour", horizontal=True, bind="query-params")
    for place, name in zip(row[1:], ("filter", "back", "path"), strict=True):
        place.checkbox(name, key=name, bind="query-params")
    column, on = columns(N), st.session_state
    walk, straight = path() if on.path else ((), ())
    known = int(world(N)["known"].sum())
    event = latmap.latent_map(
        column["xy"],
        column[colour],
        key="map",
        filter=column["filter"] if on.filter else None,
        back=column["back"] if on.back else None,
        names=column["names"],
        path=walk,
        path2=straight,
        marks=[{"i": 17, "label": "EC"}, {"x": 5.5, "y": 2.0, "label": "target"}] if N else [],
        step=4 if on.path else None,
        note=f"{known:,} known · {N - known:,} generated",
    )
    st.markdown(f'event: "{describe(event, column, colour)}" t={event and event["t"]}')


st.set_page_config("Components", layout="wide")
left, right = st.columns([3, 2])
with left:
    map_part()
with right:
    chosen = st.radio("Molecule", list(MOLECULES), horizontal=True)
    atom = viewer(*MOLECULES[chosen], chosen, key="mol", height=360)
    st.markdown(f"atom: {atom and (atom['elem'], atom['index'], atom['distance'])}")
