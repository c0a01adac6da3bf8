"""The report in a real browser: it opens, answers, reads well and runs nothing that a log says."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

import cmgtrail

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
FAILING = CORPUS / "root-missing-mask-8" / "logs"
PAIR = CORPUS / "two-clients-one-fails" / "logs"
CASES = [
    "root-missing-mask-8", "two-clients-one-fails", "healthy-install-and-registration", "intranet-noise-no-cmg-traffic",
    "artefact-root-in-store", "date-invalid-on-one-client", "stalled-token-never-comes", "first-message-never-answered",
    "servers-only-connector-has-no-client-certificate",
]  # fmt: skip
HOSTILE = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</script><script>document.title='owned'</script>",
    "]]><!-- <svg onload=document.title='owned'>",
    "javascript:document.title='owned' {{ 7*7 }} {% raw %}",
    "<a href=\"javascript:document.title='owned'\">click</a><form action=//evil.example><input autofocus>",
    "\u202eexe.txt\u2066 \u200f \x1b[31m \x07 \u2028 \ufeff",
    "<style>*{display:none}</style><base href=//evil.example/><meta http-equiv=refresh content=0;url=//evil.example>",
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_opens_without_complaint_and_fits(
    case: str, scheme: Any, opened: Callable[..., Page], reported: Callable[[Path], Path]
) -> None:
    for width in (1280, 400):
        page = opened(reported(CORPUS / case / "logs"), color_scheme=scheme, viewport={"width": width, "height": 900})
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if page.locator("#rows button").count():
            page.locator("#rows button").first.click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(
    case: str, scheme: Any, opened: Callable[..., Page], reported: Callable[[Path], Path]
) -> None:
    page = opened(reported(CORPUS / case / "logs"), color_scheme=scheme)
    if page.locator("#rows button").count():
        page.locator("#rows button").first.click()
    page.evaluate((Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in found] == []


def test_the_first_line_says_whose_it_is(opened: Callable[..., Page], reported: Callable[[Path], Path]) -> None:
    first = opened(reported(FAILING)).get_by_role("heading", level=1)
    expect(first).to_contain_text("client or the gateway")


def test_a_flow_unfolds_by_keyboard_with_diagram_and_lines(
    opened: Callable[..., Page], reported: Callable[[Path], Path]
) -> None:
    page = opened(reported(FAILING))
    button = page.get_by_role("button", name="PC042")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    detail = page.locator("#detail-0")
    expect(detail.get_by_role("img")).to_have_attribute(
        "aria-label", "7 steps between Client, Entra ID, CMG; it stopped at cmg-connection."
    )
    expect(detail.get_by_text("Stopped here: cmg-connection")).to_be_visible()
    assert detail.locator(".lines tbody tr").count() == len(cmgtrail.read(FAILING, progress=False).flows[0].events)
    page.keyboard.press("Enter")
    expect(detail).to_have_count(0)


def test_the_skip_link_is_first_and_links_lead_to_the_flow(
    opened: Callable[..., Page], reported: Callable[[Path], Path]
) -> None:
    page = opened(reported(PAIR))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the report")).to_be_focused()
    page.get_by_label("Search").fill("no such words")
    expect(page.get_by_role("status")).to_have_text("0 of 2 flows")
    page.locator(".flowlinks a").first.click()
    expect(page.get_by_role("button", name="FAS-B2")).to_be_focused()
    expect(page.locator("#detail-1")).to_be_visible()


def test_filters_and_search_narrow_the_list(opened: Callable[..., Page], reported: Callable[[Path], Path]) -> None:
    page = opened(reported(PAIR))
    status = page.get_by_role("status")
    page.get_by_label("Outcome").select_option("failed")
    expect(status).to_have_text("1 of 2 flows")
    page.get_by_role("button", name="Clear").click()
    expect(status).to_have_text("2 of 2 flows")
    page.get_by_label("Search").fill("CERT_REV_FAILED")
    expect(status).to_have_text("1 of 2 flows")
    expect(page.locator("#rows button")).to_have_text("FAS-B2")
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("columnheader", name="Outcome").get_by_role("button").click()
    page.get_by_role("columnheader", name="Outcome").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="Outcome")).to_have_attribute("aria-sort", "descending")
    expect(page.locator("#rows button").first).to_have_text("FAS-B2")


def test_search_finds_each_word_wherever_it_stands(
    opened: Callable[..., Page], reported: Callable[[Path], Path]
) -> None:
    page = opened(reported(PAIR))
    status = page.get_by_role("status")
    found = {
        "cert_rev_failed fas-b2": "1 of 2 flows",  # a line's word and a client, small letters
        "FAS-B2 completed": "0 of 2 flows",
        page.locator("#rows tr", has_text="FAS-B2").locator("td").nth(2).inner_text(): "1 of 2 flows",
        "revocation list": "1 of 2 flows",  # words of the cause's title
    }
    for words, count in found.items():
        page.get_by_label("Search").fill(words)
        expect(status).to_have_text(count)


def test_of_many_attempts_the_first_and_last_are_drawn_until_all_are_asked_for(
    opened: Callable[..., Page], reported: Callable[[Path], Path]
) -> None:
    page = opened(reported(CORPUS / "one-client-date-invalid" / "logs"))
    page.get_by_role("button", name="NS-RIG-04").first.click()
    drawing = page.get_by_role("region", name="Diagram of service-NS-RIG-04")
    heads = drawing.locator("svg text.head", has_text="Attempt")
    expect(heads).to_have_text(["Attempt 1", "Attempt 2", "Attempt 6", "Attempt 7"])
    expect(drawing.get_by_text("3 attempts in between are not drawn")).to_be_visible()
    drawing.get_by_role("button", name="Draw all 7 attempts").click()
    expect(heads).to_have_count(7)
    expect(drawing).to_be_focused()


def test_lines_around_the_evidence_are_shown_and_only_evidence_is_marked(
    opened: Callable[..., Page], reported: Callable[[Path], Path]
) -> None:
    page = opened(reported(FAILING))
    around = page.locator(".excerpt").first
    expect(around.locator("li[value='38']")).to_contain_text("Getting CCM Token from STS server")
    assert around.locator("li[value='38'] mark").count() == 0
    assert around.locator("li[value='39'] mark").count() == 1


def test_what_a_log_says_is_never_run(opened: Callable[..., Page], tmp_path: Path) -> None:
    import cmgtrail
    from cmgtrail.report import write

    for log in FAILING.rglob("*.log"):
        copy = tmp_path / "logs" / log.relative_to(FAILING)
        copy.parent.mkdir(parents=True)
        lines = log.read_text("utf-8").split("]LOG]!>")
        copy.write_text("]LOG]!>".join(f"{line} {HOSTILE[i % 8]}" for i, line in enumerate(lines)), "utf-8")
    trail = cmgtrail.read(tmp_path / "logs", progress=False)
    assert any("owned" in line.text for line in trail.evidence)
    write(trail, tmp_path / "report.html")
    page = opened(tmp_path / "report.html")
    page.locator("#rows button").first.click()
    expect(page.locator("#detail-0")).to_contain_text("document.title='owned'")
    assert page.title().startswith("cmgtrail: ")
    assert page.locator("main img:not(svg), iframe, base, main style, main script, [onerror], [onload]").count() == 0
    assert page.locator("a[href^='javascript' i]").count() == 0
    text = page.locator("body").inner_text()
    assert not set(text) & set("\u202e\u2066\u200f\x1b\x07\u2028\ufeff")


def test_the_policy_refuses_scripts_and_styles_that_are_not_its_own(
    opened: Callable[..., Page], reported: Callable[[Path], Path], browser: Any
) -> None:
    assert opened(reported(FAILING))
    tampered = reported(FAILING).with_name("tampered.html")
    page_text = reported(FAILING).read_text("utf-8")
    tampered.write_text(page_text.replace("<main", "<script>document.title='owned'</script><main", 1), "utf-8")
    page = browser.new_page()
    page.goto(tampered.as_uri())
    assert page.title().startswith("cmgtrail: ")
    page.close()


def test_a_fleet_opens_and_stays_responsive(
    opened: Callable[..., Page], reported: Callable[[Path], Path], fleet: Path
) -> None:
    path = reported(fleet)
    begun = time.perf_counter()
    page = opened(path)
    ready = time.perf_counter() - begun
    status = page.get_by_role("status")
    expect(status).to_have_text("5,000 of 5,000 flows, the first 100 are listed")
    begun = time.perf_counter()
    page.get_by_label("Search").fill("PC4711")
    expect(status).to_have_text("1 of 5,000 flows")
    searched = time.perf_counter() - begun
    begun = time.perf_counter()
    page.locator("#rows button").first.click()
    expect(page.locator("#detail-4711, #rows .detail")).to_have_count(1)
    unfolded = time.perf_counter() - begun
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Show more").click()
    expect(status).to_have_text("5,000 of 5,000 flows, the first 200 are listed")
    page.get_by_role("button", name="Show all 1,667 flows in the list").click()
    expect(status).to_have_text("1,667 of 5,000 flows, the first 100 are listed")
    size = path.stat().st_size / 1e6
    print(f"\n5,000 flows, {size:.1f} MB: ready {ready:.2f} s, search {searched:.2f} s, unfold {unfolded:.2f} s")


def test_print_is_black_on_white_and_leaves_controls_out(
    opened: Callable[..., Page], reported: Callable[[Path], Path], tmp_path: Path
) -> None:
    page = opened(reported(FAILING), color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator("#filters").is_hidden()
    assert page.locator("nav").is_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.pdf(path=str(tmp_path / "report.pdf"))
    assert (tmp_path / "report.pdf").stat().st_size > 10_000


def test_without_scripts_the_causes_and_flows_are_still_there(browser: Any, reported: Callable[[Path], Path]) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(reported(FAILING).as_uri())
    expect(page.locator("#causes h3")).to_contain_text("does not trust the CA")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.close()
