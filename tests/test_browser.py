"""What a reader sees: the report and both apps' documentation, opened in Chromium with no network but loopback."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from loadtests.report.files import write_report
from loadtests.verdict import summarise
from tests.frames import A, B, both_loops, digested, rounds_of, run_of, samples_of

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium for this module."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *QUIET]
        )
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page that remembers every URL it was made to ask for."""
    with browser.new_page() as opened:
        yield opened


def asked_by(page: Page, url: str) -> list[str]:
    """Opens the URL; gives what was loaded for it, the page itself included."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url, wait_until="networkidle")
    return asked


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a small run in which A answers twice as fast as B."""
    folder = tmp_path_factory.mktemp("run")
    pieces = rounds_of([*both_loops(A, service_ms=1.0), *both_loops(B, service_ms=2.0)], 3)
    samples = samples_of(*pieces)
    known = digested(samples)
    write_report(summarise(known, run_of()), known, folder)
    return folder / "report.html"


def test_the_report_opens_from_disk_and_loads_nothing_else(page: Page, report: Path) -> None:
    asked = asked_by(page, report.as_uri())

    assert asked == [report.as_uri()]
    assert page.locator("h1").inner_text() != ""
    assert page.locator(".answer p").count() == 3
    assert page.locator("figure svg").count() >= 2


@pytest.mark.parametrize("width", [390, 1100])
def test_the_report_scrolls_sideways_only_inside_its_tables(page: Page, report: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})

    page.goto(report.as_uri())

    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("contestant", ["flask-gthread", "fastapi-uvicorn"])
def test_the_documentation_shows_every_route_and_loads_from_the_app_alone(
    page: Page, url_of: Callable[[str], str], contestant: str
) -> None:
    home = url_of(contestant)

    asked = asked_by(page, f"{home}/docs")
    page.locator(".opblock").first.wait_for()

    assert all(url.startswith((home, "data:", "blob:")) for url in asked)
    assert page.locator(".opblock").count() >= 25
