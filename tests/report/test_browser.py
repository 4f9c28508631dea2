"""What a reader sees in Chromium, with no network but loopback: the report, both apps' documentation and pages."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from loadtests.analysis.verdict import summarise
from loadtests.report.files import write_report
from tests.support.frames import A, B, both_loops, digested, rounds_of, run_of, samples_of
from tests.support.shop import ADMIN, an_item

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


def test_the_tables_fit_on_paper(page: Page, report: Path) -> None:
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4

    page.goto(report.as_uri())

    assert (
        page.evaluate("Math.max(...[...document.querySelectorAll('table')].map(one => one.offsetWidth))")
        <= 794
    )


@pytest.mark.parametrize("contestant", ["flask-gthread", "fastapi-uvicorn"])
def test_the_live_page_shows_a_change_of_stock(
    page: Page, url_of: Callable[[str], str], contestant: str
) -> None:
    home = url_of(contestant)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(f"{home}/live")
    page.get_by_text("Connected").wait_for()

    with httpx2.Client(base_url=home, headers=ADMIN) as client:
        item = an_item(client, stock=12)
        row = page.locator(f"#item-{item['id']}")
        row.get_by_text("12", exact=True).wait_for()
        row.get_by_text(item["name"], exact=True).wait_for()
        client.patch(f"/api/items/{item['id']}", json={"stock": 11})
        row.get_by_text("11", exact=True).wait_for()

    assert errors == []


@pytest.mark.parametrize("contestant", ["flask-gthread", "fastapi-uvicorn"])
def test_the_documentation_shows_every_route_and_loads_from_the_app_alone(
    page: Page, url_of: Callable[[str], str], contestant: str
) -> None:
    home = url_of(contestant)

    asked = asked_by(page, f"{home}/docs")
    page.locator(".opblock").first.wait_for()

    assert all(url.startswith((home, "data:", "blob:")) for url in asked)
    assert page.locator(".opblock").count() >= 25


@pytest.mark.parametrize("contestant", ["flask-gthread", "fastapi-uvicorn"])
def test_the_reference_shows_every_route_and_can_be_searched_without_a_network(
    page: Page, url_of: Callable[[str], str], contestant: str
) -> None:
    home = url_of(contestant)
    answered: list[str] = []
    page.on("response", lambda response: answered.append(response.url))

    page.goto(f"{home}/redoc", wait_until="networkidle")
    page.locator("[data-section-id]").first.wait_for()
    page.get_by_placeholder("Search...").fill("batch")
    page.locator('[data-role="search:results"] li').first.wait_for()

    # ReDoc's logo would come from elsewhere; the policy has the browser not ask for it.
    assert all(url.startswith((home, "data:", "blob:")) for url in answered)
    assert page.locator("[data-section-id]").count() >= 50
    assert page.locator("redoc button").first.evaluate("one => getComputedStyle(one).cursor") == "pointer"


@pytest.mark.parametrize("contestant", ["flask-gthread", "fastapi-uvicorn"])
def test_the_shop_can_be_leafed_through(page: Page, url_of: Callable[[str], str], contestant: str) -> None:
    home = url_of(contestant)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    asked = asked_by(page, f"{home}/items")
    first = page.locator(".items a").first.inner_text()
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**/items?page=2")

    assert all(url.startswith(home) for url in asked)
    assert page.locator(".items li").count() == 20
    assert page.locator(".items a").first.inner_text() != first
    assert page.locator(".items a").first.evaluate("one => getComputedStyle(one).flexGrow") == "1"
    assert said == []


def test_what_is_low_or_sold_out_stands_out(page: Page, url_of: Callable[[str], str]) -> None:
    home = url_of("flask-gthread")
    name = '<script>alert("hello")</script>'
    batch = [{"name": name, "price_cents": 1234, "stock": stock} for stock in (50, 3, 0)]
    httpx2.post(f"{home}/api/items/batch", json={"items": batch}, headers=ADMIN).raise_for_status()

    page.goto(f"{home}/items")
    page.get_by_label("Name contains").fill(name)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/items?q=*")

    assert page.locator(".items a").all_inner_texts() == [name] * 3
    assert page.locator(".items .price").all_inner_texts() == ["12.34"] * 3
    marks = page.locator(".items .stock")
    assert marks.all_inner_texts() == ["50 in stock", "only 3 left", "sold out"]
    assert len({marks.nth(place).evaluate("one => getComputedStyle(one).color") for place in range(3)}) == 3
