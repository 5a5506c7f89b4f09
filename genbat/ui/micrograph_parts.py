"""The parts of "Your own micrograph": its phases, a training watched, one's own systems.

The address holds the training that is watched (job) and the system that is asked (own).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import exports, micrograph
from genbat.studio.jobs import Job
from genbat.studio.micrograph import Own, Stack
from genbat.ui import basket, faces, progress, shared, state, volume_card
from genbat.ui.volume_charts import line_colour
from genbat.ui.words import count, plain, short

TYPES = ("tif", "tiff", "png", "jpg", "jpeg")
USUAL_NAMES = ("pore", "active material", "carbon-binder", "phase 4", "phase 5", "phase 6",
               "phase 7", "phase 8")  # fmt: skip
SIZES = (64, 96, 128, 192)
PICTURE = 360  # pixels of the preview at most
SEEDS = 1_000_000


def page() -> None:
    """All of "Your own micrograph": the training of the link, or the way to one."""
    job = watched()
    if job is not None:
        training(job)
    else:
        given = image()
        cut = phases(*given) if given is not None else None
        if given is not None and cut is not None:
            start(cut, given[1])
    own_systems()


def linked_kind() -> str:
    """The kind of the link's job; empty where there is none."""
    try:
        return shared.jobs().get(st.query_params.get("job", "")).kind
    except ValueError:
        return ""


# ---------------------------------------------------------------------- the image
def image() -> tuple[Stack, str] | None:
    """The uploaded image with its file's name; None while there is none, or where it is wrong."""
    file = st.file_uploader(
        "One image of your material",
        type=list(TYPES),
        key="micrograph:file",
        help="A section of at least 64 x 64 pixels, better 300 x 300: labels with one value a "
        "phase, or grey. 8 or 16 bit TIFF, PNG or JPEG.",
    )
    if file is None:
        st.caption(
            "Segmented images work best: what the model learns is the shape of the phases, not "
            "their brightness. Nothing leaves this computer."
        )
        return None
    try:
        return micrograph.stack_of(file.getvalue(), file.name), file.name
    except ValueError as wrong:
        st.error(plain(str(wrong)))
        return None


def phases(stack: Stack, name: str) -> Any:
    """Names and thresholds of the phases, and the image, or the middle slice of a stack, as they
    cut it; None where it does not work."""
    left, right = st.columns([1, 1], gap="large")
    with left:
        many = _how_many(stack, name)
        thresholds = [] if stack.labelled else _thresholds(stack, name, many)
        names = [
            st.text_input(f"Phase {k + 1}", USUAL_NAMES[k], key=f"micrograph:{name}:{many}:{k}")
            for k in range(many)
        ]
        pixel = st.number_input(
            "Edge of a pixel / μm", min_value=0.0, value=0.0, step=0.01, format="%.4g",
            key="micrograph:pixel", help="0 where you do not know it: lengths are then in voxels.",
        )  # fmt: skip
    try:
        found = micrograph.phases_of(stack, names, thresholds, pixel or None)
    except ValueError as wrong:
        st.error(plain(str(wrong)))
        return None
    with right:
        _preview(found)
    return found


def _how_many(stack: Stack, name: str) -> int:
    if stack.labelled:
        many = len(stack.levels)
        st.caption(f"The image is labelled: {count(many, 'value')}, one a phase.")
        return many
    st.caption("The image is grey: it is cut at thresholds, which Otsu's method proposes.")
    return int(
        st.segmented_control(
            "Phases", [2, 3, 4], default=2, key=f"micrograph:{name}:many", required=True
        )
        or 2
    )


def _thresholds(stack: Stack, name: str, many: int) -> list[float]:
    low, high = float(stack.values.min()), float(stack.values.max())
    proposed = micrograph.thresholds_of(stack, many)
    return [
        st.slider(f"Threshold {k + 1}", low, high, value, key=f"micrograph:{name}:{many}:cut{k}")
        for k, value in enumerate(proposed)
    ]


def _preview(volume: Any) -> None:
    _, height, width = volume.shape
    scale = min(1.0, PICTURE / max(height, width))
    source = f"data:image/png;base64,{micrograph.picture(volume)}"
    st.html(
        f"<img alt='your image in its phases' src='{source}' width='{round(width * scale)}' "
        f"height='{round(height * scale)}' style='image-rendering:pixelated'>"
    )
    shares = np.bincount(volume.labels.ravel(), minlength=len(volume.phases)) / volume.labels.size
    words = " · ".join(f"{name} {100 * s:.1f} %" for name, s in
                       zip(volume.phases, shares, strict=True))  # fmt: skip
    st.caption(plain(words))


def start(volume: Any, filename: str) -> None:
    """Name, time and the button that starts the training."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name of your system", filename.rsplit(".", 1)[0], max_chars=micrograph.MOST_NAME,
            key=f"micrograph:{filename}:name", width=260,
        )  # fmt: skip
        minutes = st.number_input(
            "Minutes", *micrograph.MINUTES, value=45.0, step=5.0, key="micrograph:minutes",
            width=130, help="Two phases need about 20 minutes on one core, three about an hour. "
            "You may stop earlier: what it has learnt by then is kept.",
        )  # fmt: skip
        go_on = st.button("Train", type="primary", icon=":material/model_training:")
    if not go_on:
        return
    try:
        told = micrograph.arguments(volume, name, state.owner(), minutes)
    except ValueError as wrong:
        st.error(plain(str(wrong)))
        return
    state.link(job=shared.jobs().submit("micrograph", f"SliceGAN {name}", told, state.owner()))
    st.rerun()


# ---------------------------------------------------------------------- the training
def watched(kind: str = "micrograph") -> Job | None:
    """The job of the link, where it is of that kind; None where there is none."""
    ident = st.query_params.get("job", "")
    try:
        job = shared.jobs().get(ident) if ident else None
    except ValueError:
        st.warning("The job of this link is not here (any more).")
        return None
    return job if job and job.kind == kind else None


def training(job: Job) -> None:
    """How far it is, and what it makes, side by side with the image."""
    st.subheader(plain(short(str(job.arguments.get("name", "")), 60)), anchor=False)
    if job.active:
        st.fragment(_live, run_every=progress.EVERY_S * 2)(job.id)
        return
    progress.ending(job)
    _looks(job)
    with st.container(horizontal=True):
        if job.state in ("failed", "cancelled") and st.button("Go on", icon=":material/replay:"):
            state.link(job=shared.jobs().resubmit(job.id))
            st.rerun()
        if st.button("Another image", icon=":material/add_photo_alternate:"):
            state.link(job=None)
            st.rerun()


def _live(ident: str) -> None:
    job = shared.jobs().get(ident)
    if not job.active:
        st.rerun()
    progress.bar(job, "micrograph")
    st.caption("Cancel when the slices look right: what it has learnt by then is kept.")
    _looks(job)


def _looks(job: Job) -> None:
    """The latest slices, and shares of the phases over the steps."""
    found = [dict(result.payload) for result in shared.jobs().results(job.id)]
    if not found:
        st.caption("The first slices come after some seconds.")
        return
    left, right = st.columns([1.2, 1], gap="large")
    pictures = "".join(
        f"<figure style='display:inline-block;margin:0 .6em 0 0'><img alt='slice across {axis}' "
        f"width='150' height='150' style='image-rendering:pixelated' "
        f"src='data:image/png;base64,{slice_}'><figcaption>across {axis}</figcaption></figure>"
        for axis, slice_ in zip("zyx", found[-1]["slices"], strict=True)
    )
    left.html(f"<div>{pictures}</div>")
    left.caption(
        f"Slices of a volume after {found[-1]['step']} steps; they should look like yours."
    )
    right.plotly_chart(shares(found), key=f"micrograph:shares:{job.id}",
                       config={"displayModeBar": False})  # fmt: skip


def shares(found: Sequence[dict[str, Any]]) -> go.Figure:
    """Shares of the phases it makes over the steps, those of the image dotted."""
    figure, steps = go.Figure(), [one["step"] for one in found]
    for k, wanted in enumerate(found[-1]["wanted"]):
        colour = line_colour(k)
        figure.add_scatter(
            x=steps, y=[one["shares"][k] for one in found], mode="lines", name=f"phase {k + 1}",
            line={"color": colour, "width": 2.2},
        )  # fmt: skip
        figure.add_hline(y=wanted, line={"color": colour, "width": 1.2, "dash": "dot"})
    figure.update_layout(
        height=220, margin={"l": 52, "r": 8, "t": 26, "b": 40},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(title_text="steps of the generator", fixedrange=True)
    figure.update_yaxes(title_text="share (dotted: your image)", fixedrange=True,
                        rangemode="tozero")  # fmt: skip
    return figure


# ---------------------------------------------------------------------- one's own systems
def own_systems() -> None:
    """This person's systems, and volumes of the one that is chosen."""
    mine = micrograph.owned(state.owner())
    if not mine:
        return
    st.subheader("Your systems", anchor=False)
    by_ident = {one.ident: one for one in mine}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ident = st.selectbox(
            "System", list(by_ident), format_func=lambda i: _titled(by_ident[i]), width=340,
            index=_linked(list(by_ident)), key="micrograph:own",
        )  # fmt: skip
        size = st.segmented_control("Voxels along an edge", list(SIZES), default=SIZES[0],
                                    key="micrograph:size", required=True)  # fmt: skip
        seed = st.number_input("Seed", 0, SEEDS, 0, key="micrograph:seed", width=120,
                               help="The same seed gives the same volume.")  # fmt: skip
    state.link(own=ident)
    try:
        made = _made(ident, int(size or SIZES[0]), int(seed))
    except ValueError as wrong:
        st.error(plain(str(wrong)))
        return
    volume(made, "micrograph")


def _titled(own: Own) -> str:
    return f"{plain(short(own.name, 40))} · {own.steps} steps"


def _linked(idents: list[str]) -> int:
    asked = st.query_params.get("own", "")
    return idents.index(asked) if asked in idents else 0


@st.cache_data(max_entries=16, show_spinner="Making the volume")
def _made(ident: str, size: int, seed: int) -> Candidate:
    return micrograph.candidate(ident, size, seed)


def volume(made: Candidate, key: str) -> None:
    """A volume in 3D, what its card says, and what can be done with it."""
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        faces.structure(made, f"{key}:3d", 380)
    with right:
        volume_card.sections(made, key)
        with st.container(horizontal=True):
            if st.button("Add to shortlist", type="primary", icon=":material/add:",
                         key=f"{key}:add"):  # fmt: skip
                basket.add(made)
            st.download_button(
                "TIFF", lambda: exports.export([made], "tif"), "genbat-volume.tif", "image/tiff",
                icon=":material/download:", on_click="ignore", key=f"{key}:tif",
            )  # fmt: skip
