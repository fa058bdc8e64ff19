"""Templates give what Jinja gives, character by character; what they cannot do, they say."""

import datetime
import pathlib
import sys

import jinja2
import pytest

pytestmark = pytest.mark.tidemill_only
LIB = pathlib.Path(__file__).resolve().parents[2] / "crates" / "links" / "python" / "home" / "lib"

NAMES = {
    "ds": "2026-03-04",
    "n": 7,
    "text": "a b",
    "items": [3, 1, 2],
    "map": {"k": "v", "items": 5},
    "none": None,
    "at": datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc),
    "flag": True,
    "empty": [],
    "twice": lambda value: value * 2,
}
TEMPLATES = [
    "{{ ds }}",
    "{{ds}}/{{ n }}",
    "{{ n + 1 }}",
    "{{ n - 2 * 3 }}",
    "{{ (n - 2) * 3 }}",
    "{{ n / 2 }}",
    "{{ n // 2 }}",
    "{{ n % 4 }}",
    "{{ 2 ** 3 }}",
    "{{ -n }}",
    "{{ not flag }}",
    "{{ n > 3 and n < 10 }}",
    "{{ 1 < n < 10 }}",
    "{{ n == 7 }}",
    "{{ 'a' in text }}",
    "{{ 'z' not in text }}",
    "{{ ds ~ '-' ~ n }}",
    "{{ 'yes' if flag else 'no' }}",
    "{{ 'yes' if not flag }}",
    "{{ map.k }}",
    "{{ map['k'] }}",
    "{{ map.get('x', 'y') }}",
    "{{ items[0] }}",
    "{{ items[1:] }}",
    "{{ items[-1] }}",
    "{{ text.upper() }}",
    "{{ at.strftime('%Y/%m') }}",
    "{{ at.year }}",
    "{{ text | upper }}",
    "{{ text | replace('a', 'x') | upper }}",
    "{{ items | join(', ') }}",
    "{{ items | sort | first }}",
    "{{ items | length }}",
    "{{ items | sum }}",
    "{{ items | max }}",
    "{{ missing | default('d') }}",
    "{{ none | default('d', true) }}",
    "{{ missing is defined }}",
    "{{ ds is defined }}",
    "{{ none is none }}",
    "{{ n is odd }}",
    "{{ n is not even }}",
    "{{ 3.5 | round }}",
    "{{ '12' | int + 1 }}",
    "{{ twice(n) }}",
    "{{ twice(value=n) }}",
    "{{ [1, 'b', n] }}",
    "{{ {'a': n}['a'] }}",
    "{{ (1, 2)[1] }}",
    "{% if n > 5 %}big{% elif n > 3 %}middle{% else %}small{% endif %}",
    "{% for i in items %}{{ i }},{% endfor %}",
    "{% for i in items %}{{ loop.index }}={{ i }}{% if not loop.last %};{% endif %}{% endfor %}",
    "{% for k, v in map.items() %}{{ k }}{% endfor %}",
    "{% for i in empty %}x{% else %}nothing{% endfor %}",
    "{% set x = n * 2 %}{{ x }}",
    "a {# a comment #} b",
    "  {%- if flag -%}  x  {%- endif -%}  ",
    "line\n",
    "line\n\n",
    "{{ ds }}\n",
    "echo ${HOME} {{ ds }} {x}",
    "{{ 'quo\\'te' }}",
    '{{ "a" "b" }}',
    "{{ true }} {{ none }} {{ 1.50 }}",
    "{{ items | reverse | list }}",
    "{{ text | title }}",
    "{{ text | trim | length }}",
    "{{ range(3) | list }}",
    "{{ map | tojson }}",
    "{{ n in items }}",
]
ERRORS = [
    "{{ missing }}",
    "{{ map.missing }}",
    "{{ missing.more }}",
    "{{ missing + 1 }}",
    "{% if missing %}x{% endif %}",
    "{{ n }",
    "{{ ds",
    "{% if n %}x",
    "{{ n +}}",
]


class Dag:
    folder, template_searchpath, user_defined_filters, user_defined_macros = "/", None, None, None
    jinja_environment_kwargs, render_template_as_native_obj = None, False


@pytest.fixture(scope="module")
def render():
    sys.path.insert(0, str(LIB))
    from _tidemill.template import Renderer

    # What it does not know would be given to Jinja: here that counts as a failure.
    Renderer._with_jinja = lambda self, text, what: pytest.fail(f"{text!r}: {what}")
    yield Renderer(Dag, dict(NAMES)).render
    sys.path.remove(str(LIB))


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_gives_what_jinja_gives(render, template):
    expected = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(template).render(NAMES)
    assert render(template) == expected


@pytest.mark.parametrize("template", ERRORS)
def test_what_is_an_error_to_jinja_is_one_here(render, template):
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    with pytest.raises(jinja2.TemplateError):
        environment.from_string(template).render(NAMES)
    with pytest.raises(Exception, match=".") as raised:
        render(template)
    assert type(raised.value).__name__ in ("UndefinedError", "TemplateSyntaxError")
