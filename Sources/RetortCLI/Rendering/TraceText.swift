import CanonicalJSON
import ContentStore
import StageGraph
import Stages
import Teachers

/// A trace as text for people, or as one JSON object.
enum TraceText {
    static func lines(_ trace: Trace) -> [String] {
        trace.places.isEmpty ? stages(trace) : record(trace)
    }

    private static func stages(_ trace: Trace) -> [String] {
        let rows = trace.steps.map { step in
            let calls = step.calls
            let asks = calls.count > 0
            return [
                step.node.name, "\(step.node.signature.name)/\(step.node.signature.version)",
                step.node.inputs.map { "\($0.source)" }.joined(separator: ", "), results(step),
                asks ? "\(calls.count)" : "", asks ? "\(calls.promptTokens)" : "",
                asks ? "\(calls.completionTokens)" : "", calls.cost.map(dollars) ?? "",
            ]
        }
        var lines =
            AlignedColumns(
                header: [
                    "stage", "type", "made of", "result", "teacher calls", "prompt tokens", "completion tokens", "cost",
                ],
                rows: rows, leftAligned: [0, 1, 2, 3]
            ).lines
        let files = trace.steps.flatMap { step in
            step.sources.map { [step.node.name, $0.source.role, $0.source.written, $0.digest.short] }
        }
        if !files.isEmpty {
            lines += [""]
            lines +=
                AlignedColumns(header: ["read by", "as", "file", "content"], rows: files, leftAligned: [0, 1, 2, 3])
                .lines
        }
        let teachers = trace.steps.compactMap(teacher)
        if !teachers.isEmpty { lines += [""] + teachers }
        return lines
    }

    private static func results(_ step: Trace.Step) -> String {
        step.node.signature.outputs.compactMap { port in
            step.outputs[port.name].map { artifact in
                let what = port.layout == .tree ? "files" : "records"
                return "\(port.name) \(artifact.digest.short) (\(artifact.count) \(what))"
            }
        }.joined(separator: ", ")
    }

    private static func teacher(_ step: Trace.Step) -> String? {
        if let recording = step.recording { return "\(step.node.name): answers recorded in \(recording)" }
        let calls = step.calls
        guard calls.count > 0 else { return nil }
        var line = "\(step.node.name): asked \(calls.teachers.sorted().joined(separator: ", "))"
        if calls.teachers.isEmpty { line = "\(step.node.name): asked a teacher" }
        if let days = calls.days {
            line +=
                days.lowerBound == days.upperBound
                ? " on \(days.lowerBound)" : " from \(days.lowerBound) to \(days.upperBound)"
        }
        if calls.unknown > 0 { line += "; \(calls.unknown) of the answers are not in this machine's ledger" }
        return line
    }

    private static func record(_ trace: Trace) -> [String] {
        var lines = trace.places.map { place in
            "\(place.output), shard \(place.shard.prefix) \(place.shard.digest.short): \(place.record.canonicalText)"
        }
        for (stage, call) in trace.calls {
            lines += ["", "\(stage) asked about \(call.request.id)\(sample(call)), request \(call.key)"]
            lines += call.request.messages.flatMap { message in
                ["  \(message.role.rawValue):"] + indented(message.content)
            }
            guard let entry = call.entry else {
                lines += ["  the answer is not in this machine's ledger"]
                continue
            }
            lines += ["  \(described(entry)):"] + indented(entry.response.text)
        }
        return lines
    }

    private static func sample(_ call: CallTrace.Call) -> String {
        call.request.sampleIndex == 0 ? "" : ", sample \(call.request.sampleIndex)"
    }

    private static func described(_ entry: LedgerEntry) -> String {
        var parts = [
            entry.origin.endpoint.isEmpty ? entry.origin.teacher : "\(entry.origin.teacher) at \(entry.origin.endpoint)"
        ]
        if !entry.day.isEmpty { parts.append("on \(entry.day)") }
        if let usage = entry.response.usage { parts.append("\(usage.promptTokens) + \(usage.completionTokens) tokens") }
        if let cost = entry.cost { parts.append(dollars(cost)) }
        return parts.joined(separator: ", ")
    }

    private static func indented(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
    }
}

extension Trace {
    var json: JSON {
        var object = JSONObject([
            ("event", "trace"), ("output", .string("\(target)")), ("stages", .array(steps.map(\.json))),
        ])
        if !places.isEmpty {
            object["records"] = .array(
                places.map { place in
                    [
                        "output": .string("\(place.output)"), "shard": .string(place.shard.prefix.text),
                        "digest": .string(place.shard.digest.hex), "record": place.record,
                    ]
                })
            object["calls"] = .array(
                calls.map { stage, call in
                    [
                        "stage": .string(stage), "record": .string(call.request.id),
                        "sample": .integer(Int64(call.request.sampleIndex)), "key": .string(call.key.description),
                        "messages": .array(call.request.messages.map(\.json)),
                        "answer": call.entry?.json ?? .null,
                    ]
                })
        }
        return .object(object)
    }
}

extension Trace.Step {
    fileprivate var json: JSON {
        var object = JSONObject([
            ("stage", .string(node.name)), ("uses", .string(node.signature.name)),
            ("version", .integer(Int64(node.signature.version))), ("parameters", .object(node.parameters.keyed)),
            ("inputs", .object(JSONObject(node.inputs.map { ($0.role, .string("\($0.source)")) }))),
            (
                "outputs",
                .object(
                    JSONObject(
                        outputs.map {
                            (
                                $0.key,
                                ["digest": .string($0.value.digest.hex), "count": .integer(Int64($0.value.count))]
                            )
                        }))
            ),
            (
                "sources",
                .array(
                    sources.map {
                        [
                            "role": .string($0.source.role), "path": .string($0.source.written),
                            "digest": .string($0.digest.hex),
                        ]
                    })
            ),
        ])
        object["recording"] = recording.map { .string($0) }
        if calls.count > 0 {
            object["teacher_calls"] = [
                "calls": .integer(Int64(calls.count)), "unknown": .integer(Int64(calls.unknown)),
                "prompt_tokens": .integer(Int64(calls.promptTokens)),
                "completion_tokens": .integer(Int64(calls.completionTokens)),
                "cost": calls.cost.map { .number($0) } ?? .null,
                "teachers": .array(calls.teachers.sorted().map { .string($0) }),
                "first_day": calls.days.map { .string($0.lowerBound) } ?? .null,
                "last_day": calls.days.map { .string($0.upperBound) } ?? .null,
            ]
        }
        return .object(object)
    }
}
