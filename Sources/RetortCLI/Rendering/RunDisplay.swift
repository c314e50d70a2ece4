import CanonicalJSON
import ContentStore
import Scheduling
import StageGraph

/// Shows a run while it goes on. Called from several threads at once.
protocol RunDisplay: Sendable {
    func show(_ event: RunEvent)
    func finish()
}

/// `--format json`: every event as a line of JSON on standard output.
struct EventStream: RunDisplay {
    func show(_ event: RunEvent) { StandardStream.output.line(EventStream.json(event).canonicalText) }
    func finish() {}

    static func json(_ event: RunEvent) -> JSON {
        switch event {
        case .actionStarted(let stage, let prefix, let reasons):
            [
                "event": "action-started", "stage": .string(stage), "shard": .string(prefix.text),
                "reasons": .array(reasons.map(\.json)),
            ]
        case .actionFinished(let stage, let prefix, let seconds):
            [
                "event": "action-finished", "stage": .string(stage), "shard": .string(prefix.text),
                "seconds": .number(seconds),
            ]
        case .actionFailed(let failure):
            [
                "event": "error", "stage": .string(failure.stage),
                "shard": failure.prefix.map { .string($0.text) } ?? .null,
                "records": .array((failure.records?.ids ?? []).map { .string($0) }),
                "record_count": failure.records.map { .integer(Int64($0.count)) } ?? .null,
                "message": .string(failure.message),
            ]
        case .stageFinished(let report):
            [
                "event": "stage", "stage": .string(report.name), "uses": .string(report.type),
                "executed": .integer(Int64(report.executed)), "cached": .integer(Int64(report.cached)),
                "outputs": .object(
                    JSONObject(
                        report.outputs.map { name, artifact in
                            (
                                name,
                                [
                                    "artifact": .string(artifact.digest.hex), "type": .string("\(artifact.type)"),
                                    artifact.tree.isEmpty ? "records" : "files": .integer(Int64(artifact.count)),
                                ]
                            )
                        })),
            ]
        case .progress(let stage, let prefix, let object):
            [
                "event": "progress", "stage": .string(stage), "shard": .string(prefix.text),
                "progress": .object(object),
            ]
        case .warning(let message): ["event": "warning", "message": .string(message)]
        }
    }
}
