import CanonicalJSON
import TestData
import Testing
import Tokenization

@Suite struct ChatTemplateTests {
    static let goldens = "goldens/chat/goldens.json"

    @Test(
        .enabled(if: SharedData.exists(goldens), "needs ../shared/\(goldens)"),
        arguments: ["smollm2", "llama3", "qwen2"])
    func rendersAsTheGoldensDo(_ family: String) throws {
        let folder = "goldens/tokenizers/\(family)"
        let file = try #require(JSON.parse(SharedData.bytes(Self.goldens)).object)
        let configuration = try TokenizerConfiguration(JSON.parse(SharedData.bytes("\(folder)/tokenizer_config.json")))
        let source = try #require(file["templates"]?[family]?.string)
        #expect(configuration.chatTemplate.map { $0.utf8.elementsEqual(source.utf8) } ?? false)
        let template = try ChatTemplate(source)
        let tokenizer = try GoldenTokenizers.tokenizer(family)
        for row in try file.array("rows") {
            let messages = try #require(row["messages"]?.array).map { message in
                ChatMessage(role: message["role"]!.string!, content: message["content"]!.string!)
            }
            for (name, addsGenerationPrompt) in [("plain", false), ("generate", true)] {
                let expected = try #require(row[family]?[name]?["text"]?.string)
                let found = try template.render(
                    messages, addsGenerationPrompt: addsGenerationPrompt, configuration: configuration)
                #expect(
                    found.utf8.elementsEqual(expected.utf8), "\(found.debugDescription), \(expected.debugDescription)")
                let ids = row[family]?[name]?["ids"]?.array?.compactMap { $0.integer.map(Int32.init) }
                #expect(tokenizer.encode(found) == ids)
            }
        }
    }

    /// Expected texts from Jinja 3 with `trim_blocks` and `lstrip_blocks`.
    @Test(arguments: [
        ("a\n  {% if true %}\n  b\n  {% endif %}\n  c\n", "a\n  b\n  c"),
        ("a {%- if true -%}  b {%- endif %} c", "ab c"),
        ("{{ 'x' }}\n{{ 'y' }}\n", "x\ny"),
        ("a\n  {# note #}\n b", "a\n b"),
        ("  {%+ if true %}x{% endif +%}\ny", "  x\ny"),
        ("{% raw %}{{ x }}{% endraw %}!", "{{ x }}!"),
        ("{% for x in [1, 2, 3] if x != 2 %}{{ loop.index }}{{ x }}{{ ',' if not loop.last }}{% endfor %}", "11,23"),
        ("{% for x in [] %}a{% else %}none{% endfor %}", "none"),
        (
            "{% for x in range(9) %}{% if x == 2 %}{% continue %}{% endif %}{% if x > 3 %}{% break %}{% endif %}{{ x }}{% endfor %}",
            "013"
        ),
        ("{% set x = 1 %}{% for y in [2] %}{% set x = y %}{% endfor %}{{ x }}", "1"),
        ("{% set n = namespace(x=1) %}{% for y in [2] %}{% set n.x = y %}{% endfor %}{{ n.x }}", "2"),
        ("{% set t %}a{{ 1 + 1 }}{% endset %}{{ t | upper }}", "A2"),
        ("{% macro f(a, b='z') %}{{ a }}{{ b }}{% endmacro %}{{ f('x') }}{{ f('x', b='y') }}", "xzxy"),
        ("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}", "a1b2"),
        ("{{ [1, 'a', none, true, 1.5] }}", "[1, 'a', None, True, 1.5]"),
        ("{{ {'a': [1, \"it's\"]} | tojson }}", "{\"a\": [1, \"it's\"]}"),
        ("{{ {'a': [1]} | tojson(indent=2) }}", "{\n  \"a\": [\n    1\n  ]\n}"),
        ("{{ 7 // 2 }}{{ -7 // 2 }}{{ -7 % 3 }}{{ 7 / 2 }}{{ 2 ** 5 }}", "3-423.532"),
        ("{{ 1 < 2 < 3 }}{{ 'b' in 'abc' }}{{ 2 not in [1] }}{{ not true or true }}", "TrueTrueTrueTrue"),
        ("{{ 'abcde'[1:3] }}{{ 'abcde'[::-1] }}{{ 'abcde'[-2:] }}{{ [1, 2, 3][-1] }}", "bcedcbade3"),
        ("{{ '  a b '.strip() }}|{{ 'a,b,c'.split(',')[1] }}|{{ 'xxay'.lstrip('x') }}", "a b|b|ay"),
        ("{{ x is defined }}{{ x | default('d') }}{{ '' | default('e', true) }}{{ none is none }}", "FalsedeTrue"),
        ("{{ 'a' is string and 1 is number and [] is iterable and {} is mapping }}{{ 3 is odd }}", "TrueTrue"),
        ("{{ [{'r': 1, 't': 0}, {'r': 2, 't': 1}] | selectattr('t') | map(attribute='r') | list }}", "[2]"),
        ("{{ ['a', 'b'] | join('-') }}{{ 'abc' | length }}{{ [3, 4] | first }}{{ 'x y' | title }}", "a-b33X Y"),
        ("{{ 'a' ~ 1 ~ none }}{{ 'é\\u00e9\\n' }}", "a1Noneéé\n"),
        ("{% if a is not defined and not b %}ok{% elif c %}no{% else %}no{% endif %}", "ok"),
        ("{{ messages[0].content.startswith('h') and messages[-1]['role'] == 'user' }}", "True"),
    ]) func rendersAsJinja(_ source: String, _ expected: String) throws {
        let found = try ChatTemplate(source)
            .render([ChatMessage(role: "user", content: "hello")], addsGenerationPrompt: false)
        #expect(found == expected)
    }

    @Test(arguments: [
        ("{% if x %}", "chat template: line 1: the block \"if\" is not closed"),
        ("a\n{{ 'x }}", "chat template: line 2: a string is not closed"),
        ("{% include 'x' %}", "chat template: line 1: the block \"include\" is not supported"),
        ("\n\n{{ 1 | frobnicate }}", "chat template: line 3: the filter \"frobnicate\" is not supported"),
        ("{{ x.y }}", "chat template: line 1: x is undefined, so it has no \"y\""),
        ("{{ raise_exception('no system turn') }}", "chat template: line 1: no system turn"),
        ("{{ 1 + 'a' }}", "chat template: line 1: cannot apply \"+\" to an integer and a string"),
        ("{{ }}", "chat template: line 1: expected a value"),
        ("{# open", "chat template: line 1: a comment is not closed"),
        (
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "chat template: line 1: macros call each other without end"
        ),
        (
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "chat template: line 1: the template does not come to an end"
        ),
        (
            "{{ " + String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000) + " }}",
            "chat template: line 1: nested deeper than 100 levels"
        ),
    ]) func aBrokenTemplateSaysWhatIsWrong(_ source: String, _ message: String) {
        let error = #expect(throws: ChatTemplateError.self) {
            try ChatTemplate(source).render([], addsGenerationPrompt: false)
        }
        #expect(error?.description == message)
    }
}
