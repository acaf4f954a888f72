"""The likelihood laboratory under a visitor's hand: an image is chosen, estimators come and go, a race is stopped."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import settle

RACE = ".race svg"
# the component of the race: what it was told, and how far it is drawn
STATE = "[...document.querySelectorAll('*')].map((it) => it.shadowRoot?.querySelector('.race')?.race).find(Boolean)"


def visit(page: Page, server: str, step: str = "race", shown: str = ".main-svg") -> None:
    page.goto(f"{server}/likelihood?model=mnist-bernoulli-2d&likelihood.step={step}")
    page.get_by_test_id("stMain").locator(shown).first.wait_for()
    settle(page)


def choose(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile("Image: ")).click()
    page.get_by_role("button", name=name, exact=True).click()
    page.keyboard.press("Escape")
    settle(page)


def test_a_race_that_was_run_stands_still_and_a_new_one_grows_and_is_stopped(server: str, watched_page: Page) -> None:
    page = watched_page
    visit(page, server, shown=f"{RACE} .curve")
    assert not page.evaluate(f"{STATE}.data.running")
    before = page.locator(f"{RACE} .curve").first.get_attribute("d")
    keys = page.locator(".race .keys span")
    expect(keys.filter(has_text="naive Monte Carlo")).to_have_count(1)
    expect(keys.filter(has_text="log p(x), exact")).to_have_count(1)
    expect(page.locator(f"{RACE} .arrival").first).to_be_attached()
    page.get_by_role("button", name="naive Monte Carlo", exact=True).click()
    expect(keys.filter(has_text="naive Monte Carlo")).to_have_count(0)
    settle(page)
    page.get_by_role("button", name="naive Monte Carlo", exact=True).click()
    expect(keys.filter(has_text="naive Monte Carlo")).to_have_count(1)
    settle(page)

    page.get_by_text("10 images", exact=True).click()  # to a million samples: long enough to be stopped
    page.wait_for_function(f"{STATE}.data.curves.length && !{STATE}.data.running")  # a short run begins by itself
    settle(page)
    slider = page.get_by_role("slider", name="Samples up to")
    slider.focus()
    slider.press("ArrowRight")
    settle(page)
    page.wait_for_function(f"!{STATE}.data.running")
    page.get_by_role("button", name="Run", exact=True).click()
    most = f"Math.max(...({STATE}.data.curves.find((it) => it.name === 'naive Monte Carlo')?.x ?? [0]))"
    page.wait_for_function(f"{STATE}.data.running && {most} > 10 && {STATE}.reach.get('naive Monte Carlo') > 1")
    page.get_by_role("radio", name="nats", exact=True).or_(
        page.get_by_role("button", name="nats", exact=True)
    ).first.click()  # other controls work meanwhile
    page.wait_for_function(f"{STATE}.data.running && !{STATE}.data.distance")
    page.get_by_role("button", name=re.compile("Stop")).last.click()
    page.wait_for_function(f"!{STATE}.data.running")
    settle(page)
    reached = page.evaluate(most)
    assert 10 < reached < 1_000_000  # what was run so far stays, and it did not go on to the end
    assert page.locator(f"{RACE} .curve").first.get_attribute("d") != before
    page.get_by_role("radio", name="seconds").or_(page.get_by_role("button", name="seconds")).first.click()
    expect(page.locator(f"{RACE} .title").first).to_have_text("seconds")


def test_the_pointer_reads_off_values(server: str, watched_page: Page) -> None:
    visit(watched_page, server, shown=f"{RACE} .curve")
    watched_page.locator(RACE).hover()
    expect(watched_page.locator(".race .hint")).to_have_text(re.compile(r"^At [\d,]+, nats:.*\d\.\d"))
    expect(watched_page.locator(".race .hint span")).to_have_count(4)  # one for each estimator


def test_a_curve_has_a_gap_where_it_has_no_number(server: str, watched_page: Page) -> None:
    visit(watched_page, server, shown=f"{RACE} .curve")
    watched_page.evaluate(
        f"""() => {{ const race = {STATE}, level = race.data.level.nats
            const [x, arrived] = [[1, 10, 100, 1000, 10000], null]
            const curve = (name, ...nats) => ({{ name, x, arrived, colour: '#123456', low: nats, high: nats,
                                               middle: nats.map((each) => each && level - each) }})
            race.told({{ ...race.data, run: 'by hand', curves: [
                curve('interrupted', 90, 60, null, 30, 20), curve('late', null, null, 50, 40, 30)] }}) }}"""
    )
    curves = watched_page.locator(f"{RACE} .curve")
    expect(curves).to_have_count(3)
    assert [curve.get_attribute("d").count("L") for curve in curves.all()] == [1, 1, 2]
    box = watched_page.locator(RACE).bounding_box()
    assert box
    x = watched_page.evaluate(f"{STATE}.scale.x(100)")
    watched_page.mouse.move(box["x"] + x, box["y"] + box["height"] / 2)
    says = watched_page.locator(".race .hint span")
    assert says.first.inner_text() == "not a finite number"
    assert re.fullmatch(r"−?\d+\.\d", says.last.inner_text())


def test_steps_follow_the_link_and_back(server: str, watched_page: Page) -> None:
    page = watched_page
    visit(page, server, shown=f"{RACE} .curve")
    page.get_by_text("Where the mass is", exact=True).click()
    expect(page.get_by_role("heading", name="Where the posterior mass is")).to_be_visible()
    page.wait_for_url("**likelihood.step=mass**")
    page.go_back()
    expect(page.get_by_role("heading", name="The race of the estimators")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", name="Where the posterior mass is")).to_be_visible()


def test_an_image_is_chosen(server: str, watched_page: Page) -> None:
    visit(watched_page, server, "gap")
    choose(watched_page, "4")
    expect(watched_page.get_by_role("button", name=re.compile(r"Image: test image \d+, 4"))).to_be_visible()


def test_optimised_bar_and_the_zoomed_posterior(server: str, watched_page: Page) -> None:
    page = watched_page
    visit(page, server, "gap")
    page.get_by_role("button", name="Optimise q for this image").click()
    expect(page.get_by_text("are the amortisation gap, which optimising q closes")).to_be_visible()
    visit(page, server, "mass")
    page.get_by_role("radio", name="The posterior").or_(page.get_by_role("button", name="The posterior")).first.click()
    settle(page)
    plane = page.locator(".js-plotly-plot").first
    across = plane.evaluate("chart => chart._fullLayout.xaxis.range")
    assert across[1] - across[0] < 4  # of the twelve and more that the whole plane is wide


def test_a_click_on_the_plane_chooses_the_image(server: str, watched_page: Page) -> None:
    page = watched_page
    visit(page, server, "mass")
    page.wait_for_function("document.querySelector('.js-plotly-plot')?._fullData?.[3]?.x?.length > 0")
    plane = page.locator(".js-plotly-plot").first
    x, y, row = plane.evaluate(
        """chart => { const traces = chart._fullData.filter(t => t.customdata), t = traces[4], a = chart._fullLayout,
           box = chart.getBoundingClientRect();
           const far = [...t.x.keys()].sort((i, j) => Math.hypot(t.x[j], t.y[j]) - Math.hypot(t.x[i], t.y[i]))[0];
           return [box.left + a.xaxis._offset + a.xaxis.c2p(t.x[far]),
                   box.top + a.yaxis._offset + a.yaxis.c2p(t.y[far]), t.customdata[far]] }"""
    )
    assert row != 0  # which is the image in use
    first = page.get_by_role("button", name=re.compile("Image: test image 0,"))
    expect(first).to_have_count(1)
    for _ in range(5):  # Plotly takes a click for one on a point only once it has seen the pointer there
        page.mouse.move(x + 3, y)
        page.mouse.move(x, y)
        page.wait_for_timeout(500)
        page.mouse.click(x, y)
        settle(page)
        if not first.count():
            break
    expect(first).to_have_count(0)  # of points that lie on each other any one may be the clicked
