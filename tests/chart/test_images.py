"""What `make` builds images from, and by which commands."""

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "how-to" / "install-on-a-cluster.md"


def dry(target: str, *words: str) -> str:
    """What `make` would run."""
    made = ["make", "-n", target, *words]
    done = subprocess.run(made, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("builder", ["docker", "podman", "buildah"])
def test_any_builder_builds_both(builder: str) -> None:
    """Of their Dockerfiles, with the version as tag, for a registry and on a base by digest."""
    base = "python@sha256:1"
    said = dry("images", f"BUILDER={builder}", "REGISTRY=there/team/", f"PYTHON_IMAGE={base}")
    said = said.replace("\\\n\t", "")
    for name, file in (("operator", "operator"), ("trainer", "trainer-image")):
        assert (REPOSITORY / file / "Dockerfile").exists()
        words = rf"^{builder} build --build-arg PYTHON_IMAGE={base} -f {file}/Dockerfile "
        latest = rf"-t there/team/kubetune-{name}:latest " if name == "trainer" else ""
        tag = rf"-t there/team/kubetune-{name}:\d+\.\d+\.\d+ \.$"
        assert re.search(words + latest + tag, said, re.MULTILINE)


def test_the_trainer_s_image_needs_no_torch_for_a_first_look() -> None:
    """As the page says; the example takes the tag that is built."""
    (words,) = re.findall(r'`make image-trainer (EXTRAS="[a-z -]+")`', PAGE.read_text())
    said = dry("image-trainer", "BUILDER=docker", words.replace('"', ""))
    assert '--build-arg "EXTRAS=--extra digits" ' in said
    example = (REPOSITORY / "examples" / "01-digits" / "study.yaml").read_text()
    (image,) = re.findall(r"image: (\S+)", example)
    assert f"-t {image} " in said
    assert f"kind load docker-image kubetune-operator:0.1.0 {image}`" in PAGE.read_text()


def test_the_page_s_commands_are_there() -> None:
    """Each line of its block `images` is a target."""
    (text,) = re.findall(r"^```sh images\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for line in text.splitlines():
        assert "build" in dry(line.removeprefix("make "), "BUILDER=docker")


def test_the_chart_takes_what_is_built() -> None:
    """The image's name and version are the chart's own; the page names them for kind."""
    chart = (REPOSITORY / "charts" / "kubetune" / "Chart.yaml").read_text()
    (version,) = re.findall(r'^appVersion: "(.+)"$', chart, re.MULTILINE)
    values = (REPOSITORY / "charts" / "kubetune" / "values.yaml").read_text()
    assert "repository: kubetune-operator\n" in values
    assert f"-t kubetune-operator:{version} ." in dry("image-operator", "BUILDER=docker")
    assert f"kind load docker-image kubetune-operator:{version}" in PAGE.read_text()


def test_the_operator_s_image_runs_as_nobody_with_a_read_only_root() -> None:
    """A user by number, volumes for what is written, a list of what it is made of."""
    text = (REPOSITORY / "operator" / "Dockerfile").read_text()
    assert "\nUSER 10001:10001\n" in text
    assert '\nVOLUME ["/tmp", "/data"]\n' in text
    assert "--format cyclonedx1.5 --output-file /opt/kubetune/sbom.cdx.json" in text
    assert "uv sync --locked" in text
