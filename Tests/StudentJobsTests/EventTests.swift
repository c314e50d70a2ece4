import CanonicalJSON
import Testing

@testable import StudentJobs

@Suite struct EventTests {
    static let step = TrainingStep(
        step: 3, steps: 10, epoch: 0.3, loss: 1.25, learningRate: 1e-3, gradientNorm: 0.5, tokenAccuracy: 0.75,
        keyAccuracy: 0.5, rejectedNLL: 2.5, tokens: 640, tokensPerSecond: 1234.5)

    static let events: [WorkerEvent] = [
        .step(step),
        .step(TrainingStep(step: 1, steps: 1, epoch: 1, loss: 2, learningRate: 0.1, gradientNorm: 0, tokens: 5)),
        .progress(WorkProgress(done: 3, total: 9, unit: "prompts")),
        .done(WorkSummary(output: "out", steps: 4, tokens: 99, seconds: 1.5)),
        .failed("model.safetensors: tensor \"x\": is missing\nand more"),
    ]

    @Test(arguments: events) func eventsReadBack(event: WorkerEvent) throws {
        #expect(event.line.last == UInt8(ascii: "\n"))
        #expect(event.line.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        #expect(try WorkerEvent(line: event.line) == event)
    }

    @Test func linesAreAsWritten() {
        #expect(
            String(decoding: WorkerEvent.step(Self.step).line, as: UTF8.self)
                == #"{"epoch":0.3,"event":"step","gradient_norm":0.5,"key_accuracy":0.5,"learning_rate":0.001,"#
                + #""loss":1.25,"rejected_nll":2.5,"step":3,"steps":10,"token_accuracy":0.75,"tokens":640,"#
                + #""tokens_per_second":1234.5}"# + "\n")
        #expect(
            String(decoding: WorkerEvent.failed("no").line, as: UTF8.self)
                == #"{"event":"error","message":"no"}"# + "\n")
    }

    @Test func otherLinesAreRefused() {
        #expect(throws: JSONFieldError(field: "event", problem: "is \"x\", which is not known")) {
            try WorkerEvent(line: Array(#"{"event":"x"}"#.utf8))
        }
        #expect(throws: JSONFieldError(field: "event", problem: "should be in an object, found an array")) {
            try WorkerEvent(line: Array("[]".utf8))
        }
        #expect(throws: JSONSyntaxError.self) { try WorkerEvent(line: Array("Killed".utf8)) }
    }
}
