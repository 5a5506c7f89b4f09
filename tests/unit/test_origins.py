"""Which system made what stands on a map: to colour by, and to choose."""

import numpy as np
import pandas as pd
import pytest
import tiny_crystal_atlas

from genbat.latent.maps import LatentMap
from genbat.studio.explore import Atlas
from genbat.ui import explore_parts, shared
from genbat.ui.explore_filters import Filters

MADE = ["mattergen", "cdvae", "mattergen"]


def place(made=MADE):
    whole = tiny_crystal_atlas.atlas()
    n, points, texts = whole.n_known, tiny_crystal_atlas.points(), tiny_crystal_atlas.texts()
    library = pd.DataFrame(
        {
            "text": texts[n : n + len(made)],
            "latent": [p.astype("f2") for p in points[n : n + len(made)]],
            "seed": 0,
            "index": range(len(made)),
            "system": made,
        }
    )
    latents = points[:n].astype("f4")
    return Atlas(whole.dataset, library, LatentMap(latents, latents[:, :2], 0.5), whole.system)


def test_every_row_knows_who_made_it():
    whole = place()
    assert whole.makers == ["mattergen", "cdvae"]
    assert not whole.origins[: whole.n_known].any()
    assert whole.origins[whole.n_known :].tolist() == [1, 2, 1]


def test_a_system_can_be_chosen():
    whole = place()
    rows = lambda mask: np.nonzero(mask)[0].tolist()  # noqa: E731
    n = whole.n_known
    assert rows(whole.filter({}, statuses=["cdvae"])) == [n + 1]
    assert rows(whole.filter({}, statuses=["known", "mattergen"])) == [*range(n), n, n + 2]
    assert rows(whole.filter({}, statuses=["generated"])) == [n, n + 1, n + 2]


def test_known_ones_lie_behind_what_one_system_made():
    whole = place()
    n, live = whole.n_known, Filters().live(whole, "cdvae")
    assert np.nonzero(live)[0].tolist() == [*range(n), n + 1] and Filters().behind("cdvae")
    assert Filters().live(whole, "all") is Filters().live(whole, "generated") is None
    assert Filters().live(whole, "known").sum() == n and not Filters().behind("known")
    some = Filters(windows={"formation_ev": (-99.0, 99.0)})
    assert not some.behind("cdvae")
    assert not some.live(whole, "cdvae")[:n].any()


@pytest.mark.parametrize(
    ("made", "title", "names"),
    [
        (MADE, "Made by", ["known", "MatterGen", "CDVAE"]),
        (["mattergen"] * 2, "Status", ["known", "generated"]),
    ],
)
def test_the_legend_names_the_systems(made, title, names):
    head = shared._origins(place(made)).head
    assert head["name"] == title and head["names"] == names
    assert len(set(head["colors"])) >= len(names)


def test_what_can_be_shown():
    assert explore_parts._makers(place()) == {
        "mattergen": "Made by MatterGen",
        "cdvae": "Made by CDVAE",
    }
    assert explore_parts._makers(place(["cdvae"])) == {"generated": "Made by CDVAE"}
    assert explore_parts._makers(place([])) == {"generated": "Made by Tiny"}
