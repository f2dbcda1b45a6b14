#!/usr/bin/env python3
"""Makes tokenizer.json and golden.json again: what transformers makes of the conversations with each template, and
what Jinja makes of the snippets below, with the settings of transformers.

    python3 -m venv V && V/bin/pip install transformers==5.24.0 jinja2==3.1.6 && V/bin/python make.py
"""
import datetime
import json
import pathlib

import transformers
from transformers.utils import chat_template_utils

HERE = pathlib.Path(__file__).parent
BOS, EOS = "<s>", "</s>"
SPECIAL = [BOS, EOS, "<pad>", "<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
           "<|begin_of_text|>", "<start_of_turn>", "<end_of_turn>", "<bos>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]",
           "[/SYSTEM_PROMPT]", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<｜User｜>", "<｜Assistant｜>",
           "<｜end▁of▁sentence｜>", "<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>", "<|start|>", "<|message|>",
           "<|channel|>", "[gMASK]", "<sop>"]

V = {"messages": [{"role": "user", "content": "hé"}, {"role": "assistant", "content": "b", "n": 2}], "bos_token": "<s>",
     "words": ["b", "C", "a", "B"], "d": {"b": 1, "a": [1.5, None, True, "x\n\"'é"]}, "s": "  Ab cd\n", "n": 7,
     "nothing": None, "tools": None, "x": 2.5}
SNIPPETS = r'''
a {{ n }} b
{{ n + 1 }} {{ n - 10 }} {{ n * 2 }} {{ n / 2 }} {{ n // 2 }} {{ -n // 2 }} {{ -n % 3 }} {{ n % -3 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }}
{{ 1 / 3 }}
{{ 10 / 3 * 1000000 }} {{ 1.0 * 10000000000000000 }} {{ 0.00001 * 1 }} {{ 100000.0 }} {{ true + 1 }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ "a" < "b" }} {{ 1 == 1.0 }} {{ "1" == 1 }} {{ none == nothing }} {{ [1, 2] == [1, 2] }}
{{ "x" if n > 3 else "y" }}{{ "z" if n > 30 }}|
{{ not n == 7 or 1 and 0 }} {{ n and "yes" }} {{ "" or "no" }} {{ not nothing }}
{{ "a" ~ 1 ~ none ~ true ~ 2.5 }} {{ "a" "b" 'c' }} {{ "ab" * 3 }} {{ 2 * "ab" }} {{ [1] + [2, 3] }}
{{ words }} {{ d }} {{ (1, 2) }} {{ (1,) }} {{ () }} {{ [] }} {{ {} }} {{ {"k": 'it\'s', 'l': "\"q\""} }}
{{ d | tojson }} {{ d | tojson(indent=2) }} {{ words | tojson }} {{ [] | tojson }} {{ {"ü": "a/b<\u0001>"} | tojson }}
{{ d | tojson(ensure_ascii=true) }} {{ d | tojson(sort_keys=True) }} {{ d | tojson(separators=(",", ":")) }} {{ (1, "a") | tojson }}
{{ s | trim }}|{{ s.strip() }}|{{ s.lstrip() }}|{{ s.rstrip() }}|{{ "xxaxx".strip("x") }}|{{ "xya" | trim("xy") }}
{{ s.upper() }} {{ s | lower }} {{ "straße" | upper }} {{ "ÀÉ" | lower }} {{ "hELLO wORLD" | capitalize }}
{{ s.split() }} {{ "a,b,,c".split(",") }} {{ "a,b,c".split(",", 1) }} {{ " a b  c ".split(None, 1) }} {{ "abc".split("b")[-1] }}
{{ "abc".startswith("ab") }} {{ "abc".endswith("c") }} {{ "abc".endswith(("x", "c")) }} {{ "abab".replace("a", "x") }} {{ "abab" | replace("b", "yy") }} {{ "aaa".replace("a", "b", 2) }}
{{ "abc".find("c") }} {{ "éc".find("c") }} {{ "abc".find("x") }} {{ "banana".count("an") }} {{ "-".join(words) }} {{ "pre-x".removeprefix("pre-") }} {{ "x.y".removesuffix(".y") }}
{{ "héllo"[1] }} {{ "héllo"[-1] }} {{ "héllo"[1:3] }} {{ "héllo"[::-1] }} {{ "héllo"[-3:] }} {{ "abc"[5:] }} {{ "abc"[:-1] }} {{ "abcdef"[4:1:-2] }}
{{ words[1:] }} {{ words[::-1] }} {{ words[0] }} {{ words[-1] }} {{ words[9] }}| {{ words[:2] }} {{ (1,2,3)[1:] }} {{ words[-9:2] }} {{ words[9:0:-1] }}
{{ messages[0].role }} {{ messages[0]["content"] }} {{ messages[1].n + 1 }} {{ messages.0.role }} {{ messages[0].missing }}| {{ nothing.x }}| {{ "a".x }}|
{{ "a" in "cat" }} {{ "b" in words }} {{ "z" not in words }} {{ "a" in d }} {{ 1 in [1.0] }} {{ "x" in missing }}
{{ missing }}| {{ missing is defined }} {{ missing is undefined }} {{ nothing is none }} {{ nothing is not none }} {{ n is number }} {{ true is number }} {{ n is integer }} {{ true is integer }} {{ x is float }}
{{ s is string }} {{ d is mapping }} {{ words is iterable }} {{ s is iterable }} {{ d is sequence }} {{ missing is iterable }} {{ n is iterable }} {{ words is sequence }} {{ missing is sequence }}
{{ true is true }} {{ 1 is true }} {{ false is false }} {{ 0 is false }} {{ true is boolean }} {{ none is sameas none }} {{ true is sameas(true) }} {{ 1 is sameas true }}
{{ 4 is even }} {{ 4 is odd }} {{ 9 is divisibleby 3 }} {{ 3 is eq 3 }} {{ 3 is equalto(4) }} {{ 3 is ne 4 }} {{ 3 is gt 2 }} {{ 3 is lt(2) }} {{ 3 is ge 3 }} {{ 3 is in [1, 3] }}
{{ raise_exception is defined }} {{ raise_exception is callable }} {{ s is callable }} {{ n is defined and n > 3 }} {{ missing is defined or n }} {{ n is string or n is number }}
{{ missing | default("d") }} {{ nothing | default("d") }} {{ nothing | default("d", true) }} {{ "" | default("e", boolean=True) }} {{ missing | d("q") }} {{ missing | default }}|
{{ words | length }} {{ s | count }} {{ d | length }} {{ "é" | length }} {{ missing | length }}
{{ words | join(", ") }} {{ messages | join("/", attribute="role") }} {{ [1, none] | join }} {{ messages | map(attribute="role") | list }} {{ words | map("upper") | list }} {{ words | map("replace", "b", "q") | join(" ") }}
{{ messages | map(attribute="n", default=0) | list }} {{ none | map("upper") | list }} {{ words | select("equalto", "a") | list }} {{ words | reject("in", ["a", "b"]) | list }} {{ [0, 1, ""] | select | list }}
{{ messages | selectattr("role", "equalto", "user") | list | length }} {{ messages | selectattr("n") | list | length }} {{ messages | rejectattr("role", "eq", "user") | map(attribute="content") | first }} {{ messages | selectattr("n", "defined") | list | length }}
{{ words | sort }} {{ d | dictsort }} {{ words | unique | list }} {{ words | first }} {{ words | last }} {{ words | reverse | list }} {{ "abc" | reverse }} {{ [3, 1, 2] | min }} {{ [3, 1, 2] | max }} {{ "ba" | list }}
{{ "42" | int }} {{ "x" | int }} {{ "x" | int(5) }} {{ 2.9 | int }} {{ 5 | string + "a" }} {{ none | string }} {{ "<b>" | safe }}
{{ "a\nb\n\nc" | indent }} {{ "a\nb" | indent(2, true) }} {{ "a\nb" | indent(width=1, first=True) }}
{{ d.items() | list }} {{ d.keys() | list }} {{ d.values() | list }} {{ d | items | list }} {{ d.get("b") }} {{ d.get("q") }} {{ d.get("q", 5) }} {{ missing | items | list }}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in "hé" %}[{{ c }}]{% endfor %}
{% for m in messages %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.depth }}{% if not loop.first %}{{ loop.previtem.role }}{% endif %}{{ loop.nextitem is defined }} {% endfor %}
{% for w in words if w != "a" %}{{ loop.index }}{{ w }}{{ loop.last }} {% else %}none{% endfor %}{% for w in [] %}x{% else %}empty{% endfor %}{% for w in missing %}x{% endfor %}
{% for a in [1, 2] %}{% for b in [3, 4] %}{{ a }}{{ b }}{{ loop.depth }}{{ loop.index }} {% endfor %}{{ loop.index }}{% endfor %}
{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 4 %}{% break %}{% endif %}{{ i }}{% endfor %} {{ range(3) | list }} {{ range(5, 0, -2) | list }} {{ range(2, 4) | list }}
{% set y = 1 %}{% for i in [1, 2, 3] %}{% set y = y + i %}{{ y }} {% endfor %}{{ y }}
{% set ns = namespace(y=1, z="q") %}{% for i in [1, 2, 3] %}{% set ns.y = ns.y + i %}{% endfor %}{{ ns.y }}{{ ns.z }}{{ ns.q }}|
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set t = 1, 2 %}{{ t }}{% set (c, e) = [3, 4] %}{{ c }}{{ e }}{% for a, b in [[1, 2], (3, 4)] %}{{ a }}-{{ b }} {% endfor %}
{% set z %}  block {{ n }} {% endset %}[{{ z }}]{% set z | upper | trim %}  block {{ n }} {% endset %}[{{ z }}]{% filter upper %}abc {{ s }}{% endfilter %}
{% if n == 1 %}a{% elif n == 7 %}b{% elif true %}c{% else %}d{% endif %}{% if missing %}x{% endif %}{% if words %}w{% endif %}{% if x %}{% set q = 5 %}{% endif %}{{ q }}
{% macro f(a, b="B", c=n) %}({{ a }}{{ b }}{{ c }}){% endmacro %}{{ f(1) }}{{ f(1, 2) }}{{ f(1, c=3) }}{{ f(b=1) }}{{ f("x") | upper }}{{ f(1) ~ "e" }}{{ f is defined }}
{% macro r(k) %}{{ k }}{% if k > 0 %}{{ r(k - 1) }}{% endif %}{% endmacro %}{{ r(3) }}{% set n = 5 %}{% macro g() %}{{ n }}{% endmacro %}{{ g() }}{% set n = 6 %}{{ g() }}
{% macro h(k) %}{% set w = k + 1 %}{{ w }}{% endmacro %}{{ h(1) }}{{ w }}{% for i in [1] %}{% macro m() %}i{{ i }}{% endmacro %}{{ m() }}{% endfor %}
{% generation %}gen {{ n }}{% endgeneration %}{% set k = 1 %}{% generation %}{% set k = 2 %}{{ k }}{% endgeneration %}{{ k }}
{% raw %}{{ not }} {% at all %} {# #}{% endraw %} x {%- raw -%}  y  {%- endraw -%}  z
{# comment #}a{#- c -#} b {# {{ x }} {% if %} #}c
x {{- n -}} y {{ n }} z   {%- if true -%}   in   {%- endif -%}   end
{{ "\n\t\\\"\'\x41\u00e9\U0001F600\101\q" }}{{ 'a"b' }}{{ "a'b" }}
{{ [1, 2,] }} {{ {"a": 1,} }} {{ f(1,) if f is defined }} {{ ("a" + "b") | upper }} {{ (n) }} {{ {"a": {"b": [1, 2]}}.a.b[1] }} {{ {'a': {'b': 1}}}}
{{ n | string | length + 1 }} {{ -n | string }} {{ not n is defined }} {{ 1 + 2 ~ 3 }} {{ 2 * 3 ~ 1 }} {{ n is not string }}
{{ dict(a=1, b=2) }} {{ dict({"x": 1}, y=2) }} {{ namespace(a=1).a }} {{ strftime_now("%d %b %Y %H:%M %A %j") }}
{{ "%s" }}{{ "a" is in ["a"] }} {{ "é" | tojson }} {{ 1.0 | tojson }} {{ none | tojson }} {{ "a\tb" | string | tojson }}
{{ raise_exception("no " ~ n) }}
{{ missing.x }}
{{ missing + 1 }}
{{ 1 + "a" }}
{{ nothing + "a" }}
{{ n.foo.bar }}
{{ words[0][9].x }}
{{ 1 in "abc" }}
{{ n | length }}
{% for i in 5 %}{% endfor %}
{% for a, b in [[1]] %}{% endfor %}
{{ n() }}
{{ words.append(1) }}
{{ d.pop("a") }}
{{ d.update({"a": 1}) }}
{{ 1 / 0 }}
{{ 1 < "a" }}
{% set n.x = 1 %}
{{ "a".split("") }}
{{ missing[0] }}
{{ f(1) }}
{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}
{{ "a" | frobnicate }}
{{ "a" is frobnicated }}
{{ "a".frobnicate() }}
{% frobnicate %}
{% if %}x{% endif %}
{% if x %}
{{ x
{{ (1 }}
{{ 1 2 }}
{% endfor %}
{% for x in %}{% endfor %}
{{ "abc }}
{# open
{% break %}
{{ a..b }}
{{ x if }}
{{ [1, 2 }}
'''.strip("\n").split("\n")
BLOCKS = [
    "a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  {%- if true -%}\n  b\n  {%- endif -%}\nc\n\n", "  {{ 1 }}\n  {{ 2 }}\n\n",
    "a\n  {%+ if true %}b{% endif +%}\n c", "{% if true %}\n\n  x\n{% endif %}\n", "{# c #}\n  {# d #}\n x {# e #}\n", "a\r\nb\r{% if true %}\r\nc\n{% endif %}",
    "\t {% for i in [1,2] %}\n\t{{ i }},\n\t{% endfor %}\n\tend", "x  {% if true %} y {% endif %}  \n", "\n\n{%- if true %}\n\na{% endif %}\n\n\n", "", "\n", "\n\n",
    "{% raw %}\n  x\n{% endraw %}\n y", "a\n {% set q = 1 %}\n\n b", "{{ '  ' }}\n{%- for i in [1] %}\n   {{- i }}\n{%- endfor %}\n", "{{ 1 }}  {% if 1 %}\n  {% if 1 %}z{% endif %}\n{% endif %}",
]


class Midsummer(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


def make_tokenizer():
    t = json.loads((HERE / "../tokenizers/llama3-style.json").read_text())
    first = max(list(t["model"]["vocab"].values()) + [a["id"] for a in t["added_tokens"]]) + 1
    known = {a["content"] for a in t["added_tokens"]}
    t["added_tokens"] += [{"id": first + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
                           "normalized": False, "special": True} for i, text in enumerate(s for s in SPECIAL if s not in known)]
    (HERE / "tokenizer.json").write_text(json.dumps(t, ensure_ascii=False) + "\n")
    return transformers.PreTrainedTokenizerFast(tokenizer_file=str(HERE / "tokenizer.json"), bos_token=BOS, eos_token=EOS)


def render(tokenizer, template, messages):
    try:
        text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, add_generation_prompt=True)
        ids = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=True, add_generation_prompt=True)
        return {"text": text, "tokens": list(ids["input_ids"] if hasattr(ids, "keys") else ids)}
    except Exception as e:
        return {"error": str(e)}


def snippet(template):
    try:
        return {"template": template, "text": chat_template_utils._compile_jinja_template(template).render(**V)}
    except Exception as e:
        return {"template": template, "error": str(e)}


def main():
    chat_template_utils.datetime = Midsummer
    tokenizer = make_tokenizer()
    conversations = json.loads((HERE / "conversations.json").read_text())
    templates = {}
    for path in sorted((HERE / "templates").glob("*.jinja")):
        source = path.read_bytes().decode()
        templates[path.stem] = {name: render(tokenizer, source, m) for name, m in conversations.items()}
    lines = [f'"{name}": {json.dumps(value, ensure_ascii=False)}' for name, value in templates.items()]
    parts = [json.dumps(part, ensure_ascii=False) for part in map(snippet, SNIPPETS + BLOCKS)]
    (HERE / "golden.json").write_text(
        f'{{"transformers": "{transformers.__version__}", "variables": {json.dumps(V, ensure_ascii=False)},\n"templates": {{\n'
        + ",\n".join(lines) + '},\n"snippets": [\n' + ",\n".join(parts) + "]}\n")


main()
