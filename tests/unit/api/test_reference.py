"""Rules of the generated reference."""

from kubetune.api import reference
from kubetune.api.crd import crd


def test_every_field_of_the_spec_is_in_the_reference():
    """What can be written is described."""
    page = reference.render()
    root = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    for name in root["spec"]["properties"]:
        assert f"`{name}`" in page


def test_fields_of_list_items_are_spelled_with_their_list():
    """A reader sees where a field belongs."""
    assert "`parameters[].scale`" in reference.render()


def test_a_required_field_stands_out():
    """What must be given is in bold."""
    assert "**`objectives[].metric`**" in reference.render()
