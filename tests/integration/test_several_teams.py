"""The how-to for several teams: its roles let people do what it says, and it quotes the server."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.cluster.admission import admitting
from tests.cluster.control_plane import ControlPlane
from tests.cluster.helm import rendered
from tests.cluster.requests import Refused, wait_until
from tests.integration.test_docs import REPOSITORY, block, blocks

PAGE = REPOSITORY / "docs" / "how-to" / "several-teams.md"
OPERATORS = "kubetune-system"
STUDY = block(PAGE, "yaml restricted")


class Town:
    """A cluster on which the page is followed; `ada` is asked for by impersonation."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    def follow(self, head: str, *more: str) -> str:
        """Runs each command of a block as the administrator; what they print."""
        lines = block(PAGE, head).splitlines()
        return "".join(self.plane.kubectl(*shlex.split(line)[1:], *more) for line in lines)

    def bind(self, kind: str, role: str, group: str) -> None:
        """Gives a group a role in the team's namespace."""
        self.plane.kubectl(
            *("create", "rolebinding", group, f"--{kind}={role}", f"--group={group}"),
            *("--namespace", "vision"),
        )

    def told(self, manifest: str, group: str, *, namespace: str = "vision") -> str:
        """What the server says to ada, of a group, about a manifest; nothing is made."""
        words = ("create", "--dry-run=server", "-f", "-", "--as=ada", f"--as-group={group}")
        text = manifest.replace("namespace: vision", f"namespace: {namespace}")
        return self.plane.kubectl(*words, stdin=text, check=False)


@pytest.fixture(scope="module")
def town(studies: ControlPlane) -> Iterator[Town]:
    """With the chart's roles and policy, and groups by what the page gives them."""
    town = Town(studies)
    studies.kubectl("create", "namespace", OPERATORS)
    roles = [one for one in rendered(namespace=OPERATORS) if one["kind"] == "ClusterRole"]
    shared = [one for one in roles if one["metadata"]["name"].endswith(("-view", "-edit"))]
    for role in shared:
        studies.apply(role)
    town.follow("sh team")
    for name in ("tuner", "on-call", "account"):
        studies.apply(block(PAGE, f"yaml {name}"), "vision")
    town.bind("role", "tuner", "tuners")
    town.bind("role", "on-call", "on-call")
    town.bind("clusterrole", f"{OPERATORS}-kubetune-edit", "guests")
    with admitting(studies, OPERATORS):
        yield town
    for role in shared:
        studies.kubectl("delete", "clusterrole", role["metadata"]["name"])
    for namespace in ("vision", OPERATORS):
        studies.delete_namespace(namespace, wait=True)


def quoted() -> list[str]:
    """What the page says that people are told."""
    return re.findall(r"\| `([^`]+)` \|$", PAGE.read_text(), re.MULTILINE)


def test_a_team_may_tune_by_the_role_edit(town: Town) -> None:
    """The cluster's own role has studies in it once the chart is there."""
    wait_until(lambda: town.follow("sh may") == "yes\nyes\n", "the role to have studies")
    assert "(server dry run)" in town.told(STUDY, "vision")
    assert "may not" not in town.told(with_account("reader"), "vision")
    asked = ("auth", "can-i", "patch", "tuningstudies.kubetune.io", "--namespace=vision")
    who = ("--as=ada", "--as-group=vision")
    assert town.plane.kubectl(*asked, *who) == "yes\n"
    assert town.plane.kubectl(*asked, "--subresource=status", *who, check=False) == "no\n"


def with_account(name: str) -> str:
    """The page's study under a service account."""
    return STUDY.replace("    spec:\n", f"    spec:\n      serviceAccountName: {name}\n", 1)


def test_a_tuner_may_tune_and_an_account_is_given_by_name(town: Town) -> None:
    """The page's role is enough; the account's needs the page's other role."""
    assert "(server dry run)" in town.told(STUDY, "tuners")
    assert quoted()[1] in town.told(with_account("reader"), "tuners")
    town.bind("role", "acts-as-reader", "readers")
    both = ("--as=ada", "--as-group=tuners", "--as-group=readers")
    words = ("apply", "--dry-run=server", "-f", "-", *both)

    def admitted(account: str) -> bool:
        said = town.plane.kubectl(*words, stdin=with_account(account), check=False)
        return "(server dry run)" in said

    wait_until(lambda: admitted("reader"), "the role to count")
    assert not admitted("writer")


def test_people_are_told_what_the_page_quotes(town: Town) -> None:
    """Word for word: of Jobs, of accounts and of the operator's namespace."""
    jobs, account, beside = quoted()
    assert jobs in town.told(STUDY, "guests")
    assert account in town.told(with_account("reader"), "tuners")
    said = town.plane.kubectl(
        *("create", "--dry-run=server", "-f", "-"),
        stdin=STUDY.replace("namespace: vision", f"namespace: {OPERATORS}"),
        check=False,
    )
    assert beside in said


def test_people_on_call_may_stop_and_not_start(town: Town) -> None:
    """The page's command works for them; the same with false does not."""
    town.plane.kubectl("apply", "-f", "-", stdin=STUDY)
    who = ("--as=ada", "--as-group=on-call")
    assert "patched" in town.follow("sh stop", *who)
    words = shlex.split(block(PAGE, "sh stop"))[1:]
    again = [word.replace("true", "false") for word in words]
    assert quoted()[0] in town.plane.kubectl(*again, *who, check=False)
    town.plane.kubectl("delete", "tstudy", "digits", "--namespace=vision", *who)


def test_the_template_passes_the_level_that_the_page_sets(town: Town) -> None:
    """A pod of it does, and one that reaches for its node does not."""
    town.follow("sh security")
    pod: dict[str, Any] = YAML(typ="safe").load(STUDY)["spec"]["trialTemplate"]["spec"]
    path = "/api/v1/namespaces/vision/pods?dryRun=All"

    def create(spec: dict[str, Any]) -> None:
        town.plane.request("POST", path, {"metadata": {"name": "trial"}, "spec": spec})

    create(pod)
    with pytest.raises(Refused) as refused:
        create({**pod, "hostNetwork": True})
    assert "violates PodSecurity" in str(refused.value)


def test_the_network_policy_is_about_trials(town: Town) -> None:
    """The server takes it as it stands, field by field."""
    words = ("apply", "--dry-run=server", "--validate=strict", "-f", "-")
    said = town.plane.kubectl(*words, stdin=block(PAGE, "yaml network"))
    assert said == "networkpolicy.networking.k8s.io/trials created (server dry run)\n"


def test_the_quota_counts_studies_and_their_jobs(town: Town) -> None:
    """It is a quota that the server keeps, once its controller knows of studies."""
    quotas = "/api/v1/namespaces/vision/resourcequotas"
    quota: dict[str, Any] = YAML(typ="safe").load(block(PAGE, "yaml quota"))
    quota["spec"]["hard"]["count/tuningstudies.kubetune.io"] = "0"

    def counted() -> bool:
        made = {**quota, "metadata": {"generateName": "tuning-", "namespace": "vision"}}
        path = f"{quotas}/{town.plane.request('POST', quotas, made)['metadata']['name']}"
        wait_until(lambda: town.plane.request("GET", path).get("status", {}).get("used"), "it")
        if "exceeded quota" in town.told(STUDY, "tuners"):
            return True
        town.plane.request("DELETE", path)
        return False

    wait_until(counted, "studies to be counted")
    (found,) = town.plane.request("GET", quotas)["items"]
    assert found["status"]["used"].keys() == quota["spec"]["hard"].keys()


def test_every_block_of_the_page_is_followed_here() -> None:
    """None stands there that nobody has tried."""
    heads = {head for head, _ in blocks(PAGE)}
    followed = {"sh team", "sh may", "sh stop", "sh security", "yaml tuner", "yaml on-call"}
    assert heads == followed | {f"yaml {n}" for n in ("account", "quota", "restricted", "network")}
