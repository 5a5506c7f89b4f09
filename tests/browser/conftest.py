"""Fixtures of all browser tests: a Chromium, served apps, pages that may not phone home."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from drivers import WAIT
from harness import FLAGS, PATIENCE, ROOT, find_chromium, served

HERE = Path(__file__).parent
VIEW = {"width": 1280, "height": 800}


def pytest_collection_modifyitems(items):
    """Mark browser tests."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser():
    """One headless Chromium for the session."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = find_chromium()
    if path is None:
        pytest.skip("no chromium: neither /usr/bin/chromium nor one on PATH")
    sync_api.expect.set_options(timeout=1000 * PATIENCE)
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """serve(script, env=None) -> URL; the same script and env share one server."""
    running = {}
    with ExitStack() as stack:

        def start(script, env=None):
            case = (str(script), tuple(sorted((env or {}).items())))
            if case not in running:
                folder = tmp_path_factory.mktemp("served")
                running[case] = stack.enter_context(served(Path(script), folder, env))
            return running[case]

        start.running = running
        yield start


def _own(url, origins):
    plain = url.startswith(("data:", "blob:", "about:"))
    return plain or any(url.replace("ws:", "http:", 1).startswith(o + "/") for o in origins)


class Pages:
    """Opens pages and remembers every request that any of them made."""

    def __init__(self, browser, origins):
        self.browser, self.origins = browser, origins
        self.contexts, self.requests = [], []

    def __call__(self, **options):
        """A page in a context of its own; `options` go to playwright's `new_context`."""
        defaults = {"viewport": VIEW, "color_scheme": "light"}
        context = self.browser.new_context(**{**defaults, **options})
        self.contexts.append(context)
        context.set_default_timeout(1000 * PATIENCE)
        page = context.new_page()
        page.console_errors, page.received = [], 0
        context.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self._hear(page, message))
        page.on("pageerror", lambda error: page.console_errors.append(str(error)))
        page.on("websocket", lambda socket: self._listen(page, socket))
        return page

    @staticmethod
    def _hear(page, message):
        if message.type == "error":
            page.console_errors.append(message.text)

    def _listen(self, page, socket):
        self.requests.append(socket.url)
        socket.on("framereceived", lambda frame: self._receive(page, frame))

    @staticmethod
    def _receive(page, frame):
        page.received += len(frame)

    def close(self):
        for context in self.contexts:
            context.close()
        assert [url for url in self.requests if not _own(url, self.origins)] == []


@pytest.fixture
def new_page(browser, serve):
    """new_page(**context options) -> a page; all its requests must stay at home.

    `page.console_errors` holds error messages and uncaught exceptions, `page.received` the bytes
    that came down its websockets.
    """
    pages = Pages(browser, serve.running.values())
    yield pages
    pages.close()


@pytest.fixture(scope="module")
def shared_pages(browser, serve):
    """The same for pages that several tests of a file use one after the other."""
    pages = Pages(browser, serve.running.values())
    yield pages
    pages.close()


@pytest.fixture
def page(new_page):
    """A light page of 1280 x 800 pixels; see `new_page`."""
    return new_page()


@pytest.fixture(scope="module")
def app_url(serve):
    """The app, sharing the session's home and what is cached there."""
    return serve(ROOT / "app.py", {"GENBAT_HOME": os.environ["GENBAT_HOME"]})


@pytest.fixture
def opened_in(new_page, app_url):
    """opened_in(domain, path) -> a page of a domain."""

    def open_it(domain, path, **context):
        page = new_page(**context)
        page.set_default_timeout(WAIT)
        sign = "&" if "?" in path else "?"
        page.goto(f"{app_url}/{path}{sign}domain={domain}")
        return page

    return open_it
