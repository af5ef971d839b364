"""Ways out of Jinja's sandbox that were found over the years, and their kin: none leads anywhere."""

from __future__ import annotations

import pytest

from engine.errors import TemplateError
from engine.templating.library import TemplateErrors
from tests.templating.rendering import message, render

ESCAPES = [
    pytest.param("{{ '{0.__class__}'.format(mailbox) }}", id="str.format (CVE-2016-10745)"),
    pytest.param("{{ '{a.__class__}'.format_map({'a': 1}) }}", id="str.format_map (CVE-2019-10906)"),
    pytest.param(
        "{{ ['{0.__class__}'.format] | map('call') }}", id="format kept and called later (CVE-2024-56326)"
    ),
    pytest.param("{% set f = '{0.__class__}'.format %}{{ f(mailbox) }}", id="format in a name"),
    pytest.param("{{ mailbox | attr('format') }}", id="format by attr (CVE-2025-27516)"),
    pytest.param("{{ {'a b': 1} | xmlattr }}", id="attributes by xmlattr (CVE-2024-22195, 34064)"),
    pytest.param("{{ '%(a)s' | format(a=1) }}", id="the format filter"),
    pytest.param("{{ ().__class__.__base__.__subclasses__() }}", id="subclasses of object"),
    pytest.param("{{ ''['__cl' ~ 'ass__'] }}", id="a name put together"),
    pytest.param("{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}", id="a name in escapes"),
    pytest.param("{{ message['__class__'] }}{{ message.from['__class__'] }}", id="a view's class"),
    pytest.param("{{ captures.__class__ }}{{ captures['__init__'] }}", id="a mapping's class"),
    pytest.param("{{ payload.__class__.__init__.__globals__ }}", id="globals by a payload"),
    pytest.param("{{ lipsum.__globals__['os'].popen('id') }}", id="globals by lipsum"),
    pytest.param("{{ cycler.__init__.__globals__.os }}", id="globals by cycler"),
    pytest.param("{{ joiner.__init__ }}{{ namespace.__init__ }}", id="other globals of Jinja"),
    pytest.param("{{ self._TemplateReference__context }}", id="the template's context"),
    pytest.param("{{ range.__self__ }}{{ range.__globals__ }}", id="a function's inside"),
    pytest.param("{% for x in 'a' %}{{ loop.__init__.__globals__ }}{% endfor %}", id="a loop's inside"),
    pytest.param(
        "{% for x in 'a' %}{{ loop._environment }}{{ loop._undefined }}{% endfor %}", id="its fields"
    ),
    pytest.param("{{ nothing.__class__ }}{{ captures.nothing._undefined_hint }}", id="what is not defined"),
    pytest.param("{{ now.__reduce__() }}{{ now.__class__ }}", id="a date's methods"),
    pytest.param("{{ mailbox.join.__self__ }}", id="a method's owner"),
    pytest.param("{{ (1).__class__ }}{{ 1.0.hex() }}", id="a number's methods"),
    pytest.param("{{ x.gi_frame.f_back.f_globals }}", id="a generator's frame"),
    pytest.param("{{ (mailbox for mailbox in 'a').gi_frame }}", id="a generator"),
    pytest.param("{{ dict(mro=1) }}{{ {'a': 1}.items() }}", id="a map"),
    pytest.param("{% import 'os' as os %}{{ os.system('id') }}", id="an import"),
    pytest.param("{% from 'x' import y %}", id="a from import"),
    pytest.param("{% include '/etc/passwd' %}", id="a file by its path"),
    pytest.param("{% include '../../x' %}", id="a path upwards"),
    pytest.param("{% include ['a', 'b'] ignore missing %}", id="one of several"),
    pytest.param("{% extends '../x' %}{% block a %}{% endblock %}", id="a parent"),
    pytest.param("{% macro a() %}{{ caller }}{% endmacro %}{% call a() %}{% endcall %}", id="a caller"),
    pytest.param("{% set x %}{{ mailbox }}{% endset %}", id="a captured block, which counts as safe"),
    pytest.param("{% filter upper %}x{% endfilter %}", id="a filter block"),
    pytest.param("{% with x = 1 %}{% endwith %}{% do x.append(1) %}", id="statements of extensions"),
    pytest.param("{% trans %}{{ mailbox }}{% endtrans %}", id="translations"),
    pytest.param("{% debug %}", id="debug output"),
    pytest.param("{{ message.to.append(1) }}{{ message.to.clear() }}", id="a list that is changed"),
    pytest.param("{{ mailbox | map('upper') | list }}{{ [1] | tojson }}", id="filters that take filters"),
    pytest.param("{{ mailbox | safe }}{{ mailbox | escape | forceescape }}", id="escaping undone"),
    pytest.param(
        "{{ mailbox | groupby('__class__') }}{{ mailbox | sum(attribute='x') }}", id="attributes by filters"
    ),
    pytest.param("{{ images.__class__ }}{{ inputs.__init__ }}", id="our own mappings"),
    pytest.param("{{ captures.no | default(now.strftime) }}", id="a method as a value"),
]


@pytest.mark.parametrize("kind", ["md", "html"])
@pytest.mark.parametrize("body", ESCAPES)
def test_no_way_out_is_open(body: str, kind: str) -> None:
    with pytest.raises((TemplateError, TemplateErrors)):
        render(body, kind=kind)


@pytest.mark.parametrize("body", [param.values[0] for param in ESCAPES])
def test_nor_in_an_input_nor_in_a_subject(body: object) -> None:
    assert isinstance(body, str)
    with pytest.raises((TemplateError, TemplateErrors)):
        render("{{ x }}", inputs="x", values={"x": body})
    with pytest.raises((TemplateError, TemplateErrors)):
        render("x", subject=body)


@pytest.mark.parametrize("body", [param.values[0] for param in ESCAPES])
def test_nor_from_a_message_or_a_capture(body: object) -> None:
    assert isinstance(body, str)
    made = render("{{ message.text }}|{{ captures.c }}", message=message(body), captures={"c": body})
    assert made.text.strip().splitlines()[-1].endswith(body.strip().splitlines()[-1])
