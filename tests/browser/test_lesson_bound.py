"""What is dragged in the lesson's chapters on the bound: two distributions, and draws with noise that is held still."""

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

import vae
from tests.browser.conftest import settle
from vae.derivation.divergences import discrete_kl, normal_kl


def part(name: str) -> str:
    return f"[...document.querySelectorAll('*')].map((e) => e.shadowRoot?.querySelector('.{name}')).find(Boolean)"


def divergence(page: Page) -> dict:
    page.wait_for_timeout(100)  # a frame
    return page.evaluate(
        f"(() => {{ const root = {part('divergence')}; return {{ ...root.values, ...root.state }} }})()"
    )


def open_chapter(page: Page, url: str, chapter: int, name: str, model: str = "mnist-2d") -> None:
    page.goto(f"{url}/lesson?chapter={chapter}&image=4&model={model}")
    page.locator(f".{name} .knob").first.wait_for()
    settle(page)


def test_two_gaussians_are_dragged_and_their_divergence_is_the_librarys(server: str, watched_page: Page) -> None:
    open_chapter(watched_page, server, 5, "divergence")

    def check() -> dict:
        found = divergence(watched_page)
        p, q = found["normal"]["p"], found["normal"]["q"]
        assert found["forth"] == pytest.approx(normal_kl(*q, *p), abs=1e-9)
        assert found["back"] == pytest.approx(normal_kl(*p, *q), abs=1e-9)
        return found

    before = check()
    knob = watched_page.get_by_role("slider", name="mean of q")
    box = knob.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    watched_page.mouse.move(x, y)
    watched_page.mouse.down()
    watched_page.mouse.move(x + 80, y, steps=5)
    watched_page.mouse.up()
    dragged = check()
    assert dragged["normal"]["q"][0] > before["normal"]["q"][0] + 0.3
    assert dragged["normal"]["q"][1] == before["normal"]["q"][1]
    watched_page.get_by_role("slider", name="standard deviation of p").focus()
    watched_page.keyboard.press("ArrowRight")
    assert check()["normal"]["p"][1] == pytest.approx(before["normal"]["p"][1] + 0.1)
    watched_page.get_by_role("button", name="Make q equal to p").click()
    same = check()
    assert same["forth"] == same["back"] == 0


def test_two_discrete_distributions_are_dragged_and_stay_such(server: str, watched_page: Page) -> None:
    open_chapter(watched_page, server, 5, "divergence")
    watched_page.get_by_role("button", name="Discrete").click()
    before = divergence(watched_page)
    watched_page.get_by_role("slider", name="probability 3 of p").focus()
    for _ in range(3):
        watched_page.keyboard.press("ArrowUp")
    found = divergence(watched_page)
    p, q = found["discrete"]["p"], found["discrete"]["q"]
    assert p[2] > before["discrete"]["p"][2] + 0.05
    assert sum(p) == pytest.approx(1) and min(p) > 0
    assert found["forth"] == pytest.approx(discrete_kl(q, p), abs=1e-9)
    assert found["back"] == pytest.approx(discrete_kl(p, q), abs=1e-9)


@pytest.mark.parametrize("name", ["mnist-2d", "mnist-20d", "mnist-bernoulli-2d"])
def test_draws_follow_mu_with_their_noise_held_still(server: str, watched_page: Page, name: str) -> None:
    open_chapter(watched_page, server, 7, "reparameterise", name)
    page = watched_page

    def state() -> dict:
        page.wait_for_function(
            f"{part('reparameterise')}.at.q.values.length === {part('reparameterise')}.at.q.noise.length"
        )
        return page.evaluate(
            f"(() => {{ const it = {part('reparameterise')}.at.q; return {{ z: it.z.map((z) => [...z]), "
            "mean: [...it.mean], deviation: [...it.deviation], noise: it.noise.map((e) => [...e]), "
            "values: it.values, x: [...it.x], axes: it.data.axes }} )()"
        )

    before = state()
    model, z = vae.load(name), np.array(before["z"], np.float32)
    assert np.allclose(
        z, np.array(before["mean"]) + np.array(before["deviation"]) * np.array(before["noise"]), atol=1e-5
    )
    with torch.inference_mode():  # what JavaScript says is what torch says
        truth = model.decoder(torch.from_numpy(z)).log_prob(torch.tensor(before["x"])).numpy()
    assert np.allclose(before["values"], truth, atol=0.05)
    page.get_by_role("slider", name="mean μ of q").focus()
    page.keyboard.press("ArrowRight")
    moved = state()
    shift = np.array(moved["z"]) - np.array(before["z"])
    assert np.allclose(shift, shift[0], atol=1e-5) and shift[0][before["axes"][0]] > 0  # all by the same
    page.get_by_role("button", name="resampled at each move").click()
    page.get_by_role("slider", name="mean μ of q").focus()
    page.keyboard.press("ArrowRight")
    anew = state()
    assert not np.allclose(anew["noise"], moved["noise"])
    page.get_by_role("button", name="Back to the encoder's q").click()
    assert np.allclose(state()["mean"], before["mean"])


def test_a_sweep_with_noise_held_still_is_smooth(server: str, watched_page: Page) -> None:
    open_chapter(watched_page, server, 7, "reparameterise")
    page = watched_page
    rough = []
    for held in ("ε fixed", "resampled at each move"):
        page.get_by_role("button", name=held).click()
        page.get_by_role("button", name="Sweep μ").click()
        key = str(held.startswith("ε")).lower()
        page.wait_for_function(f"{part('reparameterise')}.at.sweeps[{key}]?.length === 41")
        values = np.array(page.evaluate(f"{part('reparameterise')}.at.sweeps[{key}].map((each) => each[1])"))
        rough.append(np.abs(np.diff(values, 2)).mean())
    assert rough[1] > 5 * rough[0]


def test_mu_comes_back_from_a_sweep_that_was_begun_twice(server: str, watched_page: Page) -> None:
    open_chapter(watched_page, server, 7, "reparameterise")
    page, at = watched_page, f"{part('reparameterise')}.at"
    before = page.evaluate(f"[...{at}.q.mean]")
    page.get_by_role("button", name="Sweep μ").click()
    page.wait_for_function(f"{at}.sweeps[true].length > 2")
    page.get_by_role("button", name="Sweep μ").click()
    page.wait_for_function(f"{at}.sweeps[true].length === 41")
    assert np.allclose(page.evaluate(f"[...{at}.q.mean]"), before)


def test_the_slope_of_the_draws_is_the_gradient_of_the_library(server: str, watched_page: Page) -> None:
    open_chapter(watched_page, server, 7, "reparameterise", "mnist-bernoulli-2d")
    page = watched_page
    page.get_by_role("button", name="reparameterised", exact=True).click()
    page.wait_for_function(
        f"{part('reparameterise')}.at.q.slopes.length === {part('reparameterise')}.at.q.noise.length"
    )
    found = page.evaluate(
        f"(() => {{ const it = {part('reparameterise')}.at.q; "
        "return { slopes: it.slopes, z: it.z.map((z) => [...z]), x: [...it.x] } })()"
    )
    z = torch.tensor(found["z"]).requires_grad_()
    value = vae.load("mnist-bernoulli-2d").decoder(z).log_prob(torch.tensor(found["x"]).round()).sum()
    (slopes,) = torch.autograd.grad(value, z)
    assert np.allclose(found["slopes"], slopes.numpy(), rtol=0.01, atol=0.5)
