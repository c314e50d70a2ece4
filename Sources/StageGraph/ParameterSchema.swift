import CanonicalJSON

extension StageLibrary {
    /// The JSON Schema (draft 2020-12) of pipeline files over these stage types, for editors.
    ///
    /// It knows less than validation does: it sees neither what `${name}` stands for nor whether a reference names an
    /// output of the right type.
    public var pipelineFileSchema: JSON {
        let word: JSON = ["type": "string", "pattern": "^[A-Za-z0-9_-]+$"]
        return [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Retort pipeline file",
            "type": "object",
            "required": ["retort", "name", "stages"],
            "additionalProperties": false,
            "properties": [
                "retort": ["const": 1, "description": "The version of the pipeline file."],
                "name": word,
                "parameters": [
                    "type": ["object", "null"], "propertyNames": word,
                    "description": "Values that ${name} stands for; null for one that --set must give.",
                ],
                "tiers": tiersSchema,
                "stages": [
                    "type": "object", "minProperties": 1, "propertyNames": word,
                    "additionalProperties": ["$ref": "#/$defs/stage"],
                ],
            ],
            "$defs": .object(
                JSONObject(
                    [
                        ("substitution", ["type": "string", "pattern": .string(substitutionPattern)]),
                        ("reference", ["type": ["string", "integer"], "description": "stage or stage.output"]),
                        (
                            "references",
                            [
                                "anyOf": [
                                    ["$ref": "#/$defs/reference"],
                                    ["type": "array", "items": ["$ref": "#/$defs/reference"]],
                                ]
                            ]
                        ),
                        ("stage", stageSchema),
                    ] + types.map { ("type-" + $0.signature.name, $0.signature.schema) })),
        ]
    }

    private var tiersSchema: JSON {
        let text: JSON = ["type": "string", "minLength": 1]
        let properties: JSON = [
            "url": ["type": "string", "description": "file:///folder, https://host/path or s3://bucket/prefix"],
            "access": ["enum": ["read-only", "read-write"]],
            "trusted": [
                "type": ["array", "string"], "items": text,
                "description": "Public keys, ed25519:…; results signed by nobody of these are not used.",
            ],
            "certificate-authority": text, "token-variable": text, "token-file": text,
        ]
        return [
            "type": ["array", "null"],
            "description": "Where results are shared with others. It is part of no key.",
            "items": [
                "anyOf": [
                    text,
                    [
                        "type": "object", "required": ["url"], "additionalProperties": false,
                        "properties": properties,
                    ],
                ]
            ],
        ]
    }

    private var stageSchema: JSON {
        let axis: JSON = [
            "type": ["array", "string"], "minItems": 1, "items": ["type": ["string", "number", "boolean"]],
            "pattern": .string(substitutionPattern),
        ]
        return [
            "type": "object",
            "required": ["uses"],
            "additionalProperties": false,
            "properties": [
                "uses": [
                    "anyOf": [["enum": .array(names.map { .string($0) })], ["$ref": "#/$defs/substitution"]],
                    "description": "The stage type.",
                ],
                "inputs": ["type": ["object", "null"], "additionalProperties": ["$ref": "#/$defs/references"]],
                "with": ["type": ["object", "null", "string"], "description": "The stage type's parameters."],
                "matrix": [
                    "type": "object", "minProperties": 1, "additionalProperties": axis,
                    "description": "Values to fan the stage out over; ${matrix.axis} stands for the value.",
                ],
            ],
            "allOf": .array(
                types.map { type in
                    let name = type.signature.name
                    return [
                        "if": ["properties": ["uses": ["const": .string(name)]], "required": ["uses"]],
                        "then": ["$ref": .string("#/$defs/type-" + name)],
                    ]
                }),
        ]
    }
}

private let substitutionPattern = #"\$\{[^}]*\}"#

extension StageSignature {
    /// What a stage of this type adds to the schema of all stages.
    fileprivate var schema: JSON {
        var ports: [(String, JSON)] = []
        var others: JSON = false
        for port in inputs {
            let summary = JSON.string("\(port.summary.isEmpty ? "" : port.summary + " ")Takes \(port.type).")
            switch port.arity {
            case .named: others = ["$ref": "#/$defs/references", "description": summary]
            case .list: ports.append((port.name, ["$ref": "#/$defs/references", "description": summary]))
            case .one, .optional: ports.append((port.name, ["$ref": "#/$defs/reference", "description": summary]))
            }
        }
        let requiredPorts = inputs.filter { $0.arity == .one || $0.arity == .list }.map { JSON.string($0.name) }
        var required: [JSON] = []
        if !requiredPorts.isEmpty { required.append("inputs") }
        if parameters.contains(where: \.isRequired) { required.append("with") }
        return [
            "description": .string(summary),
            "required": .array(required),
            "properties": [
                "inputs": [
                    "properties": .object(JSONObject(ports)), "additionalProperties": others,
                    "required": .array(requiredPorts),
                ],
                "with": objectSchema(parameters, ["object", "null", "string"]),
            ],
        ]
    }
}

/// An object of declared parameters, or whatever else `types` allows.
private func objectSchema(_ parameters: [Parameter], _ types: JSON) -> JSON {
    [
        "type": types,
        "pattern": .string(substitutionPattern),
        "properties": .object(JSONObject(parameters.map { ($0.name, $0.schema) })),
        "required": .array(parameters.filter(\.isRequired).map { .string($0.name) }),
        "additionalProperties": false,
    ]
}

extension Parameter {
    fileprivate var schema: JSON {
        var schema = kind.schema(allowsNull: defaultValue?.isNull ?? false)
        if !summary.isEmpty { schema["description"] = .string(summary) }
        if let defaultValue { schema["default"] = defaultValue }
        return .object(schema)
    }
}

extension Parameter.Kind {
    /// Every kind but strings also allows text with `${name}`. Keywords such as `minimum` and `pattern` say nothing
    /// about values of other types, so one schema holds both.
    fileprivate func schema(allowsNull: Bool = false) -> JSONObject {
        func typed(_ name: JSON, _ keywords: [(String, JSON)]) -> JSONObject {
            JSONObject(
                [
                    ("type", .array([name, "string"] + (allowsNull ? ["null"] : []))),
                    ("pattern", .string(substitutionPattern)),
                ] + keywords)
        }
        func anyOf(_ choices: [JSON]) -> JSONObject {
            let null: [JSON] = allowsNull ? [["type": "null"]] : []
            return JSONObject([("anyOf", .array(choices + null + [["$ref": "#/$defs/substitution"]]))])
        }
        switch self {
        case .boolean: return typed("boolean", [])
        case .integer(let range):
            var bounds: [(String, JSON)] = []
            if range.lowerBound > Int.min { bounds.append(("minimum", .integer(Int64(range.lowerBound)))) }
            if range.upperBound < Int.max { bounds.append(("maximum", .integer(Int64(range.upperBound)))) }
            return typed("integer", bounds)
        case .number(let range):
            var bounds: [(String, JSON)] = []
            if range.lowerBound == .leastNonzeroMagnitude {
                bounds.append(("exclusiveMinimum", 0))
            } else if range.lowerBound > -.greatestFiniteMagnitude {
                bounds.append(("minimum", .number(range.lowerBound)))
            }
            if range.upperBound < .greatestFiniteMagnitude { bounds.append(("maximum", .number(range.upperBound))) }
            return typed("number", bounds)
        case .string: return JSONObject([("type", allowsNull ? .array(["string", "null"]) : "string")])
        case .any: return JSONObject()
        case .file, .directory, .localPath:
            return JSONObject([("type", allowsNull ? .array(["string", "null"]) : "string"), ("minLength", 1)])
        case .choice(let names): return anyOf([["enum": .array(names.map { .string($0) })]])
        case .list(let element): return typed("array", [("items", .object(element.schema()))])
        case .dictionary(let element): return typed("object", [("additionalProperties", .object(element.schema()))])
        case .object(let parameters):
            return objectSchema(parameters, .array(["object", "string"] + (allowsNull ? ["null"] : []))).object!
        case .variant(let tag, let cases):
            return anyOf(
                cases.map { name, parameters in
                    let tagParameter = Parameter(tag, .choice([name]), "")
                    return objectSchema([tagParameter] + parameters, "object")
                })
        }
    }
}
