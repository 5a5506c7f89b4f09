"""The share of pores that makes a volume as tortuous as asked, judged by TauFactor."""

import math

import pytest
import torch
from scipy.ndimage import gaussian_filter

from genbat.core.condition import Window
from genbat.domains.microstructures.statistics import fractions
from genbat.domains.microstructures.transport import transport
from genbat.systems.microdiffusion_network import Config
from genbat.systems.microdiffusion_settling import Search, settled
from genbat.systems.microvae_network import assigned
from genbat.systems.volumes import shares_of

torch.set_num_threads(1)
CONFIG = Config()


@pytest.fixture(scope="module")
def logits():
    """Of three phases, smooth in space."""
    noise = torch.randn(3, 24, 24, 24, generator=torch.Generator().manual_seed(0)).numpy()
    smooth = torch.tensor(gaussian_filter(noise, (0, 2, 2, 2)))
    return (smooth / smooth.std() + torch.tensor([0.0, 0.5, -1.5])[:, None, None, None])[None]


def tortuosity(volume):
    return transport(volume, (0,), 0).tortuosity


@pytest.mark.parametrize("aim", [1.6, 2.5, 5.0])
def test_a_tortuosity_is_met(logits, aim):
    plain = tortuosity(settled(logits, CONFIG, {"tau_z": Window(aim, aim)}, 0))
    found = tortuosity(settled(logits, CONFIG, {"tau_z": Window(aim, aim)}, 6))
    assert found == pytest.approx(aim, rel=0.05)
    assert abs(found - aim) <= abs(plain - aim)


def test_one_that_lies_in_its_window_is_left_alone(logits):
    plain = settled(logits, CONFIG, {}, 6)
    found = tortuosity(plain)
    same = settled(logits, CONFIG, {"tau_z": Window(0.5 * found, 1.02 * found)}, 6)
    assert (same.labels == plain.labels).all()
    wanted = assigned(logits, shares_of(logits, CONFIG.phases, {}))[0].numpy()
    assert (plain.labels == wanted).all()


def test_porosity_stays_in_its_window_and_binder_is_kept(logits):
    windows = {"tau_z": Window(1.1, 1.1), "porosity": Window(0.3, 0.42)}
    free = fractions(settled(logits, CONFIG, {"porosity": Window(0.3, 0.42)}, 0))
    share = fractions(settled(logits, CONFIG, windows, 6))
    assert share[0] == pytest.approx(0.42, abs=1e-3)
    assert share[2] == pytest.approx(free[2], abs=1e-3)
    fixed = windows | {"porosity": Window(0.35, 0.35)}
    assert fractions(settled(logits, CONFIG, fixed, 6))[0] == pytest.approx(0.35, abs=1e-4)


def test_where_nothing_percolates_pores_are_added(logits):
    windows = {"tau_z": Window(3.0, 3.0), "porosity": Window(0.06, 0.9)}
    logits = logits.clone()
    logits[:, 0] -= 3.0  # hardly any pore is expected
    assert math.isinf(tortuosity(settled(logits, CONFIG, windows, 0)))
    assert tortuosity(settled(logits, CONFIG, windows, 12)) == pytest.approx(3.0, rel=0.05)


@pytest.mark.parametrize("power", [-1.0, -2.5])
def test_the_search_closes_in_on_a_power_law(power):
    share, search = math.log(0.2), Search()
    root = math.log(0.47)
    for _ in range(8):
        search.tell(share, power * (share - root))
        share = search.next()
    assert share == pytest.approx(root, abs=1e-3)


def test_the_search_halves_a_bracket_that_holds_the_percolation_threshold():
    search = Search()
    search.tell(math.log(0.1), math.inf)
    search.tell(math.log(0.4), -0.3)
    assert math.exp(search.next()) == pytest.approx(0.2)
