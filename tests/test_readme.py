"""The library example in the README runs as it stands."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow
def test_the_first_python_example_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    assert README.is_file(), "README.md is missing"
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks, "README.md has no ```python block"
    monkeypatch.chdir(tmp_path)  # where it may write
    monkeypatch.delenv("VAE_CHECKPOINTS", raising=False)  # it takes a model that ships
    exec(compile(blocks[0], str(README), "exec"), {"__name__": "readme"})
    said = re.search(r"importance(.*)k-hat(.*)exact(.*)", capsys.readouterr().out, re.DOTALL)
    weighted, k_hat, exact = ([float(number) for number in re.findall(r"-?\d+\.\d+", part)] for part in said.groups())
    for image, below, shape in ((3, "0.02", "0.55"), (6, "122", "1.05")):  # as the README has it
        digits = len(below.partition(".")[2])
        assert f"{exact[image] - weighted[image]:.{digits}f}" == below and f"{k_hat[image]:.2f}" == shape


def test_what_the_readme_links_to_is_there():
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert links
    missing = [link for link in links if not (README.parent / link).is_file()]
    assert not missing, f"README.md links to {', '.join(missing)}, which is not there"
