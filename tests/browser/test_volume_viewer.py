"""The volume viewer in a real browser: exact cut faces, phases, cuts, scale, one WebGL context."""

from pathlib import Path

import numpy as np
import pytest
from drivers import FIND
from harness import SHOTS

from genbat.domains.microstructures.generator import Recipe, make

HERE = Path(__file__).parent
# Looks straight down on the cut at z = `top` and says which phase each voxel's middle shows.
FACE = """(box, top) => {
  const v = box.volume, [nx, ny] = v.count;
  const colours = ["#ff0000", "#00ff00", "#0000ff"];
  v.phases.forEach((p, k) => Object.assign(p, { on: true, alpha: 1, color: colours[k] }));
  v.cuts[2][1] = top;
  Object.assign(v, { around: -Math.PI / 2, above: Math.PI / 2 - 1e-5, zoom: 1.3 });
  v.draw(v);
  const { width, height } = v.canvas, pixels = new Uint8Array(4 * width * height);
  v.gl.readPixels(0, 0, width, height, v.gl.RGBA, v.gl.UNSIGNED_BYTE, pixels);
  const far = Math.hypot(...v.lengths) * 1.68 / v.zoom;
  const depth = far - (top - v.count[2] / 2) * v.size[2], found = [];
  for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) {
    const at = [(x + 0.5 - nx / 2) * v.size[0], (y + 0.5 - ny / 2) * v.size[1]];
    const px = Math.floor(at[0] / depth * 1.6 * height + width / 2);
    const py = Math.floor(at[1] / depth * 1.6 * height + height / 2);
    const c = pixels.subarray(4 * (py * width + px), 4 * (py * width + px) + 3);
    found.push(c.indexOf(Math.max(...c)));
  }
  return found;
}"""


@pytest.fixture(scope="module")
def page(shared_pages, serve):
    page = shared_pages()
    page.goto(serve(HERE / "demo_volume.py"))
    page.wait_for_selector(".volume[data-state=ready]")
    return page


@pytest.fixture
def viewer(page):
    yield page.locator(".volume")
    assert page.console_errors == []


def choose(page, name):
    page.get_by_role("radiogroup", name="Volume").get_by_text(name, exact=True).click()
    page.wait_for_selector(f'.volume[data-shown="{name}"]')
    return page.evaluate_handle(FIND, ".volume")


@pytest.mark.parametrize(("name", "size"), [("cube", 64), ("flat voxels", 64), ("large", 128)])
def test_cut_faces_are_the_labels(page, viewer, name, size):
    box = choose(page, name)
    labels = make(Recipe(size=size), 1).labels
    for top in (size, size // 2, 3):
        found = np.array(box.evaluate(FACE, top)).reshape(size, size)
        assert (found == labels[top - 1]).mean() > 0.9999


def test_a_hidden_phase_is_clear(page, viewer):
    box = choose(page, "cube")
    seen = (
        "(b) => { const p = new Uint8Array(4); b.volume.draw(b.volume); const c = b.volume.canvas;"
    )
    seen += (
        " b.volume.gl.readPixels(c.width / 2, c.height / 2, 1, 1, 6408, 5121, p); return p[3]; }"
    )
    assert box.evaluate(seen) > 200
    for phase in ("active material", "carbon-binder"):
        viewer.get_by_label(f"show {phase}").uncheck()
    page.wait_for_timeout(400)
    assert box.evaluate(seen) < 60
    for phase in ("active material", "carbon-binder"):
        viewer.get_by_label(f"show {phase}").check()


def test_cuts_keep_their_order(page, viewer):
    box = choose(page, "flat voxels")
    viewer.get_by_label("cut along x, from").fill("60")
    viewer.get_by_label("cut along x, to").fill("20")
    low, high = box.evaluate("(b) => b.volume.cuts[0]")
    assert low == 60 and high == 61


def test_the_scale_bar_is_as_long_as_it_says(page, viewer):
    for name, unit in (("cube", "voxels"), ("flat voxels", "μm")):
        box = choose(page, name)
        length = float(viewer.get_attribute("data-bar"))
        assert viewer.locator(".scale").inner_text() == f"{length:g} {unit}"
        wide = viewer.locator(".scale").bounding_box()["width"]
        per = box.evaluate("""(b) => { const v = b.volume;
          return v.canvas.clientHeight * 1.6 / (Math.hypot(...v.lengths) * 1.68 / v.zoom); }""")
        assert wide == pytest.approx(length * per, abs=1.5)


def test_it_turns_by_mouse_and_keys_and_goes_home(page, viewer):
    box = choose(page, "cube")
    home = box.evaluate("(b) => [b.volume.around, b.volume.above]")
    canvas = viewer.locator(".room canvas")
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    assert box.evaluate("(b) => b.volume.around") != home[0]
    canvas.dblclick()
    assert box.evaluate("(b) => [b.volume.around, b.volume.above]") == pytest.approx([0.6, 0.45])


def test_one_context_for_all_volumes(page, viewer):
    box = choose(page, "cube")
    box.evaluate("(b) => { b.volume.canvas.dataset.mark = 1; }")
    for name in ("large", "cube"):
        choose(page, name)
    assert viewer.locator(".room canvas").get_attribute("data-mark") == "1"
    page.screenshot(path=SHOTS / "volume-viewer.png")


PIXEL = """([canvas, i, j]) => [...canvas.getContext("2d").getImageData(i, j, 1, 1).data]"""


def test_slices_show_the_labels_and_share_a_crosshair(page, viewer):
    choose(page, "flat voxels")
    labels = make(Recipe(size=64), 1).labels
    viewer.get_by_label("slice across z").fill("10")
    viewer.get_by_label("slice across y").fill("20")
    viewer.get_by_label("slice across x").fill("30")
    assert viewer.get_attribute("data-cross") == "30 20 10"
    seen = {}
    canvases = viewer.locator(".slices canvas")
    for k, find in enumerate(
        (
            lambda i, j: labels[10, j, i],
            lambda i, j: labels[j, 20, i],
            lambda i, j: labels[j, i, 30],
        )
    ):
        handle = canvases.nth(k).element_handle()
        for i, j in ((0, 0), (5, 50), (63, 3), (40, 41)):
            colour = tuple(page.evaluate(PIXEL, [handle, i, j])[:3])
            assert seen.setdefault(int(find(i, j)), colour) == colour
    assert len(set(seen.values())) == len(seen) > 1
    frame = canvases.nth(0).bounding_box()
    page.mouse.click(frame["x"] + 0.25 * frame["width"], frame["y"] + 0.75 * frame["height"])
    x, y, z = map(int, viewer.get_attribute("data-cross").split())
    assert (abs(x - 16), abs(y - 48), z) <= (1, 1, 10)
    assert "z = 2.1 μm" in viewer.locator("figcaption").first.inner_text()
    flat = canvases.nth(1).bounding_box()
    assert flat["height"] == pytest.approx(flat["width"] / 2, rel=0.05)
    viewer.scroll_into_view_if_needed()
    page.screenshot(path=SHOTS / "volume-slices.png", full_page=True)
