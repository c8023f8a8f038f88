"""Chat templates in the styles that published models use, written for these tests."""

from __future__ import annotations

CHATML = """{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"""

BRACKETS = """{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}
{% set system_message = '<<SYS>>\\n' + messages[0]['content'].strip() + '\\n<</SYS>>\\n\\n' %}
{% else %}{% set loop_messages = messages %}{% set system_message = '' %}{% endif %}
{% for message in loop_messages %}
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{ raise_exception('Roles must alternate: user, assistant, user …') }}{% endif %}
{% if loop.index0 == 0 %}{% set content = system_message ~ message['content'] %}
{% else %}{% set content = message['content'] %}{% endif %}
{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}
{% endfor %}"""

HEADERS = """{{- bos_token }}
{%- if custom_tools is defined %}{%- set tools = custom_tools %}{%- endif %}
{%- if not tools_in_user_message is defined %}{%- set tools_in_user_message = true %}{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}{%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}{%- set date_string = "01 Jan 2025" %}{%- endif %}
{%- endif %}
{%- if not tools is defined %}{%- set tools = none %}{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\nToday is " + date_string + "\\n" }}
{%- if builtin_tools is defined %}
    {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n" }}
{%- endif %}
{%- for t in tools or [] %}{{- t | tojson(indent=4) }}{{- "\\n\\n" }}{%- endfor %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}
        {{- message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls | length == 1 %}{{- raise_exception("One call at a time!") }}{%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {%- for arg_name, arg_val in tool_call.arguments | items %}
            {{- arg_name + '="' + arg_val + '"' }}{%- if not loop.last %}{{- ", " }}{%- endif %}
        {%- endfor %}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}
        {%- else %}{{- message.content }}{%- endif %}
    {%- endif %}
{%- endfor %}"""

THINKING = """{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string
        and not (message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}{%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set reasoning_content = '' %}
    {%- if message.reasoning_content is string %}{%- set reasoning_content = message.reasoning_content %}
    {%- elif '</think>' in message.content %}
        {%- set reasoning_content = message.content.split('</think>')[0].rstrip('\\n') %}
        {%- set reasoning_content = reasoning_content.split('<think>')[-1].lstrip('\\n') %}
        {%- set content = message.content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {%- if loop.first or (not loop.last and messages[loop.index0 - 1].role != "tool") %}
        {{- '<|im_start|>user' }}{%- endif %}
    {%- generation %}{{- content or '' }}{%- endgeneration %}
{%- endfor %}
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"""

MACROS = """{%- macro json_to_python_type(json_spec) %}
{%- set basic_type_map = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
{%- if basic_type_map[json_spec.type] is defined %}{{- basic_type_map[json_spec.type] }}
{%- elif json_spec.type == "array" %}{{- "list[" + json_to_python_type(json_spec|items) + "]" }}
{%- elif json_spec.type is iterable %}{{- "Union[" }}
    {%- for t in json_spec.type %}{{- json_to_python_type({"type": t}) }}{%- if not loop.last %}{{- "," }}
{%- endif %}{%- endfor %}
{%- else %}{{- "Any" }}{%- endif %}
{%- endmacro %}
{%- macro fields(spec, indent) %}{%- set o = namespace(f = caller()) %}
{%- for name, field in spec.properties|items %}{%- set o.f = o.f + indent + name + ': ' %}
{%- endfor %}{{- o.f }}{%- endmacro %}
{%- for tool in tools %}
{%- if tool.function is defined %}{%- set tool = tool.function %}{%- endif %}
{%- call fields(tool.parameters, '  ') %}{{- 'def ' + tool.name }}{%- endcall %}
{%- for param in tool.parameters %}{{- "%s" | format(tool.parameters[param]) -}}{%- endfor %}
{%- for key, value in properties | dictsort %}{{ key }}:{{ value['type'] | upper }}{%- endfor %}
{%- endfor %}
{%- for message in messages %}{{ message.content }}{%- if loop.index0 > 5 %}{%- break %}{%- endif %}{%- endfor %}"""

LISTS = """{%- set system = messages | selectattr('role', 'equalto', 'system') | map(attribute='content') | list -%}
{%- set parts = [] -%}
{%- for message in messages | rejectattr('role', 'equalto', 'system') -%}
    {%- if message.content is string -%}{%- set _ = parts.append(message.content) -%}
    {%- elif message.content is sequence and message.content is not mapping -%}
        {%- for item in message.content -%}
            {%- if item.type in ['image', 'image_url'] -%}{{- '<|image|>' -}}
            {%- else -%}{%- do parts.append(item['text']) -%}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endfor -%}
{%- set ns = namespace(last=-1, text='') -%}
{%- for i in range(messages | length - 1, -1, -1) -%}
    {%- if messages[i].role == 'user' and ns.last == -1 -%}{%- set ns.last = i -%}{%- endif -%}
{%- endfor -%}
{%- set body -%}{%- for part in parts -%}{{ part | replace('~1', '/') }}{%- endfor -%}{%- endset -%}
{%- filter trim -%}{{ body }}{%- endfilter -%}
{{ (system | first | default('', true)) ~ '\\n' ~ (parts | join('\\n')) ~ (ns.text if ns.text else '') }}"""

DISPATCH = """{%- macro one(a) -%}{{ a }}{%- endmacro -%}{%- macro two(a) -%}{{ a }}{%- endmacro -%}
{%- set calls = [] -%}{%- set calls = calls + [one] -%}{%- if deep -%}{%- set calls = calls + [two] -%}{%- endif -%}
{%- for i in range(calls | length) -%}{{- calls[i](*messages[i].args) -}}{%- endfor -%}
{%- for message in messages -%}{{- loop.cycle('a', 'b') -}}{%- endfor -%}"""

ALL = {
    "chatml": CHATML,
    "brackets": BRACKETS,
    "headers": HEADERS,
    "thinking": THINKING,
    "macros": MACROS,
    "lists": LISTS,
    "dispatch": DISPATCH,
}
