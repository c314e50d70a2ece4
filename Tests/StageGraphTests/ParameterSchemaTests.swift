import CanonicalJSON
import StageGraph
import Testing

@Suite struct ParameterSchemaTests {
    private let definitions = toys.pipelineFileSchema["$defs"]

    @Test func stagesNameTheirTypeAndNothingUnknown() {
        let stage = definitions?["stage"]
        #expect(stage?["required"] == ["uses"])
        #expect(stage?["additionalProperties"] == false)
        #expect(
            stage?["properties"]?["uses"]?["anyOf"]?.array?[0] == [
                "enum": ["source", "copy", "merge", "knobs", "strict", "gather"]
            ])
        #expect(
            stage?["allOf"]?.array?[1] == [
                "if": ["properties": ["uses": ["const": "copy"]], "required": ["uses"]],
                "then": ["$ref": "#/$defs/type-copy"],
            ])
    }

    @Test func portsAreListedWithTheirTypes() {
        #expect(
            definitions?["type-merge"]?["properties"]?["inputs"] == [
                "additionalProperties": false, "required": ["parts"],
                "properties": [
                    "parts": ["$ref": "#/$defs/references", "description": "Takes letters/1."],
                    "order": ["$ref": "#/$defs/reference", "description": "Takes numbers/3."],
                ],
            ])
        #expect(definitions?["type-merge"]?["required"] == ["inputs"])
    }

    @Test func parametersCarryRangeDefaultAndSummary() {
        let knobs = definitions?["type-knobs"]?["properties"]?["with"]?["properties"]
        #expect(
            knobs?["count"] == [
                "type": ["integer", "string"], "pattern": #"\$\{[^}]*\}"#, "minimum": 1, "maximum": 10, "default": 3,
                "description": "A count.",
            ])
        #expect(knobs?["word"] == ["type": ["string", "null"], "default": nil, "description": "A word."])
        #expect(knobs?["shape"]?["anyOf"]?.array?.count == 3)
        #expect(knobs?["shape"]?["anyOf"]?.array?[1]["required"] == ["kind", "path"])
        #expect(knobs?["box"]?["required"] == ["width"])
    }
}
