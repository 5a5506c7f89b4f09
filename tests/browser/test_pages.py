"""Every page, light and dark, narrow and wide: quiet, whole, reachable by keyboard."""

import os

import pytest
from harness import ROOT, SHOTS

from genbat.studio import explore
from genbat.studio.shortlist import Shortlists
from genbat.studio.store import Store

OWNER = "5" * 32
WAIT = 90_000  # the first page of a server waits for the atlas
H1 = '[data-testid="stMain"] h1'
# Page -> what must be there, and what Tab must reach (None: the page's first field).
PAGES = {
    "home": (H1, None),
    "explore": (".map[data-shown]", None),
    "interpolate": (H1, None),
    "design": (H1, None),
    "shortlist": (".js-plotly-plot .points path", "Compute all with xTB"),
    "jobs": ("text=No jobs yet", "Start a design run"),
}
KNOWN = {
    "O=C1OCC(F)O1": ("forms LiF early; try 5 % in EC/DMC", ("additive", "known good"), 1),
    "O=S1(=O)CCCC1": ("viscous; dilute", ("solvent",), 2),
    "O=C1OCCO1": ("", (), None),
    "N#CCCCCC#N": ("", (), None),
    "FC(F)C(F)(F)COC(F)(F)C(F)F": ("PFAS: only as a reference", ("diluent",), None),
    "COC(=O)OC": ("", (), None),
}
REST = """() => !document.querySelector(`[data-testid="stStatusWidget"], .gb-skeleton,
  [data-testid="stSkeleton"]`)"""
# Middle of the point of the plot that lies highest; the chosen one with its ring lies lower.
ANOTHER = """() => [...document.querySelectorAll('.js-plotly-plot .trace .points path')]
  .map((p) => p.getBoundingClientRect()).filter((box) => box.width)
  .map((box) => [box.x + box.width / 2, box.y + box.height / 2]).sort((a, b) => a[1] - b[1])[0]"""
FIELDS = '[data-testid="stMain"] :is(input, textarea, button, a, canvas)'
FOCUSED = """(name) => {
  const e = document.activeElement, main = e && e.closest('[data-testid="stMain"]');
  if (!main) return false;
  return name ? e.innerText.includes(name) : e.matches('input, textarea, button, a, canvas, div');
}"""


@pytest.fixture(scope="module")
def url(serve):
    """The app with a filled shortlist, sharing the session's home."""
    place, lists = explore.atlas("molecules"), Shortlists(Store())
    mine = lists.create(OWNER, "SEI ideas", "molecules")
    for text, (note, tags, rank) in KNOWN.items():
        entry = lists.add(mine.id, place.typed(text))
        lists.annotate(entry, note=note, tags=tags, rank=rank)
    for row in (place.n_known, place.n_known + 1):
        lists.add(mine.id, place.candidate(row))
    return serve(ROOT / "app.py", {"GENBAT_HOME": os.environ["GENBAT_HOME"]})


@pytest.fixture
def visit(new_page, url):
    """visit(name, **context) -> the page at rest."""

    def open_it(name, **context):
        page = new_page(**{"viewport": {"width": 1280, "height": 900}, **context})
        page.set_default_timeout(WAIT)
        page.goto(f"{url}/{'' if name == 'home' else name}?me={OWNER}")
        page.wait_for_selector(PAGES[name][0])
        page.wait_for_selector(FIELDS)
        settle(page)
        return page

    return open_it


def settle(page):
    page.wait_for_function(REST)
    page.wait_for_timeout(700)


def whole(page):
    """No exception, nothing that sticks out to the right."""
    assert page.locator('[data-testid="stException"]').count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_in_both_themes_and_widths(visit, name):
    page = visit(name)
    page.get_by_text("Basket").first.wait_for()  # even where a link comes first
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width, height in ((1280, 900), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            settle(page)
            whole(page)
    dark = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert dark == "rgb(20, 22, 27)"
    assert quiet(page)


def quiet(page):
    # On a page below the root Streamlit tries two addresses of its server; one is not there.
    return [e for e in page.console_errors if "404" not in e] == []


@pytest.mark.parametrize("name", PAGES)
def test_keyboard_reaches_the_main_control(visit, name):
    page = visit(name)
    assert page.locator(FIELDS).count()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED, PAGES[name][1]):
            return
    raise AssertionError(f"Tab does not reach {PAGES[name][1] or 'any field'} of {name}")


def test_shortlist_links_table_plot_and_card(visit):
    page = visit("shortlist")
    grid = page.locator('[data-testid="stDataFrame"] canvas').first.bounding_box()
    page.mouse.click(grid["x"] + 200, grid["y"] + 40 + 66 * 1 + 30)
    page.wait_for_function(
        "() => document.querySelector('.gb-heading h3').innerText === 'sulfolane'"
    )
    x, y = page.evaluate(ANOTHER)
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y, steps=3)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function(
        "() => document.querySelector('.gb-heading h3').innerText !== 'sulfolane'"
    )
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size({"width": 1280, "height": 960})
    page.wait_for_selector('.mol[data-state="ready"]')
    settle(page)
    page.mouse.move(640, 5)
    page.screenshot(path=SHOTS / "shortlist.png")
    whole(page)
