"""From the `interface` section of a spec to Label Studio's labelling configuration.

Elements are built as a tree, never as text, so that no name or caption can become markup.
"""

from __future__ import annotations

import re

from lxml import etree

from labelloop.errors import SpecError
from labelloop.spec.interface import Interface, Label, Question

# Label Studio replaces `$name` by task data wherever a value is shown.
_REFERENCE = re.compile(r"\$[\w\[{]")
_OBJECTS = {
    "image": ("Image", {"zoomControl": "true", "rotateControl": "false"}),
    # A link, not the text itself: the content stays in the bucket and is shown escaped.
    "text": ("Text", {"valueType": "url"}),
}


def build(interface: Interface) -> str:
    """Return the labelling configuration for an interface, as XML text.

    The object is named like its medium and reads the task's field of the same name; every question follows as a
    header and a control in the order of the spec.

    Raises:
        SpecError: a caption holds a control character, or `$` before a word, which Label Studio would replace.

    >>> from labelloop.spec.interface import Interface, Label, Question
    >>> question = Question(name="kind", prompt="Cat & dog?", labels=(Label(value="cat"), Label(value="dog")))
    >>> print(build(Interface(media="image", questions=(question,))))
    <View>
      <Image name="image" value="$image" zoomControl="true" rotateControl="false"/>
      <Header value="Cat &amp; dog?"/>
      <Choices name="kind" toName="image" choice="single" showInline="true" required="true">
        <Choice value="cat"/>
        <Choice value="dog"/>
      </Choices>
    </View>
    """
    tag, options = _OBJECTS[interface.media]
    view = etree.Element("View")
    etree.SubElement(view, tag, {"name": interface.media, "value": f"${interface.media}", **options})
    for question in interface.questions:
        _add(view, "Header", {"value": question.prompt}, question)
        control = _add(view, "Choices", _attributes(question, interface.media), question)
        for label in question.labels:
            _add(control, "Choice", _label(label), question)
    etree.indent(view)
    return str(etree.tostring(view, encoding="unicode"))


def _attributes(question: Question, shown: str) -> dict[str, str]:
    choice = "multiple" if question.multiple else "single"
    attributes = {"name": question.name, "toName": shown, "choice": choice, "showInline": "true"}
    return attributes | ({"required": "true"} if question.required else {})


def _label(label: Label) -> dict[str, str]:
    colour = {"style": f"color: {label.color}"} if label.color else {}
    return {"value": label.value} | ({"hotkey": label.hotkey} if label.hotkey else {}) | colour


def _add(parent: etree._Element, tag: str, attributes: dict[str, str], question: Question) -> etree._Element:
    if any(_REFERENCE.search(text) for text in attributes.values()):
        raise SpecError(
            f"question {question.name!r}: Label Studio would replace a `$` before a word by task data",
            remedy="write the prompt or label without `$`, or with a space after it",
        )
    try:
        return etree.SubElement(parent, tag, attributes)
    except ValueError:
        raise SpecError(
            f"question {question.name!r}: a prompt or label holds a control character, which XML cannot carry",
            remedy="remove it",
        ) from None
