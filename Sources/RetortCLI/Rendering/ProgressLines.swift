import CanonicalJSON
import ContentStore
import Dispatch
import Scheduling
import StageGraph
import Synchronization

/// Progress on standard error: a live line on a terminal, plain lines elsewhere.
final class ProgressLines: RunDisplay {
    private struct State {
        var running: [String: Int] = [:]
        var finishedStages = 0
        var lastProgress: [String: DispatchTime] = [:]
        var hasLiveLine = false
    }

    private let stageCount: Int
    private let explains: Bool
    private let isTerminal = StandardStream.error.isTerminal
    private let state = Mutex(State())
    /// Between two plain lines about one stage's progress.
    private static let interval = 5.0

    init(pipeline: Pipeline, explains: Bool) {
        stageCount = pipeline.stages.count
        self.explains = explains
    }

    func show(_ event: RunEvent) {
        state.withLock { state in
            switch event {
            case .actionStarted(let stage, let prefix, let reasons):
                state.running[stage, default: 0] += 1
                if explains {
                    let why = reasons.map(\.description).joined(separator: "; ")
                    line("\(stage) \(prefix): \(why)", &state)
                }
                live("", &state)
            case .actionFinished(let stage, _, _):
                state.running[stage, default: 1] -= 1
                live("", &state)
            case .actionFailed(let failure):
                state.running[failure.stage, default: 1] -= 1
                line("error: \(failure)", &state)
            case .stageFinished(let report):
                state.finishedStages += 1
                if report.executed > 0 {
                    let cached = report.cached > 0 ? ", \(report.cached) cached" : ""
                    let out = "\(report.accounting.recordsIn) → \(report.accounting.recordsOut) records"
                    line(
                        "[\(state.finishedStages)/\(stageCount)] \(report.name): \(report.executed) executed\(cached), "
                            + "\(out), \(Seconds.text(report.seconds))", &state)
                }
            case .progress(let stage, _, let object): progress(stage, object, &state)
            case .warning(let message): line("warning: \(message)", &state)
            }
        }
    }

    func finish() { state.withLock { clear(&$0) } }

    private func progress(_ stage: String, _ object: JSONObject, _ state: inout State) {
        if let warning = object["warning"]?.string { return line("warning: stage \(stage): \(warning)", &state) }
        let text = "\(stage): \(ProgressText.describe(object))"
        if isTerminal { return live(text, &state) }
        let now = DispatchTime.now()
        if let last = state.lastProgress[stage],
            Double(now.uptimeNanoseconds - last.uptimeNanoseconds) < ProgressLines.interval * 1e9
        {
            return
        }
        state.lastProgress[stage] = now
        line(text, &state)
    }

    private func line(_ text: String, _ state: inout State) {
        clear(&state)
        StandardStream.error.line(text)
    }

    private func live(_ text: String, _ state: inout State) {
        guard isTerminal else { return }
        let running = state.running.filter { $0.value > 0 }.keys.sorted().joined(separator: ", ")
        let shown = "[\(state.finishedStages)/\(stageCount)] " + (text.isEmpty ? running : text)
        StandardStream.error.write(Array("\r\u{1B}[2K\(shown.prefix(110))".utf8))
        state.hasLiveLine = true
    }

    private func clear(_ state: inout State) {
        if state.hasLiveLine { StandardStream.error.write(Array("\r\u{1B}[2K".utf8)) }
        state.hasLiveLine = false
    }
}

/// A worker's or teacher's progress in a few words.
enum ProgressText {
    static func describe(_ object: JSONObject) -> String {
        func number(_ key: String, _ digits: Int) -> String? { object[key]?.double.map { Decimal.text($0, digits) } }
        if let step = object["step"]?.integer {
            let parts = [
                "step \(step)" + (object["steps"]?.integer.map { "/\($0)" } ?? ""),
                number("loss", 3).map { "loss \($0)" },
                number("token_accuracy", 3).map { "token accuracy \($0)" },
                number("key_accuracy", 3).map { "key accuracy \($0)" },
                number("rejected_nll", 3).map { "rejected NLL \($0)" },
                number("tokens_per_second", 0).map { "\($0) tokens/s" },
            ]
            return parts.compactMap(\.self).joined(separator: ", ")
        }
        if let done = object["done"]?.integer, let total = object["total"]?.integer {
            return "\(done)/\(total) \(object["unit"]?.string ?? "")"
        }
        return JSON.object(object).canonicalText
    }
}

/// Fixed-point numbers, independent of the locale.
enum Decimal {
    static func text(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
        var scale = 1
        for _ in 0..<digits { scale *= 10 }
        let units = Int64((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && units > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(units)" }
        let fraction = String(units % Int64(scale))
        return "\(sign)\(units / Int64(scale)).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
    }
}

enum Seconds {
    static func text(_ seconds: Double) -> String {
        seconds < 60
            ? "\(Decimal.text(seconds, seconds < 10 ? 2 : 1)) s" : "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
    }
}
