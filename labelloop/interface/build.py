"""From the `interface` section of a spec to Label Studio's labelling configuration."""

from __future__ import annotations

from lxml import etree

from labelloop.errors import SpecError
from labelloop.interface.build_fields import add_fields, add_notes
from labelloop.interface.build_questions import add_question
from labelloop.interface.lint import lint
from labelloop.spec.interface import Interface
from labelloop.spec.question import MARKS

# They come above what they are about: labels are chosen before something is marked.
_FIRST = MARKS | {"pairwise"}


def build(interface: Interface) -> str:
    """Return the labelling configuration for an interface, as XML text; one that is given as XML comes as it is.

    Objects are named like the field of task data that they show. Every question is a header and a control of its
    name: marks above the objects, the others below, confirmations last.

    Raises:
        SpecError: a text holds a control character, or `$` before a word, which Label Studio would replace; or the
            given XML has a finding.

    >>> from labelloop.spec.interface import Interface, Label, Question
    >>> question = Question(name="kind", prompt="Cat & dog?", labels=(Label(value="cat"), Label(value="dog")))
    >>> print(build(Interface(media="image", questions=(question,))))
    <View>
      <Image name="image" value="$image" zoomControl="true" rotateControl="false" maxHeight="60vh"/>
      <Header value="Cat &amp; dog?"/>
      <Choices name="kind" toName="image" choice="single" showInline="true" required="true">
        <Choice value="cat"/>
        <Choice value="dog"/>
      </Choices>
    </View>
    """
    if interface.xml is not None:
        return _linted(interface.xml)
    view = etree.Element("View")
    add_notes(view, interface.notes)
    for question in interface.asked:
        if question.type in _FIRST:
            add_question(view, interface, question)
    add_fields(view, interface)
    for question in interface.asked:
        if question.type not in _FIRST:
            add_question(view, interface, question)
    etree.indent(view)
    return str(etree.tostring(view, encoding="unicode"))


def _linted(xml: str) -> str:
    if found := lint(xml):
        told = "\n  ".join(f"line {one.line}: <{one.tag}> {one.problem}; {one.remedy}" for one in found)
        raise SpecError(f"interface.xml has {len(found)} finding(s):\n  {told}")
    return xml
