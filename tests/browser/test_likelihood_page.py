"""The likelihood laboratory under a visitor's hand: an image is chosen, estimators come and go, a race is stopped."""

import re
import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import READY, settle


def test_image_estimators_run_and_stop(server: str, watched_page: Page) -> None:
    page = watched_page
    page.goto(f"{server}/likelihood?model=mnist-bernoulli-2d")
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    settle(page)

    page.get_by_role("button", name="4", exact=True).click()
    settle(page)
    number = page.get_by_role("spinbutton", name="Test image")
    assert int(number.input_value()) > 0

    race = page.locator(".stPlotlyChart").first
    expect(race.locator(".legendtext", has_text="naive Monte Carlo")).to_have_count(1)
    page.get_by_role("button", name="naive Monte Carlo", exact=True).click()
    settle(page)
    expect(race.locator(".legendtext", has_text="naive Monte Carlo")).to_have_count(0)
    page.get_by_role("button", name="naive Monte Carlo", exact=True).click()
    settle(page)

    page.get_by_text("all of these", exact=True).click()  # ten images to a million samples: long enough to be stopped
    settle(page)
    slider = page.get_by_role("slider", name="Samples up to")
    slider.focus()
    slider.press("ArrowRight")
    settle(page)
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("progressbar").first.wait_for()
    # the line that is drawn, not the circles of what ships
    drawn = (
        "document.querySelector('.stPlotlyChart .js-plotly-plot').calcdata.flat().filter(({ trace }) =>"
        " trace?.name === 'naive Monte Carlo' && trace.mode !== 'markers').flatMap(({ trace }) => [...trace.x])"
    )
    page.wait_for_function(f"{drawn}.some((x) => x > 1)")
    clicked = time.monotonic()
    page.get_by_role("button", name=re.compile("Stop")).last.click()
    page.locator(READY).wait_for(state="attached")
    settle(page)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    print(f"stopped after {time.monotonic() - clicked:.2f} s")
    assert page.evaluate(f"Math.max(...{drawn})") < 1_000_000  # it did not go on to the end
    expect(page.get_by_text("Lines: median of")).to_be_visible()  # what was run so far stays
    expect(race.locator(".legendtext", has_text="naive Monte Carlo")).to_have_count(1)
    page.get_by_role("radio", name="seconds").or_(page.get_by_role("button", name="seconds")).first.click()
    settle(page)
    expect(page.locator(".stPlotlyChart").first.locator(".xtitle")).to_have_text("seconds")


def test_refined_bar_and_the_zoomed_posterior(server: str, watched_page: Page) -> None:
    page = watched_page
    page.goto(f"{server}/likelihood?model=mnist-bernoulli-2d")
    page.get_by_role("button", name="Refine q for this image").click()
    expect(page.get_by_text("because one encoder serves all images")).to_be_visible()
    page.get_by_role("radio", name="The posterior").or_(page.get_by_role("button", name="The posterior")).first.click()
    settle(page)
    plane = page.locator(".js-plotly-plot").nth(1)
    across = plane.evaluate("chart => chart._fullLayout.xaxis.range")
    assert across[1] - across[0] < 4  # of the twelve and more that the whole plane is wide


def test_a_click_on_the_plane_chooses_the_image(server: str, watched_page: Page) -> None:
    page = watched_page
    page.goto(f"{server}/likelihood?model=mnist-bernoulli-2d")
    page.locator(".js-plotly-plot").nth(1).wait_for()
    settle(page)
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot')[1]?._fullData?.[3]?.x?.length > 0")
    plane = page.locator(".js-plotly-plot").nth(1)
    plane.scroll_into_view_if_needed()
    x, y, row = plane.evaluate(
        """chart => { const traces = chart._fullData.filter(t => t.customdata), t = traces[4], a = chart._fullLayout,
           box = chart.getBoundingClientRect();
           const far = [...t.x.keys()].sort((i, j) => Math.hypot(t.x[j], t.y[j]) - Math.hypot(t.x[i], t.y[i]))[0];
           return [box.left + a.xaxis._offset + a.xaxis.c2p(t.x[far]),
                   box.top + a.yaxis._offset + a.yaxis.c2p(t.y[far]), t.customdata[far]] }"""
    )
    assert row != 0  # which is the image in use
    number = page.get_by_role("spinbutton", name="Test image")
    for _ in range(5):  # Plotly takes a click for one on a point only once it has seen the pointer there
        page.mouse.move(x + 3, y)
        page.mouse.move(x, y)
        page.wait_for_timeout(500)
        page.mouse.click(x, y)
        settle(page)
        if number.input_value() != "0":
            break
    assert number.input_value() != "0"  # of points that lie on each other any one may be the clicked
